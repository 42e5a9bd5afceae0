//! An attempt: one sending of a range of a chunk to a worker.

use std::time::Duration;

use crate::model::{AttemptId, ChunkId, JobId};

/// How an attempt is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptMode {
    /// Like most attempts: other attempts may be in the same worker.
    Plain,
    /// The range may hold the item that crashed a worker: the worker answers after
    /// every item and holds no other attempt.
    Suspect,
    /// A single item that crashed a worker: the worker holds no other attempt.
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
    /// The range as it was sent.
    pub(crate) range: ItemRange,
    pub(crate) answered: u32,
    pub(crate) mode: AttemptMode,
    /// The estimated run time in nanoseconds, as of the sending.
    pub(crate) cost: u64,
    pub(crate) bytes: u64,
    /// How long the worker may send nothing while it runs this attempt.
    pub(crate) silence: Option<Duration>,
}

impl Attempt {
    /// The part without an answer.
    pub(crate) fn rest(&self) -> ItemRange {
        ItemRange {
            chunk: self.range.chunk,
            from: self.range.from + self.answered,
            items: self.range.items - self.answered,
        }
    }
}
