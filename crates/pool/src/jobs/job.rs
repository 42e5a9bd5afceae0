//! A job: a task over the items of a source, results into a sink.

use super::source_sink::{Sink, Source};
use super::window::MAX_CHUNK_BYTES;
use procession_scheduler::JobOptions;
use procession_sys::FunctionEntry;
use procession_task::{FailureKind, JobSpec, ResultOrder};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What to run over which items.
pub struct Job {
    /// Which task, how items come in and results go out.
    pub spec: JobSpec,
    /// Whether every item has a log line; may be changed while the job runs.
    pub item_log: Arc<AtomicBool>,
    /// Where the items come from.
    pub source: Box<dyn Source>,
    /// Where the results go.
    pub sink: Box<dyn Sink>,
    /// The task's code, where it is a function of this program.
    pub(crate) entry: Option<&'static FunctionEntry>,
}

impl Job {
    /// A job whose items have no log lines.
    #[must_use]
    pub fn new(spec: JobSpec, source: Box<dyn Source>, sink: Box<dyn Sink>) -> Self {
        Self { spec, item_log: Arc::default(), source, sink, entry: None }
    }

    /// The options that the scheduler needs, with a window of `window_bytes` bytes.
    pub(crate) fn options(&self, window_bytes: u64) -> JobOptions {
        let JobSpec { chunk, order, ref retry, limits, .. } = self.spec;
        let is_tried_again = |kind| retry.retry_on.contains(&kind);
        JobOptions {
            chunk,
            ordered: order == ResultOrder::Input,
            retries: retry.retries,
            retry_crashed: is_tried_again(FailureKind::Crashed),
            retry_timed_out: is_tried_again(FailureKind::TimedOut),
            retry_out_of_memory: is_tried_again(FailureKind::OutOfMemory),
            timeout: limits.timeout,
            max_chunk_bytes: MAX_CHUNK_BYTES,
            window_bytes,
        }
    }
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// Every item has its outcome, and all were delivered.
    Complete,
    /// It was stopped before that. If results are delivered in input order, the
    /// delivered ones are a prefix.
    Stopped,
}
