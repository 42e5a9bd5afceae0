//! One job: its input, its chunks, the ranges to be sent again, its memory window,
//! and the measured cost of its items.

use std::collections::VecDeque;
use std::time::Duration;

use super::attempt::{Attempt, AttemptMode, ItemRange};
use super::chunks::{ChunkTable, Step};
use super::retry::RetryQueue;
use super::sizing::Sizing;
use super::window::{CHUNK_OVERHEAD, Window};
use crate::model::{Action, AttemptId, ChunkId, Fault, JobId, JobOptions};

/// How much longer than an item's timeout a worker may send nothing. The worker's
/// own watchdog reports a timeout exactly. This limit is for a worker whose
/// watchdog cannot run, and must not come before a watchdog that can.
pub const SILENCE_GRACE: Duration = Duration::from_secs(1);

/// The state of a job's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InputState {
    /// There may be items to cut.
    Ready,
    /// No items now.
    Pending,
    /// No more items.
    Ended,
}

/// What happens to an item after an attempt was charged to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryDecision {
    Retry,
    /// It has failed for good, after this many attempts.
    Failed {
        attempts: u32,
    },
}

#[derive(Debug)]
pub(crate) struct ScheduledJob {
    id: JobId,
    options: JobOptions,
    /// The number of the pool's next attempt when the job was opened.
    first_attempt: AttemptId,
    pub(crate) input: InputState,
    pub(crate) chunks: ChunkTable,
    pub(crate) retries: RetryQueue,
    /// The number of `retries` that the scheduler has counted.
    pub(crate) counted_ranges: usize,
    pub(crate) window: Window,
    pub(crate) sizing: Sizing,
}

impl ScheduledJob {
    pub(crate) fn new(id: JobId, options: JobOptions, slots: u32, first_attempt: AttemptId) -> Self {
        Self {
            id,
            first_attempt,
            input: InputState::Ready,
            chunks: ChunkTable::new(options.ordered),
            retries: RetryQueue::default(),
            counted_ranges: 0,
            window: Window::new(options.window_bytes),
            sizing: Sizing::new(&options, slots),
            options,
        }
    }

    /// Whether there is something to send, as far as is known.
    pub(crate) fn has_work(&self) -> bool {
        !self.retries.is_empty() || self.can_cut()
    }

    /// Whether there may be items to cut, and room for them.
    pub(crate) fn can_cut(&self) -> bool {
        self.input == InputState::Ready && self.window.has_room()
    }

    /// Whether an attempt with this job's id belongs to this job, and not to a stopped
    /// job that had the same id.
    pub(crate) fn has_sent(&self, attempt: AttemptId) -> bool {
        self.first_attempt <= attempt
    }

    pub(crate) fn is_done(&self) -> bool {
        self.input == InputState::Ended && self.chunks.is_empty()
    }

    /// How long a worker that runs this job may send nothing.
    fn silence(&self) -> Option<Duration> {
        self.options.timeout.map(|timeout| timeout.saturating_add(SILENCE_GRACE))
    }

    pub(crate) fn on_cut(&mut self, items: u32, bytes: u64) -> ChunkId {
        self.window.take(bytes.saturating_add(CHUNK_OVERHEAD));
        self.sizing.on_cut(items);
        self.chunks.add(items, bytes)
    }

    /// An attempt at a range, with this id.
    pub(crate) fn attempt(&self, id: AttemptId, range: ItemRange, mode: AttemptMode) -> Attempt {
        Attempt {
            id,
            job: self.id,
            range,
            answered: 0,
            mode,
            cost: self.sizing.estimate(range.items),
            bytes: self.chunks.bytes(range.chunk, range.items),
            silence: self.silence(),
        }
    }

    /// A range has its outcome, of this many bytes. Delivers every range whose turn has
    /// come.
    pub(crate) fn settle(&mut self, range: ItemRange, bytes: u64, actions: &mut VecDeque<Action>) {
        let job = self.id;
        self.window.take(bytes);
        self.retries.on_settled(range);
        self.chunks.settle(range, |step| match step {
            Step::Deliver(ItemRange { chunk, from, items }) => {
                actions.push_back(Action::Deliver { job, chunk, from, items });
            }
            Step::Forget(chunk, bytes) => {
                self.window.give_back(bytes);
                actions.push_back(Action::Forget { job, chunk });
            }
            Step::Gone => self.window.give_back(CHUNK_OVERHEAD),
        });
    }

    /// Charges an attempt to an item. The item is retried alone, unless it has no
    /// retries left.
    pub(crate) fn charge(&mut self, chunk: ChunkId, item: u32, fault: Fault) -> RetryDecision {
        let attempts = self.retries.charge(chunk, item);
        if self.may_retry(fault) && self.options.retries.is_none_or(|retries| attempts <= retries) {
            self.retries.push(ItemRange { chunk, from: item, items: 1 }, AttemptMode::Alone);
            RetryDecision::Retry
        } else {
            RetryDecision::Failed { attempts }
        }
    }

    fn may_retry(&self, fault: Fault) -> bool {
        match fault {
            Fault::Crashed => self.options.retry_crashed,
            Fault::TimedOut => self.options.retry_timed_out,
            Fault::OutOfMemory => self.options.retry_out_of_memory,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(options: JobOptions) -> ScheduledJob {
        ScheduledJob::new(JobId(0), options, 2, AttemptId(0))
    }

    #[test]
    fn an_item_is_retried_as_often_as_allowed() {
        let mut job = job(JobOptions { retries: Some(1), ..JobOptions::default() });
        let chunk = job.on_cut(1, 10);
        assert_eq!(job.charge(chunk, 0, Fault::Crashed), RetryDecision::Retry);
        assert_eq!(job.charge(chunk, 0, Fault::Crashed), RetryDecision::Failed { attempts: 2 });
    }

    #[test]
    fn a_fault_without_retry_is_final_whatever_came_before() {
        let mut job = job(JobOptions { retries: None, ..JobOptions::default() });
        let chunk = job.on_cut(1, 10);
        assert_eq!(job.charge(chunk, 0, Fault::OutOfMemory), RetryDecision::Retry);
        assert_eq!(job.charge(chunk, 0, Fault::TimedOut), RetryDecision::Failed { attempts: 2 });
    }

    #[test]
    fn nothing_is_held_when_all_is_written() {
        let mut job = job(JobOptions::default());
        let mut actions = VecDeque::new();
        let chunk = job.on_cut(2, 10);
        assert_eq!(job.window.held(), 10 + CHUNK_OVERHEAD);
        job.settle(ItemRange { chunk, from: 0, items: 1 }, 7, &mut actions);
        assert_eq!(job.window.held(), 17 + CHUNK_OVERHEAD);
        job.settle(ItemRange { chunk, from: 1, items: 1 }, 5, &mut actions);
        assert_eq!(job.window.held(), 12);
        job.window.give_back(12);
        assert_eq!(job.window.held(), 0);
        assert!(!job.is_done(), "its input has not ended");
        job.input = InputState::Ended;
        assert!(job.is_done());
    }

    #[test]
    fn a_full_window_has_work_only_if_there_are_retries() {
        let mut job = job(JobOptions { window_bytes: 1, ..JobOptions::default() });
        assert!(job.has_work());
        let chunk = job.on_cut(1, 10);
        assert!(!job.has_work());
        job.retries.push(ItemRange { chunk, from: 0, items: 1 }, AttemptMode::Plain);
        assert!(job.has_work());
    }
}
