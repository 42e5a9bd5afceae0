//! Spawning workers, and knowing when it is hopeless.
//!
//! A slot is filled when there is work that nobody idle takes. A start fails if
//! the process cannot be made, dies before it is ready, or is not ready in
//! time. So many failures in a row, with no worker ready in between, end the
//! run. Two cases are particular:
//!
//! - *No process or descriptor is free*: that lies with the machine, not with
//!   the worker. As long as others live, the pool goes on with them and tries
//!   one spawn when a worker has ended or a second has passed. If none lives it
//!   is a failure, and tried again a little later.
//! - *A start timed out and no worker has ever been ready*: probably the
//!   program is no worker at all. Nothing new is spawned then until one of the
//!   rest is ready, and if none is, the run ends: within one start-up time, not
//!   several.

use std::time::Duration;

use crate::worker::{End, State};
use crate::{Action, GiveUp, RunTime, Scheduler, WorkerId};

/// When a spawn is tried again that failed for want of processes or
/// descriptors, while other workers live.
pub const SPAWN_RETRY: Duration = Duration::from_secs(1);

/// The same while no other worker lives.
pub const SPAWN_RETRY_ALONE: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(crate) struct Starts {
    /// In a row.
    failures: u32,
    /// Whether any worker has ever been ready.
    proven: bool,
    spawning: Spawning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spawning {
    Open,
    /// Not before then.
    Held {
        until: RunTime,
    },
    /// This one shows whether it works again.
    Probing(WorkerId),
    /// A start timed out and none has ever been ready.
    Doubtful,
}

impl Starts {
    pub(crate) fn new() -> Self {
        Self { failures: 0, proven: false, spawning: Spawning::Open }
    }

    fn may_spawn(&self, now: RunTime) -> bool {
        match self.spawning {
            Spawning::Open => true,
            Spawning::Held { until } => until <= now,
            Spawning::Probing(_) | Spawning::Doubtful => false,
        }
    }

    /// When a spawn may be tried that was put off.
    pub(crate) fn held_until(&self) -> Option<RunTime> {
        match self.spawning {
            Spawning::Held { until } => Some(until),
            _ => None,
        }
    }

    /// A process could be made.
    fn on_made(&mut self, worker: WorkerId) {
        if self.spawning == Spawning::Probing(worker) {
            self.spawning = Spawning::Open;
        }
    }

    /// No process could be made for now.
    fn hold(&mut self, until: RunTime) {
        if self.spawning != Spawning::Doubtful {
            self.spawning = Spawning::Held { until };
        }
    }
}

impl Scheduler {
    /// Whether there is an empty slot and this is the time to fill it.
    pub(crate) fn may_spawn(&self, now: RunTime) -> bool {
        self.roster.first_vacant().is_some() && self.starts.may_spawn(now)
    }

    /// Fills an empty slot.
    pub(crate) fn spawn(&mut self) -> Option<u32> {
        let slot = self.roster.first_vacant()?;
        let budget = self.options.max_tasks_per_worker.unwrap_or(u64::MAX).max(1);
        let (place, worker) = self.roster.occupy(slot, budget)?;
        if self.starts.spawning != Spawning::Open {
            self.starts.spawning = Spawning::Probing(worker);
        }
        self.actions.push_back(Action::Spawn { slot: place, worker });
        Some(slot)
    }

    pub(crate) fn on_spawned(&mut self, now: RunTime, worker: WorkerId) {
        let Some(slot) = self.roster.slot_of(worker) else {
            return;
        };
        self.starts.on_made(worker);
        if self.roster.worker(slot).is_some_and(|worker| worker.state == State::Starting) {
            self.roster.set_deadline(slot, Some(now + self.options.start_timeout));
        }
    }

    pub(crate) fn on_ready(&mut self, now: RunTime, id: WorkerId) {
        let Some(slot) = self.roster.slot_of(id) else {
            return;
        };
        let Some(worker) = self.roster.worker_mut(slot) else {
            return;
        };
        if worker.state != State::Starting {
            // Late, or said twice: what is being ended stays so.
            return;
        }
        worker.state = State::Ready;
        self.starts.failures = 0;
        self.starts.proven = true;
        self.starts.on_made(id);
        if self.starts.spawning == Spawning::Doubtful {
            self.starts.spawning = Spawning::Open;
        }
        self.listen(now, slot);
        self.roster.relist(slot);
    }

    /// A worker is not ready in time.
    pub(crate) fn on_start_timeout(&mut self, slot: u32) {
        self.kill(slot, End::NotStarted);
        if !self.starts.proven {
            self.starts.spawning = Spawning::Doubtful;
        }
    }

    pub(crate) fn on_spawn_failed(&mut self, now: RunTime, worker: WorkerId, lasting: bool) {
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

    /// A worker has ended, or never began, before it was ready.
    pub(crate) fn on_start_failure(&mut self, now: RunTime, worker: WorkerId) {
        self.starts.failures += 1;
        self.starts.on_made(worker);
        let failures = self.starts.failures;
        let hopeless = self.starts.spawning == Spawning::Doubtful && self.roster.living() == 0;
        if self.phase.is_running() && (hopeless || failures >= self.options.start_failures.max(1)) {
            self.actions.push_back(Action::GiveUp { reason: GiveUp::CannotStart { failures } });
            self.end_all(now, End::Terminated);
        }
    }

    /// A process has gone, and with it what it used: a spawn may work again.
    pub(crate) fn on_room_for_spawn(&mut self) {
        if self.starts.held_until().is_some() {
            self.starts.hold(RunTime::ZERO);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{SPAWN_RETRY, SPAWN_RETRY_ALONE};
    use crate::rig::Rig;
    use crate::{Action, Event, JobOptions, PoolOptions, Scheduler, WorkerId};

    const LONG: Duration = Duration::from_secs(60);

    fn fail(rig: &mut Rig, worker: u64, lasting: bool) -> Vec<String> {
        rig.tell(Event::SpawnFailed { worker: WorkerId(worker), lasting })
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
    fn one_worker_that_is_ready_makes_the_failures_count_from_new() {
        let mut rig = Rig::new(PoolOptions::new(3));
        rig.open(9, JobOptions::default());
        rig.end(0);
        rig.end(1);
        rig.make_ready(2);
        rig.end(3);
        assert_eq!(rig.end(4).len(), 2, "not given up");
    }

    #[test]
    fn a_program_that_never_speaks_ends_the_run_after_one_start_up_time() {
        let mut rig = Rig::new(PoolOptions::new(2));
        rig.open(9, JobOptions::default());
        assert_eq!(rig.wait(LONG), ["kill 0: NotReady", "kill 1: NotReady"]);
        assert_eq!(rig.now.since_start(), PoolOptions::default().start_timeout);
        assert_eq!(rig.end(0), [""; 0]);
        assert_eq!(rig.end(1), ["give up after 2", "stopped 0", "closed"]);
    }

    #[test]
    fn the_start_up_time_counts_from_when_the_process_exists() {
        let mut scheduler = Scheduler::new(PoolOptions::new(1));
        assert!(matches!(scheduler.poll_action(), Some(Action::Spawn { .. })));
        assert_eq!(scheduler.poll_timeout(), None);
        let mut rig = Rig::new(PoolOptions::new(1));
        rig.now = rig.now + Duration::from_secs(3);
        rig.tell(Event::Spawned { worker: WorkerId(0) });
        while rig.wait(LONG).is_empty() {}
        assert_eq!(rig.now.since_start(), Duration::from_secs(7));
    }

    #[test]
    fn without_descriptors_the_pool_goes_on_with_those_it_has() {
        let mut rig = Rig::new(PoolOptions::new(2));
        rig.make_ready(0);
        rig.open(9, JobOptions::default());
        assert_eq!(fail(&mut rig, 1, false), [""; 0]);
        assert_eq!(rig.wait(LONG), ["spawn 3 in 1", "send 1:0+1 as 2 to 3"]);
        assert_eq!(rig.now.since_start(), SPAWN_RETRY);
        assert_eq!(fail(&mut rig, 3, false), [""; 0]);
        // One has ended: what it used is free again.
        assert_eq!(rig.end(0)[0], "spawn 2 in 0");
    }

    #[test]
    fn without_any_worker_a_shortage_is_a_failure_and_tried_again_soon() {
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
