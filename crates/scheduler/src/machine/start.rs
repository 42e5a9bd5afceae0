//! Spawning workers, and giving up when no worker can be started.
//!
//! An empty slot is filled when there is work that no idle worker takes. A start
//! fails if the process cannot be created, ends before it is ready, is not ready
//! before the start timeout, or cannot start what its job needs, such as an
//! interpreter. While others work, the slot of a failed start rests for a growing
//! time. While nobody works, the start is tried again at once, but no more than
//! `start_failures` starts in a row, those under way included. If all of them have
//! failed, the run ends. Two cases are special (see
//! [`StartTracker`]):
//!
//! - *No process, memory or file descriptor is free*: not a failure. The spawn is
//!   tried again at growing intervals. The run ends if there is no worker for 30 s.
//! - *A start timed out and no worker has ever been ready*: if none of the
//!   started processes becomes ready either, the run ends. So a program that is
//!   not a worker ends the run after one start timeout, not several.
//!
//! [`StartTracker`]: crate::workers::StartTracker

use super::scheduler::Scheduler;
use crate::model::{Action, GiveUp, RunTime, WorkerId};
use crate::workers::{EndReason, LackVerdict, Worker, WorkerState, rest_after};

impl Scheduler {
    /// Whether there is an empty slot that may be filled now.
    pub(super) fn may_spawn(&self, now: RunTime) -> bool {
        self.roster.first_vacant().is_some() && self.starts.may_spawn(now)
    }

    /// Fills an empty slot.
    pub(super) fn spawn(&mut self, now: RunTime) -> Option<u32> {
        let slot = self.roster.first_vacant()?;
        let budget = self.options.max_tasks_per_worker.unwrap_or(u64::MAX).max(1);
        let (place, worker) = self.roster.occupy(slot, budget)?;
        self.starts.on_spawn(worker);
        self.first_chunks.on_spawn(now);
        self.actions.push_back(Action::Spawn { slot: place, worker });
        Some(slot)
    }

    pub(super) fn on_spawned(&mut self, now: RunTime, worker: WorkerId) {
        let Some(slot) = self.roster.slot_of(worker) else {
            return;
        };
        self.starts.on_created(worker);
        if self.roster.worker(slot).is_some_and(|worker| worker.state == WorkerState::Starting) {
            self.roster.set_deadline(slot, Some(now + self.options.start_timeout));
        }
    }

    pub(super) fn on_ready(&mut self, now: RunTime, id: WorkerId) {
        let Some(slot) = self.roster.slot_of(id) else {
            return;
        };
        let Some(worker) = self.roster.worker_mut(slot) else {
            return;
        };
        if worker.state != WorkerState::Starting {
            // Late or repeated: a worker that is being ended stays in that state.
            return;
        }
        worker.state = WorkerState::Ready;
        self.starts.on_ready(id);
        self.first_chunks.on_ready(now);
        self.roster.set_deadline(slot, None);
        self.roster.relist(slot);
    }

    pub(super) fn on_start_timeout(&mut self, slot: u32) {
        self.kill(slot, EndReason::StartTimedOut);
        self.starts.on_timeout();
    }

    /// A worker that is ready cannot start what its job needs.
    pub(super) fn on_refused(&mut self, id: WorkerId) {
        let Some(slot) = self.roster.slot_of(id) else {
            return;
        };
        match self.roster.worker(slot).map(|worker| worker.state) {
            Some(WorkerState::Starting) => self.kill(slot, EndReason::HandshakeFailed),
            Some(WorkerState::Ready) => self.kill(slot, EndReason::Refused),
            Some(WorkerState::Aborting { .. } | WorkerState::Ending(_)) | None => {}
        }
    }

    pub(super) fn on_spawn_failed(&mut self, now: RunTime, id: WorkerId, lasting: bool) {
        let Some(slot) = self.roster.slot_of(id) else {
            return;
        };
        let Some(gone) = self.roster.vacate(slot) else {
            return;
        };
        if lasting {
            self.on_start_failure(now, slot, &gone);
        } else if let LackVerdict::GiveUp { tries } = self.starts.on_lack(now, !self.roster.has_hope()) {
            self.give_up(now, tries);
        }
        // It was sent nothing, unless the driver is wrong.
        self.requeue_unchanged(gone.queue);
        self.close_if_empty();
    }

    /// A worker ended before it was ready or before it could run its job, or its
    /// process was never created.
    pub(super) fn on_start_failure(&mut self, now: RunTime, slot: u32, gone: &Worker) {
        let was_ready = matches!(gone.state, WorkerState::Ending(EndReason::Refused));
        // A worker that is ready may be about to refuse the job, too, until it has
        // answered an item.
        let works = |worker: &Worker| worker.state == WorkerState::Ready && (worker.is_proven || !was_ready);
        let others_work = self.roster.workers().any(|(_, worker)| works(worker));
        self.starts.on_failure(gone.id, was_ready, others_work);
        let failed = self.roster.note_failed_start(slot);
        let failures = self.starts.failures();
        let limit = self.options.start_failures.max(1);
        let hopeful = self.roster.hopeful();
        // Starts that are under way may bring the count to its limit, or somebody works.
        let is_enough = failures.saturating_add(hopeful) >= limit || self.starts.is_doubtful();
        if is_enough && hopeful == 0 {
            self.give_up(now, failures);
        } else if others_work || is_enough {
            self.roster.rest(slot, now + rest_after(failed));
        }
    }

