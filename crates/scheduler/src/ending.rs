//! The end of workers, of jobs and of the pool.
//!
//! A worker that is not needed any more is retired: it may say farewell and
//! goes by itself. One that must go is terminated. Either is killed if it has
//! not gone when its grace is over. How it went then means nothing for any
//! item.

use crate::worker::{End, State};
use crate::{Action, JobId, RunTime, Scheduler};

/// How far the life of the pool has got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Jobs may come.
    Open,
    /// No more will come; those that are open are being done.
    Closing,
    /// Every worker is being ended.
    Ending,
    /// Every worker has ended.
    Closed,
}

impl Phase {
    pub(crate) fn takes_jobs(self) -> bool {
        self == Self::Open
    }

    /// Whether work is given out.
    pub(crate) fn is_running(self) -> bool {
        matches!(self, Self::Open | Self::Closing)
    }
}

impl Scheduler {
    pub(crate) fn on_stopped(&mut self, id: JobId) {
        if self.jobs.contains_key(&id) {
            self.finish(id, true);
        }
    }

    pub(crate) fn finish_if_done(&mut self, id: JobId) {
        if self.jobs.get(&id).is_some_and(crate::job::Job::is_done) {
            self.finish(id, false);
        }
    }

    /// Forgets a job. What is still in workers is discarded when it comes.
    fn finish(&mut self, id: JobId, stopped: bool) {
        self.jobs.remove(&id);
        self.workable.remove(&id);
        self.cutting.take_if(|cutting| cutting.job == id);
        self.actions.push_back(Action::JobDone { job: id, stopped });
    }

    pub(crate) fn on_close(&mut self) {
        if self.phase == Phase::Open {
            self.phase = Phase::Closing;
        }
    }

    /// Once no job is left of a pool that is closing, its workers go.
    pub(crate) fn retire_if_done(&mut self, now: RunTime) {
        if self.phase == Phase::Closing && self.jobs.is_empty() {
            self.phase = Phase::Ending;
            for slot in 0..self.roster.slots() {
                self.retire(now, slot);
            }
            self.close_if_empty();
        }
    }

    /// Drops all work and ends all workers: those that are already being ended
    /// more gently too.
    pub(crate) fn end_all(&mut self, now: RunTime, end: End) {
        if self.phase == Phase::Closed {
            return;
        }
        self.phase = Phase::Ending;
        while let Some((&id, _)) = self.jobs.first_key_value() {
            self.finish(id, true);
        }
        for slot in 0..self.roster.slots() {
            match end {
                End::Terminated => self.terminate(now, slot),
                _ => self.kill(slot, end),
            }
        }
        self.close_if_empty();
    }

    pub(crate) fn close_if_empty(&mut self) {
        if self.phase == Phase::Ending && self.roster.living() == 0 {
            self.phase = Phase::Closed;
            self.actions.push_back(Action::Closed);
        }
    }

    /// Asks a worker to end that is not being ended.
    pub(crate) fn retire(&mut self, now: RunTime, slot: u32) {
        let Some(worker) = self.roster.worker_mut(slot) else {
            return;
        };
        if !worker.is_ending() {
            worker.state = State::Ending(End::Retired);
            let worker = worker.id;
            self.actions.push_back(Action::Retire { worker });
            self.roster.set_deadline(slot, Some(now + self.options.grace));
            self.roster.relist(slot);
        }
    }

    fn terminate(&mut self, now: RunTime, slot: u32) {
        let Some(worker) = self.roster.worker_mut(slot) else {
            return;
        };
        if matches!(worker.state, State::Ending(end) if end != End::Retired) {
            return;
        }
        worker.state = State::Ending(End::Terminated);
        let worker = worker.id;
        self.actions.push_back(Action::Terminate { worker });
        self.roster.set_deadline(slot, Some(now + self.options.grace));
        self.roster.relist(slot);
    }

    /// Kills a worker that was not killed before.
    pub(crate) fn kill(&mut self, slot: u32, end: End) {
        let Some(worker) = self.roster.worker_mut(slot) else {
            return;
        };
        if !matches!(worker.state, State::Ending(end) if end.is_killed()) {
            worker.state = State::Ending(end);
            let worker = worker.id;
            self.actions.push_back(Action::Kill { worker });
            self.roster.set_deadline(slot, None);
            self.roster.relist(slot);
        }
    }
}
