//! Writes results in order on a thread of its own, so that the pool's driver
//! never waits for a disk or a reader. The memory of results that wait to be
//! written is bounded by the credits that the batches carry.

pub(crate) mod options;
mod thread;
mod written;

use super::buffer::BUFFERED_BYTES;
use super::target::OutputTarget;
use options::{OutputOptions, Stop};
use procession::raw::{Batch, Sink};
use procession_sys::{LazyQueue, WorthWaking, start_thread};
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use thread::{BUFFERED_BATCHES, WriterThread};
use written::WrittenOutput;

/// The sink: takes results and never blocks.
#[derive(Debug)]
pub(crate) struct OutputWriter(Arc<LazyQueue<Batch>>);

/// Waits for the end of an [`OutputWriter`].
#[derive(Debug)]
pub(crate) struct OutputHandle {
    shared: Arc<LazyQueue<Batch>>,
    thread: JoinHandle<WrittenOutput>,
}

impl OutputWriter {
    /// Starts the thread that writes to `target`. `stop` is called when the
    /// output ends the work: by a failed item, a reader that closed the output,
    /// or a write error.
    ///
    /// # Errors
    /// The thread can't be started.
    pub(crate) fn spawn(target: OutputTarget, options: OutputOptions, stop: Stop) -> io::Result<(Self, OutputHandle)> {
        let shared = Arc::new(LazyQueue::new(WorthWaking { bytes: BUFFERED_BYTES, items: BUFFERED_BATCHES }));
        let thread_queue = Arc::clone(&shared);
        let work = move || WriterThread::new(target, options, stop).run(&thread_queue);
        let thread = start_thread("output", None, work)?;
        Ok((Self(Arc::clone(&shared)), OutputHandle { shared, thread }))
    }
}

impl Sink for OutputWriter {
    fn deliver(&mut self, batch: Batch) {
        let bytes = batch.deliveries.iter().map(|delivery| delivery.outputs.len()).sum();
        // After the end the batch is dropped, which returns its credit.
        self.0.push([batch], bytes);
    }
}

impl OutputHandle {
    /// Waits until everything delivered is written. What is delivered after
    /// this call is dropped.
    pub(crate) fn written(self) -> WrittenOutput {
        self.shared.close();
        self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

#[cfg(test)]
mod tests;
