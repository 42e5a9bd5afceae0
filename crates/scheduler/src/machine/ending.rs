//! The end of workers, of jobs and of the pool.
//!
//! A worker that is no longer needed is retired: it sends a last message and exits
//! by itself. A worker that must end is terminated. Both are killed if they outlive
//! the grace period. How such a worker ended has no consequences for any item.

use super::phase::PoolPhase;
use super::scheduler::Scheduler;
use crate::jobs::ScheduledJob;
use crate::model::{Action, JobId, RunTime};
use crate::workers::{EndReason, WorkerState};

impl Scheduler {
    pub(crate) fn on_stopped(&mut self, id: JobId) {
        if self.jobs.contains_key(&id) {
            self.finish(id, true);
        }
    }

    pub(crate) fn finish_if_done(&mut self, id: JobId) {
        if self.jobs.get(&id).is_some_and(ScheduledJob::is_done) {
            self.finish(id, false);
        }
    }

    /// Closes a job. Later answers of workers that still run its items are discarded.
    fn finish(&mut self, id: JobId, stopped: bool) {
        if let Some(job) = self.jobs.remove(&id) {
            self.waiting -= job.counted_ranges;
        }
        self.workable.remove(&id);
        self.cutting.take_if(|cutting| cutting.job == id);
        self.actions.push_back(Action::JobDone { job: id, stopped });
    }

    pub(crate) fn on_close(&mut self) {
        if self.phase == PoolPhase::Open {
            self.phase = PoolPhase::Closing;
        }
    }

    /// If the pool is closing and no job is left, all workers are retired.
    pub(crate) fn retire_if_done(&mut self, now: RunTime) {
        if self.phase == PoolPhase::Closing && self.jobs.is_empty() {
            self.phase = PoolPhase::Ending;
            for slot in 0..self.roster.slots() {
                self.retire(now, slot);
            }
            self.close_if_empty();
        }
    }

    /// Drops all work and ends all workers, including those that are being ended more
    /// gently.
    pub(crate) fn end_all(&mut self, now: RunTime, end: EndReason) {
        if self.phase == PoolPhase::Closed {
            return;
        }
        self.phase = PoolPhase::Ending;
        while let Some((&id, _)) = self.jobs.first_key_value() {
            self.finish(id, true);
        }
        for slot in 0..self.roster.slots() {
            match end {
                EndReason::Terminated => self.terminate(now, slot),
                _ => self.kill(slot, end),
            }
        }
        self.close_if_empty();
    }

    pub(crate) fn close_if_empty(&mut self) {
        if self.phase == PoolPhase::Ending && self.roster.living() == 0 {
            self.phase = PoolPhase::Closed;
            self.actions.push_back(Action::Closed);
        }
    }

    /// Retires a worker, unless it is being ended already.
    pub(crate) fn retire(&mut self, now: RunTime, slot: u32) {
        let Some(worker) = self.roster.worker_mut(slot) else {
            return;
        };
        if !worker.is_ending() {
            worker.state = WorkerState::Ending(EndReason::Retired);
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
        if matches!(worker.state, WorkerState::Ending(end) if end != EndReason::Retired) {
            return;
        }
        worker.state = WorkerState::Ending(EndReason::Terminated);
        let worker = worker.id;
        self.actions.push_back(Action::Terminate { worker });
        self.roster.set_deadline(slot, Some(now + self.options.grace));
        self.roster.relist(slot);
    }

    /// Kills a worker, unless it was killed already.
    pub(crate) fn kill(&mut self, slot: u32, end: EndReason) {
        let Some(worker) = self.roster.worker_mut(slot) else {
            return;
        };
        let Some(reason) = end.kill_reason() else {
            return;
        };
        if !matches!(worker.state, WorkerState::Ending(end) if end.is_killed()) {
            worker.state = WorkerState::Ending(end);
            let worker = worker.id;
            self.actions.push_back(Action::Kill { worker, reason });
            self.roster.set_deadline(slot, None);
            self.roster.relist(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::machine::test_rig::{JOB, Rig};
    use crate::model::{JobId, JobOptions, SchedulerEvent};
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(60);
    const NOTHING: [&str; 0] = [];

    fn busy() -> Rig {
        let mut rig = Rig::ready(2);
        rig.open(9, JobOptions::default());
        rig
    }

    #[test]
    fn a_pool_is_closed_when_its_last_job_is_done() {
        let mut rig = Rig::ready(2);
        rig.open(1, JobOptions::default());
        assert_eq!(rig.tell(SchedulerEvent::Close), NOTHING);
        assert_eq!(rig.answer(0, 0, 1)[2..], ["deliver 0:0+1", "done 0", "retire 0", "retire 1"]);
        assert_eq!(rig.end(1), NOTHING);
        assert_eq!(rig.end(0), ["closed"]);
    }

    #[test]
    fn a_worker_that_does_not_retire_is_killed() {
        let mut rig = Rig::ready(1);
        assert_eq!(rig.tell(SchedulerEvent::Close), ["retire 0"]);
        assert_eq!(rig.now.since_start(), Duration::ZERO);
        let mut lines = rig.wait(LONG);
        while lines.is_empty() {
            lines = rig.wait(LONG);
        }
        assert_eq!(lines, ["kill 0: GraceExpired"]);
        assert_eq!(rig.now.since_start(), Duration::from_secs(2));
        assert_eq!(rig.end(0), ["closed"]);
    }

    #[test]
    fn terminate_drops_all_work_and_charges_no_item() {
        let mut rig = busy();
        assert_eq!(rig.tell(SchedulerEvent::Terminate), ["stopped 0", "terminate 0", "terminate 1"]);
        assert_eq!(rig.tell(SchedulerEvent::Terminate), NOTHING);
        assert_eq!(rig.answer(0, 0, 1), ["discard 0 of 0"]);
        assert_eq!(rig.end(0), NOTHING);
        assert_eq!(rig.tell(SchedulerEvent::Kill), ["kill 1: PoolEnds"]);
        assert_eq!(rig.end(1), ["closed"]);
    }

    #[test]
    fn kill_kills_at_once_and_once() {
        let mut rig = busy();
        assert_eq!(rig.tell(SchedulerEvent::Kill), ["stopped 0", "kill 0: PoolEnds", "kill 1: PoolEnds"]);
        assert_eq!(rig.tell(SchedulerEvent::Kill), NOTHING);
        assert_eq!(rig.tell(SchedulerEvent::Terminate), NOTHING);
    }

    #[test]
    fn a_stopped_job_gets_nothing_more_and_its_answers_are_dropped() {
        let mut rig = busy();
        assert_eq!(rig.tell(SchedulerEvent::JobStopped { job: JOB }), ["stopped 0"]);
        assert_eq!(rig.tell(SchedulerEvent::JobStopped { job: JOB }), NOTHING);
        assert_eq!(rig.answer(0, 0, 1), ["discard 0 of 0"]);
        assert_eq!(rig.end(1), NOTHING);
    }

    #[test]
    fn a_job_opened_after_close_is_stopped() {
        let mut rig = Rig::ready(1);
        rig.tell(SchedulerEvent::Close);
        let late = SchedulerEvent::JobOpened { job: JobId(5), options: JobOptions::default() };
        assert_eq!(rig.tell(late), ["stopped 5"]);
    }
}
