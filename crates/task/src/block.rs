//! What a worker runs: a block of items in, an answer out.
//!
//! The answer holds finished output lines, finished log lines and a short list
//! of failures. It may be sent in parts: after every item if the block asks
//! for it, else when it grows large or some milliseconds have passed.

use crate::{Failure, FailureKind, MESSAGE_BYTES, Samples};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, MutexGuard, PoisonError};

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
    /// Makes ready what the blocks need beside the task itself, a program that
    /// is kept, say. Called once, before the first block, by whoever is about to
    /// run blocks; not by who only wants to know whether the task can be made.
    /// What takes longer than half a second says so by `note`, again and again:
    /// it is the only sign that this is still alive.
    ///
    /// # Errors
    /// Why the task can't be run here, in a sentence for people.
    fn prepare(&mut self, _note: &mut dyn FnMut(&str)) -> Result<(), String> {
        Ok(())
    }

    /// Runs every item of the block in order and tells `reply` of each.
    ///
    /// Returns an error only when the block itself is broken (it does not hold
    /// the items it announces) or nothing more can be run here at all.
    ///
    /// # Errors
    /// What does not fit, or why there is no going on, in a sentence for people.
    fn run(&mut self, block: &Block<'_>, reply: &mut Reply<'_>) -> Result<(), String>;
}

/// The surroundings of a running block: its clock, and the way back.
pub trait Host {
    /// Nanoseconds since the run's start, exact; costs some 25 ns.
    fn now_ns(&mut self) -> u64;
    /// Whether some 10 ms have passed since anything was last sent; cheap, and
    /// cheaper for who has just read the clock.
    fn is_due(&mut self, now_ns: Option<u64>) -> bool;
    /// An item of this index starts now, and may be looked at while it runs
    /// (see [`Draft`]). Called for such items alone.
    fn item_starts(&mut self, index: u64);
    /// The item that was begun last has failed and is about to be run again.
    /// Called for such items alone that may be looked at while they run.
    fn item_starts_again(&mut self) {}
    /// Sends the answer at once; the caller then empties it.
    fn send(&mut self, answer: &Answer);
    /// Tells the person who waits something that they should know.
    fn note(&mut self, _text: &str) {}
    /// More output of the program that ran the item of this index may have been
    /// on its way when it was given up. Comes before the item's answer.
    fn output_cut(&mut self, _index: u64) {}
    /// Sends the answer and ends this process like that; returns where the
    /// process is not the worker's own.
    fn die(&mut self, _answer: &Answer, _end: ProcessEnd) {}
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessEnd {
    /// It exited with this status.
    Status(i32),
    /// It was ended by this signal.
    Signal(i32),
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
    /// How many times it was run here, one after the other: more than once only
    /// where failed items are tried again.
    pub attempts: u32,
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

/// An answer that is being put together, where others may have to take it over:
/// a watchdog, say, when the item that is running takes too long.
///
/// It is locked by whoever runs the block at all times but one: while an item
/// runs. So who holds the lock and finds an item running may use it as it
/// stands; and as long as they hold it the item, should it come to an end after
/// all, has no way to be answered.
#[derive(Debug, Default)]
pub struct Draft {
    /// What is finished and was not sent.
    pub answer: Answer,
    /// The item that is running.
    pub running: Option<RunningItem>,
}

/// An item that is running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningItem {
    /// Its index in the input.
    pub index: u64,
    /// Since when, on its host's clock ([`Host::now_ns`]).
    pub since_ns: u64,
}

impl Draft {
    /// Locks a draft, whatever became of those who held it before.
    pub fn lock(draft: &Mutex<Self>) -> MutexGuard<'_, Self> {
        draft.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An answer at hand.
enum AnswerAccess<'h> {
    /// Nobody else looks at it.
    Own(&'h mut Answer),
    /// Others may, while an item runs: then it is not held.
    Shared { draft: &'h Mutex<Draft>, held: Option<MutexGuard<'h, Draft>> },
}

impl AnswerAccess<'_> {
    /// The answer, taken back first if it was lent. Called for every item: what
    /// nobody else looks at costs a comparison here and no more.
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

/// Which items are run again at once, by whoever has just run them, and how often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// How many times more; `None`: until they succeed.
    pub times: Option<u32>,
    /// Items that failed.
    pub failed: bool,
    /// Items whose own process, a program that a worker has started for them, crashed.
    pub crashed: bool,
}

impl Again {
    /// None, never.
    pub const NEVER: Self = Self { times: Some(0), failed: false, crashed: false };

    /// Whether there is anything that would be run again.
    #[must_use]
    pub fn is_never(&self) -> bool {
        self.times == Some(0) || !(self.failed || self.crashed)
    }

    /// Whether an item that has ended like this, after so many runs, is run again.
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

/// Where a running block puts its results.
pub struct Reply<'h> {
    host: &'h mut dyn Host,
    answer_access: AnswerAccess<'h>,
    each: bool,
    again: Again,
    max_result: usize,
    part_started_ns: u64,
    /// How many items may pass each time without a look at the clock, and how
    /// many still may.
    unlooked: (u32, u32),
}

/// Where items are cheap, so many pass without a look at the clock: so few that
/// it is no matter if one of them turns out to be dear.
const UNLOOKED: u32 = 3;
/// Items are cheap below this, in nanoseconds.
const CHEAP_NS: u64 = 100_000;

impl<'h> Reply<'h> {
    /// A reply for one block. `each` sends after every item; no result may be
    /// longer than `max_result` bytes.
    pub fn new(host: &'h mut dyn Host, answer: &'h mut Answer, each: bool, max_result: usize) -> Self {
        Self::on(host, AnswerAccess::Own(answer), each, max_result)
    }

