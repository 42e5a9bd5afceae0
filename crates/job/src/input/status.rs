//! What is known of an input while it is read and afterwards.

use crate::error::InputError;
use crate::mutex::lock;
use crate::times::InputStopwatch;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// What is known of an input while it is read and afterwards; cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct InputStatus {
    pub(crate) error: Arc<Mutex<Option<InputError>>>,
    pub(crate) read: Arc<AtomicU64>,
    /// What the thread does that reads it.
    pub(crate) watch: InputStopwatch,
    /// How many items were found so far.
    pub(crate) found: Arc<AtomicU64>,
    /// How many bytes the files have, compressed as they are, if that is known.
    pub bytes: Option<u64>,
    /// How many items will come, if that is known from the start.
    pub items: Option<u64>,
    /// How many of them an earlier run has done, whose output is gone on with.
    pub before: u64,
}

impl InputStatus {
    /// How many bytes of the files were read so far, compressed as they are.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// About how many items there will be in all, those done before among them:
    /// exact where that is known from the start or all was read, else by the
    /// share of the bytes read.
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

    /// Takes the error that ended the input, if one did.
    #[must_use]
    pub fn take_error(&self) -> Option<InputError> {
        lock(&self.error).take()
    }
}

/// What the inputs are called; clones share it.
#[derive(Clone, Debug, Default)]
pub struct InputNames(pub(super) Arc<Mutex<Vec<String>>>);

impl InputNames {
    /// The name of an input of this number, as far as it was read: a file's, or
    /// an archive's with a file in it.
    #[must_use]
    pub fn get(&self, input: u32) -> String {
        lock(&self.0).get(input as usize).cloned().unwrap_or_default()
    }
}
