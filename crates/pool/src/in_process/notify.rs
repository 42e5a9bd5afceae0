//! Waiting for something to change, without missing that it did.

use std::sync::{Condvar, Mutex, PoisonError};

/// Counts changes; whoever looked before the last one does not wait.
#[derive(Debug, Default)]
pub(super) struct Changes {
    changes: Mutex<u64>,
    changed: Condvar,
}

impl Changes {
    /// How many changes there were: to be asked before looking.
    pub(super) fn look(&self) -> u64 {
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there were more changes than `seen`.
    pub(super) fn wait_beyond(&self, seen: u64) {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_while(changes, |changes| *changes == seen);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Something changed.
    pub(super) fn notify(&self) {
        *self.changes.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }
}
