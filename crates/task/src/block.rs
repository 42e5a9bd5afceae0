//! What a worker runs: a block of items in, an answer out.
//!
//! The answer holds finished output lines, finished log lines and a short list of
//! failures. It may be sent in parts: after every item if the block asks for it,
//! otherwise when it becomes large or some milliseconds have passed.

use crate::answer::Answer;
use crate::{FailureKind, LastLines};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An answer is sent once it holds this many bytes, so that a worker's memory does
/// not grow with the size of a chunk's results.
const SEND_BYTES: usize = 256 * 1024;

/// Consecutive items, as raw bytes.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// The index of the first item in the input, from 0.
    pub first: u64,
    /// The number of items.
    pub items: u32,
    /// The chunk that the items belong to.
    pub chunk: u64,
    /// How many times these items have been sent, including this time.
    pub attempt: u32,
    /// Whether every item gets a log line.
    pub log: bool,
    /// The items' bytes, including separators.
    pub bytes: &'a [u8],
}

/// A task that runs blocks; the executors call it.
pub trait BlockTask: Send {
    /// Prepares what the blocks need in addition to the task itself, such as a
    /// coprocess. Called once before the first block, but not if the caller only wants
    /// to know whether the task can be created. If it takes longer than half a second,
    /// it reports so by `note`, repeatedly: that is the only sign that the process is
    /// alive.
    ///
    /// # Errors
    /// Why the task can't run here, as a sentence for the user.
    fn prepare(&mut self, _note: &mut dyn FnMut(&str)) -> Result<(), String> {
        Ok(())
    }

    /// Runs every item of the block in order and reports each to `reply`.
    ///
    /// # Errors
    /// The block does not hold the items that it announces, or no more items can be run
    /// here. The text is a sentence for the user.
    fn run(&mut self, block: &Block<'_>, reply: &mut Reply<'_>) -> Result<(), String>;

    /// What another thread asks when it ends this process in the middle of an item;
    /// `None`: the task has nothing to say then.
    fn last_lines(&self) -> Option<Arc<dyn LastLines>> {
        None
    }
}

/// The environment of a running block: its clock, and the way back to the
/// coordinator.
pub trait Host {
    /// Nanoseconds since the run's start, exact; a call takes about 25 ns.
    fn now_ns(&mut self) -> u64;
    /// Whether about 10 ms have passed since anything was last sent. The call is cheap,
    /// and cheaper if the caller has just read the clock.
    fn is_due(&mut self, now_ns: Option<u64>) -> bool;
    /// The item of this index starts now, and another thread may look at it while it
    /// runs (see [`Draft`]). Called only for such items.
    fn item_starts(&mut self, index: u64);
    /// The item that was started last has failed and is about to be run again. Called
    /// only for items that another thread may look at.
    fn item_starts_again(&mut self) {}
    /// Sends the answer at once; the caller then empties it.
    fn send(&mut self, answer: &Answer);
    /// Sends a message to the user.
    fn note(&mut self, _text: &str) {}
    /// Sends a message about something that will hardly end by itself. The user sees it
    /// even if only errors are shown.
    fn warn(&mut self, _text: &str) {}
    /// Tells the type that an item has for the code of the user.
    fn item_type(&mut self, _name: &str) {}
    /// The output of the program that ran this item may be incomplete: a process that
    /// the program left behind was still writing when its pipes were closed. Called
    /// before the item's answer.
    fn output_cut(&mut self, _index: u64) {}
    /// Sends the answer and ends this process in the given way. Returns if the process
    /// is not the worker's own.
    fn die(&mut self, _answer: &Answer, _end: ProcessEnd) {}
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEnd {
    /// It exited with this status.
    Status(i32),
    /// It was killed by this signal.
    Signal(i32),
}

/// An unfinished answer that another thread may take over: the watchdog, for
/// example, when the running item takes too long.
///
/// The thread that runs the block holds the lock at all times except while an item
/// runs. So another thread that gets the lock and finds a running item may use the
/// answer as it is. As long as that thread holds the lock, the item cannot be
/// answered, even if it ends after all.
#[derive(Debug, Default)]
pub struct Draft {
    /// The finished and unsent part of the answer.
    pub answer: Answer,
    /// The item that is running.
    pub running: Option<RunningItem>,
}

/// An item that is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningItem {
    /// Its index in the input.
    pub index: u64,
    /// The item's start, on its host's clock ([`Host::now_ns`]).
    pub since_ns: u64,
}

