//! Events of a job: it begins, a part of its input was cut, results were written.

use super::scheduler::Scheduler;
use crate::jobs::{AttemptMode, InputState, ItemRange, ScheduledJob};
use crate::model::{Action, AttemptId, JobId, JobOptions, RunTime};

impl Scheduler {
    pub(crate) fn on_opened(&mut self, id: JobId, options: JobOptions) {
        if self.jobs.contains_key(&id) {
            return;
        }
        if !self.phase.takes_jobs() {
            self.actions.push_back(Action::JobDone { job: id, stopped: true });
            return;
        }
        let next = AttemptId(self.next_attempt);
        let job = ScheduledJob::new(id, options, self.roster.slots(), next);
        self.jobs.insert(id, job);
        self.workable.insert(id);
    }

    pub(crate) fn on_input_ready(&mut self, id: JobId) {
        if let Some(job) = self.jobs.get_mut(&id)
            && job.input == InputState::Pending
        {
            job.input = InputState::Ready;
            self.refresh(id);
        }
    }

    pub(crate) fn on_remaining(&mut self, id: JobId, items: u64) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.sizing.on_remaining(items);
        }
    }

    pub(crate) fn on_released(&mut self, id: JobId, bytes: u64) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.window.give_back(bytes);
            self.refresh(id);
        }
    }

    /// No chunk was cut: there are no items now, or no more items.
    pub(crate) fn on_nothing_cut(&mut self, id: JobId, input: InputState) {
        self.cutting.take_if(|cutting| cutting.job == id);
        if let Some(job) = self.jobs.get_mut(&id)
            && job.input != InputState::Ended
        {
            job.input = input;
            self.refresh(id);
            self.finish_if_done(id);
        }
    }

    /// A chunk was cut for the worker that needs one. If that worker is gone, or no
    /// worker needed it, the chunk is queued with the retries.
    pub(crate) fn on_cut(&mut self, now: RunTime, id: JobId, items: u32, bytes: u64) {
        let cutting = self.cutting.take_if(|cutting| cutting.job == id);
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let chunk = job.on_cut(items, bytes);
        let range = ItemRange { chunk, from: 0, items };
        let taker = cutting
            .and_then(|cutting| self.roster.slot_of(cutting.worker?))
            .filter(|&slot| self.roster.worker(slot).is_some_and(|worker| worker.is_listed()));
        match taker {
            Some(slot) => self.send(now, slot, id, range, AttemptMode::Plain),
            None => job.retries.push(range, AttemptMode::Plain),
        }
        self.refresh(id);
    }
}
