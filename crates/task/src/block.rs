//! What a worker runs: a block of items in, an answer out.
//!
//! The answer holds finished output lines, finished log lines and a short list
//! of failures. It may be sent in parts: after every item if the block asks
//! for it, else when it grows large or some milliseconds have passed.

use crate::{Failure, MESSAGE_BYTES, Samples};
use serde::{Deserialize, Serialize};

/// An answer is sent once its blocks hold this many bytes, so that a worker's
/// memory does not grow with what a chunk's results weigh.
const SEND_BYTES: usize = 256 * 1024;

/// Consecutive items, as raw bytes.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Index of the first item in the input, from 0.
    pub first: u64,
    /// How many items there are.
    pub items: u32,
    /// Which chunk they belong to.
    pub chunk: u64,
    /// How many times these items have been sent, this time included.
    pub attempt: u32,
    /// Whether every item is to have a log line.
    pub log: bool,
    /// Their bytes, separators included.
    pub bytes: &'a [u8],
}

/// Runs blocks; what the executors call.
pub trait BlockTask: Send {
    /// Runs every item of the block in order and tells `reply` of each.
    ///
    /// Returns an error only when the block itself is broken (it does not hold
    /// the items it announces).
    ///
    /// # Errors
    /// A description of what does not fit.
    fn run(&mut self, block: &Block<'_>, reply: &mut Reply<'_>) -> Result<(), String>;
}

/// The surroundings of a running block: its clock, and the way back.
pub trait Host {
    /// Nanoseconds since the run's start, exact; costs some 25 ns.
    fn now_ns(&mut self) -> u64;
    /// Whether some 10 ms have passed since anything was last sent; cheap, and
    /// cheaper for who has just read the clock.
    fn is_due(&mut self, now_ns: Option<u64>) -> bool;
    /// An item of this index starts now.
    fn item_starts(&mut self, index: u64);
    /// Sends the answer at once; the caller then empties it.
    fn send(&mut self, answer: &Answer);
}

/// A failed item within an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureAt {
    /// Index of the item in the input.
    pub item: u64,
    /// What happened.
    pub failure: Failure,
    /// Where the item stands in the chunk's block: first byte and length.
    pub input: (u32, u32),
    /// Where its record stands in the answer's outputs: first byte and length.
    pub record: (u32, u32),
}

/// What a worker says about the next items of a block.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// How many items this part covers.
    pub items: u32,
    /// Output records, one an item.
    pub outputs: Vec<u8>,
    /// Log lines, one an item if they were asked for.
    pub log: Vec<u8>,
    /// Lines to be shown to the user at once, if they were asked for.
    pub shown: Vec<u8>,
    /// The failed ones among the items.
    pub failures: Vec<FailureAt>,
    /// Time spent on these items since the part before, in nanoseconds.
    pub busy_ns: u64,
    /// What those of them took that were looked at.
    pub samples: Samples,
}

impl Answer {
    /// Empties it, keeping its memory for the next part.
    pub fn clear(&mut self) {
        self.items = 0;
        self.outputs.clear();
        self.log.clear();
        self.shown.clear();
        self.failures.clear();
        self.busy_ns = 0;
        self.samples = Samples::default();
    }

    fn bytes(&self) -> usize {
        // A failure's message is in its record or log line as well, or is bounded.
        self.outputs.len() + self.log.len() + self.shown.len() + self.failures.len() * MESSAGE_BYTES
    }
}

/// Where a running block puts its results.
pub struct Reply<'h> {
    host: &'h mut dyn Host,
    answer: &'h mut Answer,
    each: bool,
    max_result: usize,
    part_started_ns: u64,
}

impl<'h> Reply<'h> {
    /// A reply for one block. `each` sends after every item; no result may be
    /// longer than `max_result` bytes.
    pub fn new(host: &'h mut dyn Host, answer: &'h mut Answer, each: bool, max_result: usize) -> Self {
        answer.clear();
        let part_started_ns = host.now_ns();
        Self { host, answer, each, max_result, part_started_ns }
    }

    /// The surroundings.
    pub fn host(&mut self) -> &mut dyn Host {
        self.host
    }

    /// The answer being put together.
    pub fn answer(&mut self) -> &mut Answer {
        self.answer
    }

    /// Whether every item is answered by itself.
    #[must_use]
    pub fn is_each(&self) -> bool {
        self.each
    }

    /// Longest result that an item may have, in bytes.
    #[must_use]
    pub fn max_result(&self) -> usize {
        self.max_result
    }

    /// The record of the next item is complete: counts it, and sends what there
    /// is when it is time to. `now_ns` is the time, if it was just read.
    #[inline]
    pub fn item_done(&mut self, now_ns: Option<u64>) {
        self.answer.items += 1;
        if self.each || self.answer.bytes() >= SEND_BYTES || self.host.is_due(now_ns) {
            self.send();
        }
    }

    /// As [`Self::item_done`] for many items at once.
    pub fn items_done(&mut self, items: u32) {
        self.answer.items += items;
    }

    fn send(&mut self) {
        self.stamp();
        self.host.send(self.answer);
        self.answer.clear();
    }

    /// Ends the block; what is left in the answer is its last part.
    pub fn finish(mut self) {
        self.stamp();
    }

    fn stamp(&mut self) {
        let now = self.host.now_ns();
        self.answer.busy_ns = now.saturating_sub(self.part_started_ns);
        self.part_started_ns = now;
    }
}
