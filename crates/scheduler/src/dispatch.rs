//! Giving work to workers.
//!
//! The oldest job that has work goes first, and in it what has to be sent
//! again, the oldest item first; only then is something new cut. It goes to a
//! worker that holds nothing; if there is none and a slot is empty, to a new
//! worker; else to the one that holds least of those that should get more.
//! While something waits that needs a worker for itself, nobody is topped up:
//! so one soon holds nothing.

use crate::job::{Input, Job};
use crate::queue::Attempt;
use crate::retry::{Manner, Range};
use crate::worker::State;
use crate::{Action, AttemptId, JobId, JobOptions, RunTime, Scheduler, WorkerId};

/// For whom the driver is cutting a chunk.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cutting {
    pub(crate) job: JobId,
    worker: WorkerId,
}

impl Scheduler {
    pub(crate) fn on_opened(&mut self, id: JobId, options: JobOptions) {
        if self.jobs.contains_key(&id) {
            return;
        }
        if !self.phase.takes_jobs() {
            self.actions.push_back(Action::JobDone { job: id, stopped: true });
            return;
        }
        self.jobs.insert(id, Job::new(id, options, self.roster.slots()));
        self.workable.insert(id);
    }

    pub(crate) fn on_input_ready(&mut self, id: JobId) {
        if let Some(job) = self.jobs.get_mut(&id)
            && job.input == Input::Pending
        {
            job.input = Input::Ready;
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

    /// Nothing was cut, or nothing will be.
    pub(crate) fn on_nothing_cut(&mut self, id: JobId, input: Input) {
        self.cutting.take_if(|cutting| cutting.job == id);
        if let Some(job) = self.jobs.get_mut(&id)
            && job.input != Input::Ended
        {
            job.input = input;
            self.refresh(id);
            self.finish_if_done(id);
        }
    }

    /// A chunk was cut, for the worker that wanted one; should that be gone, or
    /// nobody have asked, the chunk waits with those that are sent again.
    pub(crate) fn on_cut(&mut self, now: RunTime, id: JobId, items: u32, bytes: u64) {
        let cutting = self.cutting.take_if(|cutting| cutting.job == id);
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let chunk = job.on_cut(items, bytes);
        let range = Range { chunk, from: 0, items };
        let taker = cutting
            .and_then(|cutting| self.roster.slot_of(cutting.worker))
            .filter(|&slot| self.roster.worker(slot).is_some_and(|worker| worker.is_listed()));
        match taker {
            Some(slot) => self.send(now, slot, id, range, Manner::Plain),
            None => job.retries.push(range, Manner::Plain),
        }
        self.refresh(id);
    }

    /// Lists a job as having work, or not, after anything about it has changed.
    pub(crate) fn refresh(&mut self, id: JobId) {
        if self.jobs.get(&id).is_some_and(Job::has_work) {
            self.workable.insert(id);
        } else {
            self.workable.remove(&id);
        }
    }

    /// Whether work waits that only a new worker could take.
    pub(crate) fn wants_spawn(&self) -> bool {
        self.phase.is_running()
            && self.cutting.is_none()
            && !self.workable.is_empty()
            && self.roster.first_vacant().is_some()
    }

    /// Sends what can be sent, until the driver has to cut something first.
    pub(crate) fn dispatch(&mut self, now: RunTime) {
        while self.phase.is_running() && self.cutting.is_none() {
            let Some(&job) = self.workable.first() else {
                return;
            };
            let Some(slot) = self.taker(now, job) else {
                return;
            };
            self.give(now, slot, job);
        }
    }

    /// Who is to get something of this job.
    fn taker(&mut self, now: RunTime, id: JobId) -> Option<u32> {
        if let Some(slot) = self.roster.first_idle().or_else(|| self.spawn(now)) {
            return Some(slot);
        }
        let job = self.jobs.get(&id)?;
        if job.retries.has_exclusive() || job.sizing.is_dear() {
            return None;
        }
        while let Some(slot) = self.roster.first_hungry() {
            if self.roster.worker(slot)?.is_familiar(id) {
                return Some(slot);
            }
            // Not again before it has answered something.
            self.roster.unlist(slot);
        }
        None
    }

    /// Gives a worker the next work of a job, or has it cut.
    fn give(&mut self, now: RunTime, slot: u32, id: JobId) {
        let living = self.roster.living();
        let Some(worker) = self.roster.worker(slot) else {
            return;
        };
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let items = job.sizing.items(worker.is_familiar(id), living);
        let budget = u32::try_from(worker.budget).unwrap_or(u32::MAX);
        if let Some((range, manner)) = job.retries.pop(items, budget) {
            self.send(now, slot, id, range, manner);
            self.refresh(id);
        } else {
            let max_bytes = job.sizing.max_bytes();
            self.cutting = Some(Cutting { job: id, worker: worker.id });
            self.actions.push_back(Action::Cut { job: id, max_items: items.min(budget), max_bytes });
        }
    }

    fn send(&mut self, now: RunTime, slot: u32, id: JobId, range: Range, manner: Manner) {
        let Some(job) = self.jobs.get(&id) else {
            return;
        };
        let Some(worker) = self.roster.worker_mut(slot) else {
            return;
        };
        let attempt = AttemptId(self.next_attempt);
        self.next_attempt += 1;
        let was_empty = worker.queue.is_empty();
        worker.budget = worker.budget.saturating_sub(u64::from(range.items));
        worker.queue.push(Attempt {
            id: attempt,
            job: id,
            range,
            answered: 0,
            manner,
            cost: job.sizing.estimate(range.items),
            bytes: job.chunks.bytes(range.chunk, range.items),
            silence: job.silence(),
        });
        let Range { chunk, from, items } = range;
        let each = manner.is_exclusive();
        let worker = worker.id;
        self.actions.push_back(Action::Send { worker, attempt, job: id, chunk, from, items, each });
        if was_empty {
            self.listen(now, slot);
        }
        self.roster.relist(slot);
    }

    /// From now on a ready worker may say nothing only for so long.
    pub(crate) fn listen(&mut self, now: RunTime, slot: u32) {
        let Some(worker) = self.roster.worker(slot) else {
            return;
        };
        if worker.state == State::Ready {
            let silence = worker.queue.front().and_then(|first| first.silence);
            self.roster.set_deadline(slot, silence.map(|silence| now + silence));
        }
    }
}
