//! Lines of the log that the coordinator formats, and no worker.

use crate::model::worker_lines::microseconds;
use procession::Accepted;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A part of a chunk whose results were accepted together: a line of the log at
/// the level `chunk`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChunkLine<'a> {
    /// Index of the chunk. It must stay the first field: the reader recognizes the
    /// line by it.
    pub chunk: u64,
    /// Index of the first item.
    pub first: u64,
    /// Number of items.
    pub items: u32,
    /// How many of them failed.
    pub failed: u32,
    /// The process that ran them.
    pub pid: u32,
    /// The host of that process.
    #[serde(borrow)]
    pub host: Cow<'a, str>,
    /// The worker's slot in the pool, from 0.
    pub worker: u32,
    /// How many times these items were sent, counting from 1.
    pub attempt: u32,
    /// How long the worker was busy with them, in microseconds.
    pub busy_us: f64,
    /// When they were accepted, in microseconds since the run's start.
    pub at_us: f64,
}

impl<'a> ChunkLine<'a> {
    pub(crate) fn new(part: &Accepted, host: &'a str) -> Self {
        Self {
            chunk: part.chunk,
            first: part.first,
            items: part.items,
            failed: part.failed,
            pid: part.worker.pid,
            host: host.into(),
            worker: part.worker.slot,
            attempt: part.attempt,
            busy_us: microseconds(part.busy),
            at_us: microseconds(part.at),
        }
    }
}

/// A note for the reader of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoteLine {
    /// The note's text.
    pub note: String,
}
