//! What a worker answers: output records, log lines, and a short list of failures.

use crate::{Failure, MESSAGE_BYTES, Samples, SlowestItem};
use serde::{Deserialize, Serialize};

/// A failed item within an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureAt {
    /// The index of the item in the input.
    pub item: u64,
    /// The failure.
    pub failure: Failure,
    /// The item's position in the chunk's block: first byte and length.
    pub input: (u32, u32),
    /// The record's position in the answer's outputs: first byte and length.
    pub record: (u32, u32),
    /// How many times the worker ran the item; more than once only if failed items are
    /// retried in place.
    pub attempts: u32,
}

/// A worker's answer for the next items of a block.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The number of items in this part.
    pub items: u32,
    /// Output records, one for each item.
    pub outputs: Vec<u8>,
    /// Log lines, one for each item if they were requested.
    pub log: Vec<u8>,
    /// Lines to be shown to the user at once, if they were requested.
    pub shown: Vec<u8>,
    /// The failed items.
    pub failures: Vec<FailureAt>,
    /// The time spent on these items since the previous part, in nanoseconds.
    pub busy_ns: u64,
    /// The times of the sampled items.
    pub samples: Samples,
    /// The slowest of these items, if they have log lines.
    pub slowest: SlowestItem,
}

impl Answer {
    /// Empties the answer and keeps its memory for the next part.
    pub fn clear(&mut self) {
        self.items = 0;
        self.outputs.clear();
        self.log.clear();
        self.shown.clear();
        self.failures.clear();
        self.busy_ns = 0;
        self.samples = Samples::default();
        self.slowest = SlowestItem::default();
    }

    pub(crate) fn bytes(&self) -> usize {
        // A failure's message is also in its record or log line, or is bounded.
        self.outputs.len() + self.log.len() + self.shown.len() + self.failures.len() * MESSAGE_BYTES
    }
}
