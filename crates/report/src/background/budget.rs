//! How much all queues before threads that write may hold together.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

/// Bytes that the queues of a process may hold: those of the log, the job log and the
/// live lines. Together with a job's window and the buffers of the log's files the
/// coordinator stays under 48 MiB.
const PROCESS_BYTES: usize = 16 << 20;
/// With more than this in the queues, a writer lags behind, and what is queued is
/// copied out of the larger buffers that it is a part of.
const LAGGING_BYTES: usize = 1 << 20;

/// Bytes that several queues hold, and their limit.
#[derive(Debug)]
pub(crate) struct Budget {
    limit: usize,
    used: AtomicUsize,
}

impl Budget {
    /// A budget of its own.
    pub(crate) fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { limit, used: AtomicUsize::new(0) })
    }

    /// The one of all queues of this process.
    pub(crate) fn of_process() -> Arc<Self> {
        static BUDGET: LazyLock<Arc<Budget>> = LazyLock::new(|| Budget::new(PROCESS_BYTES));
        Arc::clone(&BUDGET)
    }

    /// Whether so many bytes more are within the limit.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.used.load(Ordering::Relaxed).saturating_add(bytes) <= self.limit
    }

    /// Whether a writer lags behind.
    pub(crate) fn is_lagging(&self) -> bool {
        self.used.load(Ordering::Relaxed) > LAGGING_BYTES
    }

    pub(super) fn take(&self, bytes: usize) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}
