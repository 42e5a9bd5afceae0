//! Lines of the log that the coordinator formats, and no worker.

use crate::model::worker_lines::microseconds;
use procession::{Accepted, Event};
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

/// An attempt without an outcome: a line of `attempts.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptLine<'a> {
    /// Number of items: one, unless a worker died and it is not known which it was running.
    /// It must stay the first field: the reader recognizes the line by it.
    pub items: u32,
    /// Index of the first item in the input.
    pub item: u64,
    /// The worker's process.
    pub pid: u32,
    /// The host of that process.
    #[serde(borrow)]
    pub host: Cow<'a, str>,
    /// The worker's slot in the pool, from 0.
    pub worker: u32,
    /// The chunk of the items.
    pub chunk: u64,
    /// How many times these items had been sent, counting from 1.
    pub attempt: u32,
    /// When it began, or was sent, in microseconds since the run's start.
    pub start_us: f64,
    /// How long after that it had ended, in microseconds.
    pub duration_us: f64,
    /// How it ended.
    #[serde(borrow)]
    pub error: AttemptError<'a>,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AttemptError<'a> {
    /// The kind of failure.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// The error message.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

impl<'a> AttemptLine<'a> {
    /// The line of this event; `None` for any other.
    pub(crate) fn new(event: &'a Event, host: &'a str) -> Option<Self> {
        let Event::AttemptLost { worker, chunk, first, items, attempt, failure, sent_at, at } = event else {
            return None;
        };
        Some(Self {
            items: *items,
            item: *first,
            pid: worker.pid,
            host: host.into(),
            worker: worker.slot,
            chunk: *chunk,
            attempt: *attempt,
            start_us: microseconds(*sent_at),
            duration_us: microseconds(at.saturating_sub(*sent_at)),
            error: AttemptError { kind: failure.kind.as_str().into(), message: failure.message.as_str().into() },
        })
    }
}

/// A note for the reader of the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoteLine {
    /// The note's text.
    pub note: String,
}
