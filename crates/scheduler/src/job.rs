//! One job: its input, its chunks, what has to be sent again, its window, and
//! what it has learned of its items.

use std::collections::VecDeque;
use std::time::Duration;

use crate::chunks::{Chunks, Step};
use crate::retry::{Manner, Range, Retries};
use crate::sizing::Sizing;
use crate::window::{CHUNK_OVERHEAD, Window};
use crate::worker::SILENCE_GRACE;
use crate::{Action, ChunkId, Fault, JobId, JobOptions};

/// What is known of a job's input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// There may be something to cut.
    Ready,
    /// Nothing now.
    Pending,
    /// Nothing ever again.
    Ended,
}

/// What becomes of an item after an attempt was charged to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Again,
    /// It has failed, after so many attempts.
    Failed {
        attempts: u32,
    },
}

#[derive(Debug)]
pub(crate) struct Job {
    id: JobId,
    options: JobOptions,
    pub(crate) input: Input,
    pub(crate) chunks: Chunks,
    pub(crate) retries: Retries,
    pub(crate) window: Window,
    pub(crate) sizing: Sizing,
}

impl Job {
    pub(crate) fn new(id: JobId, options: JobOptions, slots: u32) -> Self {
        Self {
            id,
            input: Input::Ready,
            chunks: Chunks::new(options.ordered),
            retries: Retries::default(),
            window: Window::new(options.window_bytes),
            sizing: Sizing::new(&options, slots),
            options,
        }
    }

    /// Whether there is something to send, as far as is known.
    pub(crate) fn has_work(&self) -> bool {
        !self.retries.is_empty() || (self.input == Input::Ready && self.window.has_room())
    }

    pub(crate) fn is_done(&self) -> bool {
        self.input == Input::Ended && self.chunks.is_empty()
    }

    /// How long a worker that runs this job may say nothing.
    pub(crate) fn silence(&self) -> Option<Duration> {
        self.options.timeout.map(|timeout| timeout.saturating_add(SILENCE_GRACE))
    }

    pub(crate) fn on_cut(&mut self, items: u32, bytes: u64) -> ChunkId {
        self.window.take(bytes.saturating_add(CHUNK_OVERHEAD));
        self.sizing.on_cut(items);
        self.chunks.add(items, bytes)
    }

    /// A range has its outcome, of so many bytes: delivers what has its turn.
    pub(crate) fn settle(&mut self, range: Range, bytes: u64, actions: &mut VecDeque<Action>) {
        let job = self.id;
        self.window.take(bytes);
        self.retries.on_settled(range);
        self.chunks.settle(range, |step| match step {
            Step::Deliver(Range { chunk, from, items }) => {
                actions.push_back(Action::Deliver { job, chunk, from, items });
            }
            Step::Forget(chunk, bytes) => {
                self.window.give_back(bytes);
                actions.push_back(Action::Forget { job, chunk });
            }
            Step::Gone => self.window.give_back(CHUNK_OVERHEAD),
        });
    }

    /// Charges an attempt to an item, and has it run alone from now on, unless
    /// it has had enough.
    pub(crate) fn charge(&mut self, chunk: ChunkId, item: u32, fault: Fault) -> Verdict {
        let attempts = self.retries.charge(chunk, item);
        if self.may_retry(fault) && self.options.retries.is_none_or(|retries| attempts <= retries) {
            self.retries.push(Range { chunk, from: item, items: 1 }, Manner::Alone);
            Verdict::Again
        } else {
            Verdict::Failed { attempts }
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