impl Draft {
    /// Locks a draft, even if a thread panicked while it held the lock.
    pub fn lock(draft: &Mutex<Self>) -> MutexGuard<'_, Self> {
        draft.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Access to the answer of the running block.
enum AnswerAccess<'h> {
    /// No other thread looks at the answer.
    Own(&'h mut Answer),
    /// Other threads may look at the answer while an item runs; it is not locked then.
    Shared { draft: &'h Mutex<Draft>, held: Option<MutexGuard<'h, Draft>> },
}

impl AnswerAccess<'_> {
    /// The answer, locked again if it was unlocked. Called for every item: an answer of
    /// its own costs only a comparison.
    #[inline]
    fn answer(&mut self) -> &mut Answer {
        match self {
            Self::Own(answer) => answer,
            Self::Shared { draft, held } => take_back(draft, held),
        }
    }
}

#[inline(never)]
fn take_back<'a, 'h>(draft: &'h Mutex<Draft>, held: &'a mut Option<MutexGuard<'h, Draft>>) -> &'a mut Answer {
    &mut held.get_or_insert_with(|| Draft::lock(draft)).answer
}

/// Which failed items a worker runs again at once, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// The maximum number of retries; `None`: until the item succeeds.
    pub times: Option<u32>,
    /// Whether items that failed are retried.
    pub failed: bool,
    /// Whether items are retried whose own process (a program that the worker started
    /// for them) crashed.
    pub crashed: bool,
}

impl Again {
    /// No retries.
    pub const NEVER: Self = Self { times: Some(0), failed: false, crashed: false };

    /// Whether no item would be run again.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.times == Some(0) || !(self.failed || self.crashed)
    }

    /// Whether an item with this outcome is run again after this many runs.
    #[must_use]
    pub fn applies(&self, kind: FailureKind, runs: u32) -> bool {
        let is_meant = match kind {
            FailureKind::Failed => self.failed,
            FailureKind::Crashed => self.crashed,
            FailureKind::Invalid | FailureKind::TimedOut | FailureKind::OutOfMemory => false,
        };
        is_meant && self.times.is_none_or(|times| runs <= times)
    }
}

/// Receives the results of a running block.
pub struct Reply<'h> {
    host: &'h mut dyn Host,
    answer_access: AnswerAccess<'h>,
    each: bool,
    again: Again,
    max_result: usize,
    part_started_ns: u64,
    /// How many items may pass each time without a read of the clock, and how many are
    /// left of them.
    unlooked: (u32, u32),
}

/// While items are cheap, this many pass without a read of the clock. They are so
/// few that an expensive one among them does not matter.
const UNLOOKED: u32 = 3;
/// Items that take less than this are cheap, in nanoseconds.
const CHEAP_NS: u64 = 100_000;

impl<'h> Reply<'h> {
    /// A reply for one block. With `each`, every item is sent at once. No result may be
    /// longer than `max_result` bytes.
    pub fn new(host: &'h mut dyn Host, answer: &'h mut Answer, each: bool, max_result: usize) -> Self {
        Self::on(host, AnswerAccess::Own(answer), each, max_result)
    }

    /// The same with an answer that other threads may take over while an item runs.
    pub fn shared(host: &'h mut dyn Host, draft: &'h Mutex<Draft>, each: bool, max_result: usize) -> Self {
        Self::on(host, AnswerAccess::Shared { draft, held: None }, each, max_result)
    }

    fn on(host: &'h mut dyn Host, mut answer_access: AnswerAccess<'h>, each: bool, max_result: usize) -> Self {
        answer_access.answer().clear();
        let part_started_ns = host.now_ns();
        Self { host, answer_access, each, again: Again::NEVER, max_result, part_started_ns, unlooked: (0, 0) }
    }

    /// Sets which failed items are run again.
    #[must_use]
    pub fn trying(mut self, again: Again) -> Self {
        self.again = again;
        self
    }

    /// The host of the block.
    pub fn host(&mut self) -> &mut dyn Host {
        self.host
    }

    /// The unfinished answer.
    #[inline]
    pub fn answer(&mut self) -> &mut Answer {
        self.answer_access.answer()
    }

    /// Whether every item is sent at once.
    #[must_use]
    pub fn is_each(&self) -> bool {
        self.each
    }

