//! Spawning workers, and giving up when no worker can be started.
//!
//! An empty slot is filled when there is work that no idle worker takes. A start
//! fails if the process cannot be created, ends before it is ready, or is not
//! ready before the start timeout. After `start_failures` consecutive failures
//! the run ends. Two cases are special (see [`StartTracker`]):
//!
//! - *No process or file descriptor is free* and other workers are alive: not a
//!   failure. The pool goes on with those workers and retries later. Without any
//!   live worker it is a failure and is retried sooner.
//! - *A start timed out and no worker has ever been ready*: if none of the
//!   started processes becomes ready either, the run ends. So a program that is
//!   not a worker ends the run after one start timeout, not several.
//!
//! [`StartTracker`]: crate::workers::StartTracker

use super::scheduler::Scheduler;
use crate::model::{Action, GiveUp, RunTime, WorkerId};
use crate::workers::{EndReason, SPAWN_RETRY, SPAWN_RETRY_ALONE, WorkerState};

impl Scheduler {
    /// Whether there is an empty slot that may be filled now.
    pub(super) fn may_spawn(&self, now: RunTime) -> bool {
        self.roster.first_vacant().is_some() && self.starts.may_spawn(now)
    }

    /// Fills an empty slot.
    pub(super) fn spawn(&mut self) -> Option<u32> {
        let slot = self.roster.first_vacant()?;
        let budget = self.options.max_tasks_per_worker.unwrap_or(u64::MAX).max(1);
        let (place, worker) = self.roster.occupy(slot, budget)?;
        self.starts.on_spawn(worker);
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
        self.restart_silence_timer(now, slot);
        self.roster.relist(slot);
    }

    pub(super) fn on_start_timeout(&mut self, slot: u32) {
        self.kill(slot, EndReason::StartTimedOut);
        self.starts.on_timeout();
    }

    pub(super) fn on_spawn_failed(&mut self, now: RunTime, worker: WorkerId, lasting: bool) {
        let Some(slot) = self.roster.slot_of(worker) else {
            return;
        };
        let Some(gone) = self.roster.vacate(slot) else {
            return;
        };
        self.requeue_unchanged(gone.queue);
        let others = self.roster.living() > 0;
        if !lasting {
            self.starts.hold(now + if others { SPAWN_RETRY } else { SPAWN_RETRY_ALONE });
        }
        if lasting || !others {
            self.on_start_failure(now, worker);
        }
        self.close_if_empty();
    }

    /// A worker ended before it was ready, or its process was never created.
    pub(super) fn on_start_failure(&mut self, now: RunTime, worker: WorkerId) {
        let failures = self.starts.on_failure(worker);
        let hopeless = self.starts.is_doubtful() && self.roster.living() == 0;
        if self.phase.is_running() && (hopeless || failures >= self.options.start_failures.max(1)) {
            self.actions.push_back(Action::GiveUp { reason: GiveUp::CannotStart { failures } });
            self.end_all(now, EndReason::Terminated);
        }
    }

    /// A process has ended and freed its resources: a paused spawn may be retried.
    pub(super) fn on_process_gone(&mut self) {
        if self.starts.held_until().is_some() {
            self.starts.hold(RunTime::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::machine::scheduler::Scheduler;
    use crate::machine::test_rig::Rig;
    use crate::model::{Action, JobOptions, PoolOptions, SchedulerEvent, WorkerId};
    use crate::workers::{SPAWN_RETRY, SPAWN_RETRY_ALONE};
    use std::time::Duration;

    const LONG: Duration = Duration::from_secs(60);

    fn fail(rig: &mut Rig, worker: u64, lasting: bool) -> Vec<String> {
        rig.tell(SchedulerEvent::SpawnFailed { worker: WorkerId(worker), lasting })
    }

    #[test]
    fn a_missing_program_ends_the_run_at_once() {
        let mut rig = Rig::new(PoolOptions::new(2));
        rig.open(2, JobOptions::default());
        assert_eq!(fail(&mut rig, 0, true), ["spawn 2 in 0", "send 0:0+1 as 2 to 2"]);
        assert_eq!(fail(&mut rig, 1, true), ["spawn 3 in 1", "send 1:0+1 as 3 to 3"]);
        assert_eq!(fail(&mut rig, 2, true), ["give up after 3", "stopped 0", "terminate 3"]);
        assert_eq!(rig.end(3), ["closed"]);
    }

    #[test]
    fn a_ready_worker_resets_the_count_of_failures() {
        let mut rig = Rig::new(PoolOptions::new(3));
        rig.open(9, JobOptions::default());
        rig.end(0);
        rig.end(1);
        rig.make_ready(2);
        rig.end(3);
        assert_eq!(rig.end(4).len(), 2, "not given up");
    }

    #[test]
    fn a_program_that_sends_nothing_ends_the_run_after_one_start_timeout() {
        let mut rig = Rig::new(PoolOptions::new(2));
        rig.open(9, JobOptions::default());
        assert_eq!(rig.wait(LONG), ["kill 0: StartTimedOut", "kill 1: StartTimedOut"]);
        assert_eq!(rig.now.since_start(), PoolOptions::default().start_timeout);
        assert_eq!(rig.end(0), [""; 0]);
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
        let mut rig = Rig::new(PoolOptions::new(2));
        rig.make_ready(0);
        rig.open(9, JobOptions::default());
        assert_eq!(fail(&mut rig, 1, false), [""; 0]);
        assert_eq!(rig.wait(LONG), ["spawn 3 in 1", "send 1:0+1 as 2 to 3"]);
        assert_eq!(rig.now.since_start(), SPAWN_RETRY);
        assert_eq!(fail(&mut rig, 3, false), [""; 0]);
        // A worker has ended and freed its resources.
        assert_eq!(rig.end(0)[0], "spawn 2 in 0");
    }

    #[test]
    fn without_any_worker_a_shortage_is_a_failure_and_retried_soon() {
        let mut rig = Rig::new(PoolOptions::new(1));
        rig.open(1, JobOptions::default());
        assert_eq!(fail(&mut rig, 0, false), [""; 0]);
        assert_eq!(rig.wait(LONG)[0], "spawn 1 in 0");
        assert_eq!(rig.now.since_start(), SPAWN_RETRY_ALONE);
        assert_eq!(fail(&mut rig, 1, false), [""; 0]);
        assert_eq!(rig.wait(LONG)[0], "spawn 2 in 0");
        assert_eq!(fail(&mut rig, 2, false), ["give up after 3", "stopped 0", "closed"]);
    }
}
