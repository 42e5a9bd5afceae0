//! The queue of batches between the driver's thread and the output thread.

use crate::mutex::lock;
use crate::output::buffer::BUFFERED_BYTES;
use procession::raw::Batch;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// The output is written after this many batches even if more have arrived, so
/// that their memory is released.
pub(super) const BUFFERED_BATCHES: usize = 64;

#[derive(Debug, Default)]
pub(super) struct BatchQueue {
    pub(super) queue: Mutex<QueuedBatches>,
    pub(super) arrived: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct QueuedBatches {
    pub(super) batches: Vec<Batch>,
    /// The size of their results in bytes.
    pub(super) bytes: usize,
    /// Whether the output thread is in its pause: it is woken only for enough
    /// batches.
    pub(super) pausing: bool,
    pub(super) finished: bool,
}

/// Why the output thread wakes.
pub(super) enum Arrived {
    Batches(Vec<Batch>),
    /// The due time was reached.
    Due,
    End,
}

impl BatchQueue {
    /// Takes the batches that have arrived; does not wait.
    pub(super) fn take_now(&self) -> Vec<Batch> {
        lock(&self.queue).take()
    }

    /// Waits for batches, or for the time `due`. Until the time `pause` it
    /// waits for enough batches to be worth a write.
    pub(super) fn take(&self, pause: Instant, due: Option<Instant>) -> Arrived {
        let mut queue = lock(&self.queue);
        loop {
            let is_enough = queue.bytes >= BUFFERED_BYTES || queue.batches.len() >= BUFFERED_BATCHES;
            let now = Instant::now();
            let left = pause.saturating_duration_since(now);
            if queue.finished || is_enough || (left.is_zero() && !queue.batches.is_empty()) {
                let batches = queue.take();
                return if batches.is_empty() { Arrived::End } else { Arrived::Batches(batches) };
            }
            let until_due = due.map(|due| due.saturating_duration_since(now));
            if until_due.is_some_and(|left| left.is_zero()) {
                return Arrived::Due;
            }
            queue.pausing = !left.is_zero();
            let left = if queue.pausing { Some(left) } else { None };
            queue = match left.into_iter().chain(until_due).min() {
                Some(left) => self.arrived.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0,
                None => self.arrived.wait(queue).unwrap_or_else(PoisonError::into_inner),
            };
            queue.pausing = false;
        }
    }
}

impl QueuedBatches {
    fn take(&mut self) -> Vec<Batch> {
        self.bytes = 0;
        std::mem::take(&mut self.batches)
    }
}
