//! A simulated worker: it holds the attempts that it was sent, runs them in virtual
//! time, and has the faults that the run draws.

use std::collections::VecDeque;
use std::time::Duration;

use procession_scheduler::{AttemptId, Fault, JobId, SchedulerEvent, WorkerId};

use super::config::MILLI;

/// A worker answers, between two items, when it has sent nothing for this long.
const ANSWER_INTERVAL: u64 = 10 * MILLI;

/// An attempt that it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) attempt: AttemptId,
    pub(crate) job: JobId,
    /// The index of the attempt's first item in the whole input.
    pub(crate) first: u64,
    pub(crate) items: u32,
    pub(crate) each: bool,
    pub(crate) run: u32,
    pub(crate) told: u32,
}

#[derive(Debug)]
pub(crate) struct SimulatedWorker {
    pub(crate) id: WorkerId,
    pub(crate) tasks: VecDeque<Task>,
    pub(crate) ready: bool,
    pub(crate) dead: bool,
    pub(crate) running: bool,
    /// The arrival time of its last message: messages stay in order.
    pub(crate) last_arrival: u64,
    last_answer: u64,
    busy: u64,
    /// The last complete answer, to be sent twice.
    pub(crate) last_said: Option<SchedulerEvent>,
}

impl SimulatedWorker {
    pub(crate) fn new(id: WorkerId) -> Self {
        Self {
            id,
            tasks: VecDeque::new(),
            ready: false,
            dead: false,
            running: false,
            last_arrival: 0,
            last_answer: 0,
            busy: 0,
            last_said: None,
        }
    }

    /// The next item to run: its job and its index in the input.
    pub(crate) fn next_item(&self) -> Option<(JobId, u64)> {
        if !self.ready || self.dead || self.running {
            return None;
        }
        self.tasks.front().map(|task| (task.job, task.first + u64::from(task.run)))
    }

    /// It has run an item; returns its message, if it sends one now.
    pub(crate) fn on_item_run(&mut self, now: u64, took: u64, result_bytes: u64) -> Option<SchedulerEvent> {
        self.running = false;
        self.busy += took;
        let task = self.tasks.front_mut()?;
        task.run += 1;
        let is_whole = task.run == task.items;
        if !is_whole && !task.each && now - self.last_answer < ANSWER_INTERVAL {
            return None;
        }
        let items = task.run - task.told;
        task.told = task.run;
        let said = SchedulerEvent::Answered {
            worker: self.id,
            attempt: task.attempt,
            items,
            bytes: u64::from(items) * result_bytes,
            busy: Duration::from_nanos(std::mem::take(&mut self.busy)),
        };
        self.last_answer = now;
        if is_whole {
            self.tasks.pop_front();
            self.last_said = Some(said.clone());
        }
        Some(said)
    }

    /// It names the item that it is running.
    pub(crate) fn abort(&self, fault: Fault) -> Option<SchedulerEvent> {
        let task = self.tasks.front()?;
        let (worker, attempt, offset) = (self.id, task.attempt, task.run);
        Some(SchedulerEvent::Aborting { worker, attempt, offset, fault })
    }
}
