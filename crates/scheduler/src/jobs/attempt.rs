//! An attempt: one sending of a range of a chunk to a worker.

use std::time::Duration;

use crate::model::{AttemptId, ChunkId, JobId};

/// How an attempt is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptMode {
    /// Like any other, with others before and behind it.
    Plain,
    /// With an answer after every item, and nothing else in the worker.
    Suspect,
    /// A single item with nothing else in the worker: a culprit.
    Alone,
}

impl AttemptMode {
    pub(crate) fn is_exclusive(self) -> bool {
        self != Self::Plain
    }
}

/// A range of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ItemRange {
    pub(crate) chunk: ChunkId,
    pub(crate) from: u32,
    pub(crate) items: u32,
}

#[derive(Clone, Debug)]
pub(crate) struct Attempt {
    pub(crate) id: AttemptId,
    pub(crate) job: JobId,
    /// As it was sent.
    pub(crate) range: ItemRange,
    pub(crate) answered: u32,
    pub(crate) mode: AttemptMode,
    /// What it takes, in nanoseconds, as it was estimated when it was sent.
    pub(crate) cost: u64,
    pub(crate) bytes: u64,
    /// How long its worker may say nothing while this is being run.
    pub(crate) silence: Option<Duration>,
}

impl Attempt {
    /// The part that has no answer.
    pub(crate) fn rest(&self) -> ItemRange {
        ItemRange {
            chunk: self.range.chunk,
            from: self.range.from + self.answered,
            items: self.range.items - self.answered,
        }
    }
}
