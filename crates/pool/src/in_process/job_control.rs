//! Ends the work of one job from elsewhere.

use super::notify::Changes;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends the work of one job from elsewhere.
#[derive(Clone, Debug, Default)]
pub(super) struct JobControl {
    stopped: Arc<AtomicBool>,
    pub(super) changes: Arc<Changes>,
}

impl JobControl {
    /// Ends the work: no further chunk begins. A chunk that is running runs to
    /// its end, as a thread can't be ended.
    pub(super) fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.changes.notify();
    }

    /// Whether the work was ended.
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }
}