    /// The same on an answer that others may take over while an item runs.
    pub fn shared(host: &'h mut dyn Host, draft: &'h Mutex<Draft>, each: bool, max_result: usize) -> Self {
        Self::on(host, AnswerAccess::Shared { draft, held: None }, each, max_result)
    }

    fn on(host: &'h mut dyn Host, mut answer_access: AnswerAccess<'h>, each: bool, max_result: usize) -> Self {
        answer_access.answer().clear();
        let part_started_ns = host.now_ns();
        Self { host, answer_access, each, again: Again::NEVER, max_result, part_started_ns, unlooked: (0, 0) }
    }

    /// Has items run again that came to such an end.
    #[must_use]
    pub fn trying(mut self, again: Again) -> Self {
        self.again = again;
        self
    }

    /// The surroundings.
    pub fn host(&mut self) -> &mut dyn Host {
        self.host
    }

    /// The answer being put together.
    #[inline]
    pub fn answer(&mut self) -> &mut Answer {
        self.answer_access.answer()
    }

    /// Whether every item is answered by itself.
    #[must_use]
    pub fn is_each(&self) -> bool {
        self.each
    }

    /// Whether somebody may look at the item that runs, to end it in time: then
    /// what was finished before it has to be in the answer by then.
    #[must_use]
    pub fn is_watched(&self) -> bool {
        matches!(self.answer_access, AnswerAccess::Shared { .. })
    }

    /// Longest result that an item may have, in bytes.
    #[must_use]
    pub fn max_result(&self) -> usize {
        self.max_result
    }

    /// Whether an item that came to this end, after so many runs, is to be run again.
    #[must_use]
    pub fn tries_again(&self, kind: FailureKind, runs: u32) -> bool {
        self.again.applies(kind, runs)
    }

    /// Tells the person who waits something that they should know: once, in a
    /// sentence or two.
    pub fn note(&mut self, text: &str) {
        self.host.note(text);
    }

    /// More output of the program that ran this item may have been on its way
    /// when it was given up. To be called before the item is counted.
    pub fn output_cut(&mut self, index: u64) {
        self.host.output_cut(index);
    }

    /// The program that this worker's items depend on has ended like this: sends
    /// what is finished and ends this process in the same way, so that whatever
    /// is done about a dead worker is done about that. Returns where there is no
    /// process of the worker's own to end.
    pub fn die(&mut self, end: ProcessEnd) {
        self.stamp();
        let answer = self.answer_access.answer();
        self.host.die(answer, end);
    }

    /// The item of this index starts now: to be called before each. Returns the
    /// time where that is asked for, else perhaps 0.
    #[inline]
    pub fn item_starts(&mut self, index: u64, wants_time: bool) -> u64 {
        if matches!(self.answer_access, AnswerAccess::Shared { .. }) {
            return self.lend(index);
        }
        if wants_time { self.host.now_ns() } else { 0 }
    }

    /// As [`Self::item_starts`], for an item that was just run and failed.
    pub fn item_starts_again(&mut self, index: u64, wants_time: bool) -> u64 {
        if matches!(self.answer_access, AnswerAccess::Shared { .. }) {
            // Whoever looks at the item must not find it while its host speaks.
            self.answer_access.answer();
            self.host.item_starts_again();
        }
        self.item_starts(index, wants_time)
    }

    /// Lets go of the answer until it is next asked for.
    #[inline(never)]
    fn lend(&mut self, index: u64) -> u64 {
        let since_ns = self.host.now_ns();
        if let AnswerAccess::Shared { draft, held } = &mut self.answer_access {
            let mut open = held.take().unwrap_or_else(|| Draft::lock(draft));
            open.running = Some(RunningItem { index, since_ns });
            // What it would have to say if this item were its last.
            open.answer.busy_ns = since_ns.saturating_sub(self.part_started_ns);
            self.host.item_starts(index);
        }
        since_ns
    }

    /// The record of the next item is complete: counts it, and sends what there
    /// is when it is time to. `now_ns` is the time, if it was just read.
    #[inline]
    pub fn item_done(&mut self, now_ns: Option<u64>) {
        let answer = self.answer_access.answer();
        answer.items += 1;
        if self.each || answer.bytes() >= SEND_BYTES || self.is_due(now_ns) {
            self.send();
        }
    }

    /// As [`Self::item_done`], for an item of so many cheap ones that what is
    /// finished may wait for some more of them: looks at no clock.
    #[inline]
    pub fn cheap_item_done(&mut self) {
        let answer = self.answer_access.answer();
        answer.items += 1;
        if self.each || answer.bytes() >= SEND_BYTES {
            self.send();
        }
    }

    /// An item took so long, as far as somebody looked.
    pub fn item_took(&mut self, item_ns: u64) {
        self.unlooked.0 = if item_ns < CHEAP_NS { UNLOOKED } else { 0 };
    }

    /// Whether it is time to send; looks at the clock only now and then while
    /// items are cheap, unless the time is at hand anyway.
    #[inline]
    fn is_due(&mut self, now_ns: Option<u64>) -> bool {
        let (most, left) = self.unlooked;
        if now_ns.is_none() && left > 0 {
            self.unlooked.1 = left - 1;
            return false;
        }
        let due = self.host.is_due(now_ns);
        // What was cheap may have become dear.
        self.unlooked = if due { (0, 0) } else { (most, most) };
        due
    }

    /// As [`Self::item_done`] for many items at once.
    pub fn items_done(&mut self, items: u32) {
        self.answer().items += items;
    }

    fn send(&mut self) {
        self.stamp();
        let answer = self.answer_access.answer();
        self.host.send(answer);
        answer.clear();
    }

    /// Ends the block; what is left in the answer is its last part.
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
