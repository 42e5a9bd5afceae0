//! Waiting for a change of shared state without missing one.

use std::sync::{Condvar, Mutex, PoisonError};

/// Counts changes. A thread that read the count before the last change does not
/// wait.
#[derive(Debug, Default)]
pub(super) struct Changes {
    changes: Mutex<u64>,
    changed: Condvar,
}

impl Changes {
    /// The number of changes so far: to be read before the shared state is read.
    pub(super) fn look(&self) -> u64 {
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there were more changes than `seen`.
    pub(super) fn wait_beyond(&self, seen: u64) {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_while(changes, |changes| *changes == seen);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Reports a change.
    pub(super) fn notify(&self) {
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }
}
