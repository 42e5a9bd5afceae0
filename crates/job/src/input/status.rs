//! The state of an input while it is read and afterwards.

use crate::error::InputError;
use crate::mutex::lock;
use crate::times::InputStopwatch;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// The state of an input while it is read and afterwards; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct InputStatus {
    pub(crate) error: Arc<Mutex<Option<InputError>>>,
    pub(crate) read: Arc<AtomicU64>,
    /// How many items were left out before the first.
    pub(crate) skipped: Arc<AtomicU64>,
    /// What the input thread does.
    pub(crate) watch: InputStopwatch,
    /// How many items were found so far.
    pub(crate) found: Arc<AtomicU64>,
    /// The size of the files in bytes (before unpacking), if it is known.
    pub bytes: Option<u64>,
    /// The number of items, if it is known from the start.
    pub items: Option<u64>,
    /// How many of the items an earlier run has done, if its output is resumed.
    pub before: u64,
}

impl InputStatus {
    /// How many bytes of the files were read so far (before unpacking).
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// The expected number of items in all, including those done by an earlier
    /// run. Exact if it is known from the start or everything was read,
    /// otherwise extrapolated from the bytes read.
    #[must_use]
    pub fn expected_items(&self) -> Option<u64> {
        if self.items.is_some() {
            return self.items;
        }
        let (bytes, read) = (self.bytes?, self.bytes_read());
        let found = self.found.load(Ordering::Relaxed);
        if read == 0 || found == 0 {
            return None;
        }
        let expected = u128::from(found) * u128::from(bytes.max(read)) / u128::from(read);
        u64::try_from(expected).ok()
    }

    /// Takes the error that ended the input, if there was one.
    #[must_use]
    pub fn take_error(&self) -> Option<InputError> {
        lock(&self.error).take()
    }
}

/// The names of the inputs; clones share them.
#[derive(Clone, Debug, Default)]
pub struct InputNames(pub(super) Arc<Mutex<Vec<String>>>);

impl InputNames {
    /// The name of the input with this number, once it was opened: a file, or a
    /// file in an archive.
    #[must_use]
    pub fn get(&self, input: u32) -> String {
        lock(&self.0).get(input as usize).cloned().unwrap_or_default()
    }
}