    /// Whether a watchdog may end the running item. Then all finished results must be
    /// in the answer before an item starts.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        matches!(self.answer_access, AnswerAccess::Shared { .. })
    }

    /// The maximum size of an item's result, in bytes.
    #[must_use]
    pub fn max_result(&self) -> usize {
        self.max_result
    }

    /// Whether an item with this outcome is run again after this many runs.
    #[must_use]
    pub fn tries_again(&self, kind: FailureKind, runs: u32) -> bool {
        self.again.applies(kind, runs)
    }

    /// Sends a message of one or two sentences to the user. Call it once for each
    /// message.
    pub fn note(&mut self, text: &str) {
        self.host.note(text);
    }

    /// The same for something that will hardly end by itself. The user sees it even if
    /// only errors are shown.
    pub fn warn(&mut self, text: &str) {
        self.host.warn(text);
    }

    /// Tells the type that an item has for the code of the user: `int`, for example.
    pub fn item_type(&mut self, name: &str) {
        self.host.item_type(name);
    }

    /// The output of the program that ran this item may be incomplete. Call it before
    /// the item is counted.
    pub fn output_cut(&mut self, index: u64) {
        self.host.output_cut(index);
    }

    /// The program on which this worker's items depend has ended in this way. Sends
    /// what is finished and ends this process in the same way, so that the coordinator
    /// handles it like any dead worker. Returns if the process is not the worker's own.
    pub fn die(&mut self, end: ProcessEnd) {
        self.stamp();
        let answer = self.answer_access.answer();
        self.host.die(answer, end);
    }

    /// The item of this index starts now. Call it before each item. Returns the time if
    /// `wants_time`, otherwise possibly 0.
    #[inline]
    pub fn item_starts(&mut self, index: u64, wants_time: bool) -> u64 {
        if matches!(self.answer_access, AnswerAccess::Shared { .. }) {
            return self.lend(index);
        }
        if wants_time { self.host.now_ns() } else { 0 }
    }

    /// Like [`Self::item_starts`], for an item that was just run and failed.
    pub fn item_starts_again(&mut self, index: u64, wants_time: bool) -> u64 {
        if matches!(self.answer_access, AnswerAccess::Shared { .. }) {
            // Lock the answer first: the watchdog must not find the item while the host sends.
            self.answer_access.answer();
            self.host.item_starts_again();
        }
        self.item_starts(index, wants_time)
    }

    /// Unlocks the answer until the next access.
    #[inline(never)]
    fn lend(&mut self, index: u64) -> u64 {
        let since_ns = self.host.now_ns();
        if let AnswerAccess::Shared { draft, held } = &mut self.answer_access {
            let mut open = held.take().unwrap_or_else(|| Draft::lock(draft));
            open.running = Some(RunningItem { index, since_ns });
            // The busy time to report if this item ends the process.
            open.answer.busy_ns = since_ns.saturating_sub(self.part_started_ns);
            self.host.item_starts(index);
        }
        since_ns
    }

    /// The record of the next item is complete. Counts the item, and sends the answer
    /// if it is time to. `now_ns` is the time, if it was just read.
    #[inline]
    pub fn item_done(&mut self, now_ns: Option<u64>) {
        let answer = self.answer_access.answer();
        answer.items += 1;
        if self.each || answer.bytes() >= SEND_BYTES || self.is_due(now_ns) {
            self.send();
        }
    }

    /// Like [`Self::item_done`] for one of many cheap items whose answer may wait for
    /// more of them: reads no clock.
    #[inline]
    pub fn cheap_item_done(&mut self) {
        let answer = self.answer_access.answer();
        answer.items += 1;
        if self.each || answer.bytes() >= SEND_BYTES {
            self.send();
        }
    }

    /// A sampled item took this long.
    pub fn item_took(&mut self, item_ns: u64) {
        self.unlooked.0 = if item_ns < CHEAP_NS { UNLOOKED } else { 0 };
    }

    /// Whether it is time to send. While items are cheap, the clock is read only now
    /// and then, unless the caller knows the time.
    #[inline]
    fn is_due(&mut self, now_ns: Option<u64>) -> bool {
        let (most, left) = self.unlooked;
        if now_ns.is_none() && left > 0 {
            self.unlooked.1 = left - 1;
            return false;
        }
        let due = self.host.is_due(now_ns);
        // Cheap items may have become expensive.
        self.unlooked = if due { (0, 0) } else { (most, most) };
        due
    }

    /// Like [`Self::item_done`] for many items at once.
    pub fn items_done(&mut self, items: u32) {
        self.answer().items += items;
    }

    fn send(&mut self) {
        self.stamp();
        let answer = self.answer_access.answer();
        self.host.send(answer);
        answer.clear();
    }

    /// Ends the block. What is left in the answer is its last part.
    pub fn finish(mut self) {
        self.stamp();
        if let AnswerAccess::Shared { held: Some(held), .. } = &mut self.answer_access {
            held.running = None;
        }
    }

    fn stamp(&mut self) {
        let now = self.host.now_ns();
        self.answer_access.answer().busy_ns = now.saturating_sub(self.part_started_ns);
        self.part_started_ns = now;
    }
}
