//! A job: a task over the items of a source, results into a sink.

use crate::{Sink, Source};
use procession_task::{Format, Items};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

pub use procession_scheduler::ChunkSize;

/// What to run over which items.
pub struct Job {
    /// The task's name; the worker must know it.
    pub task: String,
    /// The task's settings.
    pub params: Vec<(String, String)>,
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
    /// Longest result of an item, in bytes; a longer one is that item's failure.
    pub max_result: usize,
    /// Where the items come from.
    pub source: Box<dyn Source>,
    /// Where the results go.
    pub sink: Box<dyn Sink>,
}

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobEnd {
    /// Every item has its outcome, and all were delivered.
    Complete,
    /// It was stopped before that; what was delivered is a prefix if it was ordered.
    Stopped,
}
