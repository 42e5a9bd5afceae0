//! Batches on their way from the driver's thread to the writing thread.

use crate::mutex::lock;
use crate::output::buffer::BUFFERED_BYTES;
use procession::raw::Batch;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// After this many batches what waits is written, though more has arrived: the
/// memory that they stand for is wanted back.
pub(super) const BUFFERED_BATCHES: usize = 64;

#[derive(Debug, Default)]
pub(super) struct BatchQueue {
    pub(super) queue: Mutex<QueuedBatches>,
    pub(super) arrived: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct QueuedBatches {
    pub(super) batches: Vec<Batch>,
    /// How many bytes of results they hold.
    pub(super) bytes: usize,
    /// The thread pauses: a little is not worth waking it for.
    pub(super) pausing: bool,
    pub(super) finished: bool,
}

/// What the writing thread is woken by.
pub(super) enum Arrived {
    Batches(Vec<Batch>),
    /// The time that was asked for has come first.
    Due,
    End,
}

impl BatchQueue {
    /// The batches that have arrived, if any; does not wait.
    pub(super) fn take_now(&self) -> Vec<Batch> {
        lock(&self.queue).take()
    }

    /// Waits for batches, or until something is `due`. Until `pause` is over it
    /// waits for enough of them to be worth a write.
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
