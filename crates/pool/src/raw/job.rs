//! A job: a task over the items of a source, results into a sink.

use crate::ChunkSize;
use crate::raw::{Sink, Source};
use procession_task::{Again, FailureKind, Format, Items};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What to run over which items.
pub struct Job {
    /// The task's name; the worker must know it.
    pub task: String,
    /// The task's settings.
    pub params: Vec<(String, String)>,
    /// What else the task is made of: a program and its arguments, say.
    pub arguments: Vec<Vec<u8>>,
    /// How blocks are cut into items.
    pub items: Items,
    /// How records are written.
    pub format: Format,
    /// Whether every item has a line to be shown at once.
    pub show: bool,
    /// Whether every item has a log line; may be changed while the job runs.
    pub item_log: Arc<AtomicBool>,
    /// How many items go into a chunk.
    pub chunk: ChunkSize,
    /// Whether results are delivered in input order, or as they come.
    pub ordered: bool,
    /// How often an item that was alone in a dying worker is tried again; `None`: for ever.
    pub retries: Option<u32>,
    /// Which outcomes are tried again so often. An item that `failed` is run
    /// again at once by the worker that has it, the others by a fresh one; an
    /// invalid item is invalid every time, and never tried again.
    pub retry_on: Vec<FailureKind>,
    /// How long one item may run, from its own start; `None`: for ever.
    pub timeout: Option<Duration>,
    /// How much memory each worker may have, in bytes; `None`: what there is.
    pub memory_limit: Option<u64>,
    /// Longest result of an item, in bytes; a longer one is that item's failure.
    pub max_result: usize,
    /// Where the items come from.
    pub source: Box<dyn Source>,
    /// Where the results go.
    pub sink: Box<dyn Sink>,
}

impl Job {
    /// Which items a worker runs again at once. That an item crashes and its
    /// worker lives on is only where programs run items.
    pub(crate) fn again(&self) -> Again {
        let failed = self.retry_on.contains(&FailureKind::Failed);
        let crashed = self.retry_on.contains(&FailureKind::Crashed) && !self.arguments.is_empty();
        Again { times: self.retries, failed, crashed }
    }
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// Every item has its outcome, and all were delivered.
    Complete,
    /// It was stopped before that; what was delivered is a prefix if it was ordered.
    Stopped,
}
