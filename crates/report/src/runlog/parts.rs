//! Lines of the log that the coordinator writes instead of a worker.

use crate::worker::microseconds;
use procession::Accepted;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// A part of a chunk whose results were accepted together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChunkLine<'a> {
    /// Its chunk; the first field, by which the reader knows such a line.
    pub chunk: u64,
    /// Index of the first item.
    pub first: u64,
    /// How many items.
    pub items: u32,
    /// How many of them failed.
    pub failed: u32,
    /// The process that ran them.
    pub pid: u32,
    /// Where it ran.
    #[serde(borrow)]
    pub host: Cow<'a, str>,
    /// Its place in the pool, from 0.
    pub worker: u32,
    /// How many times these items were sent.
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

/// Something that a reader of the log should know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoteLine {
    /// A sentence.
    pub note: String,
}

/// Appends a line of JSON.
pub(crate) fn push_line(out: &mut Vec<u8>, line: &impl Serialize) {
    // Writing a plain structure into memory can't fail.
    let _ = serde_json::to_writer(&mut *out, line);
    out.push(b'\n');
}