    fn give_up(&mut self, now: RunTime, failures: u32) {
        if self.phase.is_running() {
            self.actions.push_back(Action::GiveUp { reason: GiveUp::CannotStart { failures } });
            self.end_all(now, EndReason::Terminated);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::machine::scheduler::Scheduler;
    use crate::machine::test_rig::Rig;
    use crate::model::{Action, ChunkSize, JobOptions, PoolOptions, SchedulerEvent, WorkerId};
    use std::num::NonZeroU32;
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(60);
    const NOTHING: [&str; 0] = [];

    fn fail(rig: &mut Rig, worker: u64, lasting: bool) -> Vec<String> {
        rig.tell(SchedulerEvent::SpawnFailed { worker: WorkerId(worker), lasting })
    }

    fn refuse(rig: &mut Rig, worker: u64) -> Vec<String> {
        let killed = rig.tell(SchedulerEvent::Refused { worker: WorkerId(worker) });
        assert_eq!(killed, [format!("kill {worker}: Refused")]);
        rig.end(worker)
    }

    fn one_by_one() -> JobOptions {
        JobOptions { chunk: ChunkSize::Fixed(NonZeroU32::MIN), ..JobOptions::default() }
    }

    /// Waits until something is requested; returns it and how long that took.
    fn next(rig: &mut Rig) -> (Vec<String>, Duration) {
        let begun = rig.now;
        loop {
            let lines = rig.wait(LONG);
            if !lines.is_empty() {
                return (lines, rig.now.saturating_since(begun));
            }
        }
    }

    #[test]
    fn a_missing_program_ends_the_run_at_once() {
        let mut rig = Rig::requested(PoolOptions::new(2));
        rig.open(2, JobOptions::default());
        assert_eq!(fail(&mut rig, 0, true), ["spawn 2 in 0"]);
        assert_eq!(fail(&mut rig, 1, true), NOTHING);
        assert_eq!(fail(&mut rig, 2, true), ["give up after 3", "stopped 0", "closed"]);
    }

    #[test]
    fn a_ready_worker_resets_the_count_of_failures() {
        let mut rig = Rig::new(PoolOptions::new(1));
        rig.open(9, JobOptions::default());
        for worker in 0..6 {
            if worker == 2 {
                rig.make_ready(worker);
            }
            let lines = rig.end(worker);
            assert_eq!(lines.iter().any(|line| line.starts_with("give up")), worker == 5, "{worker}: {lines:?}");
        }
    }

    #[test]
    fn failed_starts_wait_for_those_that_may_still_become_ready() {
        let mut rig = Rig::new(PoolOptions::new(2));
        rig.open(9, JobOptions::default());
        assert_eq!(rig.end(0), ["spawn 2 in 0"]);
        // The other worker may be the third in a row, or be ready in time.
        assert_eq!(rig.end(2), NOTHING);
        assert_eq!(rig.make_ready(1), ["send 0:0+1 as 0 to 1"]);
        assert_eq!(next(&mut rig), (vec!["spawn 4 in 0".to_owned()], Duration::from_secs(2)));
    }

    #[test]
    fn while_others_work_a_slot_rests_longer_and_longer() {
        let mut rig = Rig::ready(2);
        rig.open(90, one_by_one());
        rig.end(1);
        for (worker, rest) in [(3, 1), (5, 2), (7, 4), (9, 8), (11, 16), (13, 32), (15, 60), (17, 60)] {
            assert_eq!(rig.end(worker), NOTHING);
            let (lines, took) = next(&mut rig);
            assert_eq!((lines, took), (vec![format!("spawn {} in 1", worker + 2)], Duration::from_secs(rest)));
        }
        // It works: the next failure is a first one again.
        rig.make_ready(19);
        rig.answer(19, 2, 1);
        rig.end(19);
        rig.end(21);
        assert_eq!(next(&mut rig).1, Duration::from_secs(1));
    }

    #[test]
    fn when_nobody_works_any_more_a_resting_slot_is_filled_at_once() {
        let mut rig = Rig::ready(2);
        rig.open(90, one_by_one());
        rig.end(1);
        assert_eq!(rig.end(3), NOTHING);
        let lines = rig.end(0);
        assert_eq!(lines, ["spawn 2 in 0", "spawn 5 in 1"]);
    }

    #[test]
    fn a_worker_that_refuses_its_job_has_failed_to_start() {
        let mut rig = Rig::ready(1);
        assert_eq!(rig.open(9, one_by_one()), ["send 0:0+1 as 0 to 0"]);
        // A hello proves nothing: it could not start its program.
        assert_eq!(refuse(&mut rig, 0), ["spawn 1 in 0"]);
        assert_eq!(rig.make_ready(1), ["send 0:0+1 as 1 to 1"]);
        assert_eq!(refuse(&mut rig, 1), ["spawn 2 in 0"]);
        rig.make_ready(2);
        assert_eq!(refuse(&mut rig, 2), ["give up after 3", "stopped 0", "closed"]);
    }

    #[test]
    fn a_refusal_ends_no_run_in_which_somebody_works() {
        let mut rig = Rig::ready(2);
        rig.open(90, one_by_one());
        rig.answer(0, 0, 1);
        for (worker, rest) in [(1, 1), (3, 2), (5, 4), (7, 8)] {
            assert_eq!(refuse(&mut rig, worker), NOTHING);
            let (lines, took) = next(&mut rig);
            assert_eq!((lines, took), (vec![format!("spawn {} in 1", worker + 2)], Duration::from_secs(rest)));
            // Still the item that was dealt first.
            assert!(rig.make_ready(worker + 2)[0].starts_with("send 1:0+1"));
        }
    }

    #[test]
    fn a_refusal_by_everybody_ends_the_run_after_one_start_each() {
        let mut rig = Rig::ready(4);
        rig.open(90, one_by_one());
        let mut lines = Vec::new();
        for worker in 0..4 {
            assert_eq!(lines, NOTHING);
            lines = refuse(&mut rig, worker);
        }
        assert_eq!(lines, ["give up after 4", "stopped 0", "closed"]);
    }

    #[test]
    fn a_program_that_sends_nothing_ends_the_run_after_one_start_timeout() {
        let mut rig = Rig::new(PoolOptions::new(2));
        rig.open(9, JobOptions::default());
        assert_eq!(rig.wait(LONG), ["kill 0: StartTimedOut", "kill 1: StartTimedOut"]);
        assert_eq!(rig.now.since_start(), PoolOptions::default().start_timeout);
        assert_eq!(rig.end(0), NOTHING);
        assert_eq!(rig.end(1), ["give up after 2", "stopped 0", "closed"]);
    }

    #[test]
    fn the_start_timeout_counts_from_when_the_process_exists() {
        let mut scheduler = Scheduler::new(PoolOptions::new(1));
        assert!(matches!(scheduler.poll_action(), Some(Action::Spawn { .. })));
        assert_eq!(scheduler.poll_timeout(), None);
        let mut rig = Rig::new(PoolOptions::new(1));
        rig.now = rig.now + Duration::from_secs(3);
        rig.tell(SchedulerEvent::Spawned { worker: WorkerId(0) });
        while rig.wait(LONG).is_empty() {}
        assert_eq!(rig.now.since_start(), Duration::from_secs(7));
    }

    #[test]
    fn without_descriptors_the_pool_goes_on_with_its_workers() {
        let mut rig = Rig::requested(PoolOptions::new(2));
        rig.make_ready(0);
        rig.open(900, one_by_one());
        assert_eq!(fail(&mut rig, 1, false), NOTHING);
        for (worker, interval) in [(3, 50), (5, 100), (7, 200), (9, 400)] {
            let (lines, took) = next(&mut rig);
            assert_eq!((lines, took), (vec![format!("spawn {worker} in 1")], Duration::from_millis(interval)));
            assert_eq!(fail(&mut rig, worker, false), NOTHING);
        }
        // However long it lasts.
        for worker in 5..50 {
            let (lines, took) = next(&mut rig);
            assert_eq!(lines, [format!("spawn {} in 1", 2 * worker + 1)]);
            assert!(took <= Duration::from_secs(5));
            assert_eq!(fail(&mut rig, 2 * worker + 1, false), NOTHING);
        }
        // A worker has ended and freed its resources.
        assert_eq!(rig.end(0)[0], "spawn 2 in 0");
    }

    #[test]
    fn without_any_worker_a_lack_of_resources_has_thirty_seconds() {
        let mut rig = Rig::requested(PoolOptions::new(3));
        rig.open(1, JobOptions::default());
        // What was requested at the same time is one try.
        for worker in 0..3 {
            assert_eq!(fail(&mut rig, worker, false), NOTHING);
        }
        let mut worker = 3;
        let ended = loop {
            rig.wait(LONG);
            let lines = fail(&mut rig, worker, false);
            if !lines.is_empty() {
                break lines;
            }
            worker += 3;
        };
        assert_eq!(rig.now.since_start(), Duration::from_secs(30));
        assert_eq!(ended, ["give up after 13", "stopped 0", "closed"]);
    }

    #[test]
    fn a_lack_that_ends_is_forgotten() {
        let mut rig = Rig::requested(PoolOptions::new(1));
        rig.open(1, JobOptions::default());
        fail(&mut rig, 0, false);
        for worker in 1..12 {
            rig.wait(LONG);
            fail(&mut rig, worker, false);
        }
        assert!(rig.now.since_start() > Duration::from_secs(20));
        rig.wait(LONG);
        rig.make_ready(12);
        assert_eq!(rig.end(12)[0], "spawn 13 in 0");
        assert_eq!(fail(&mut rig, 13, false), NOTHING);
        assert_eq!(next(&mut rig), (vec!["spawn 14 in 0".to_owned()], Duration::from_millis(50)));
    }
}
