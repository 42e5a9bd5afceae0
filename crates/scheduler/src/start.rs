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
    /// Fills an empty slot, if there is one and this is the time.
    pub(crate) fn spawn(&mut self, now: RunTime) -> Option<u32> {
        let slot = self.roster.first_vacant()?;
        if !self.starts.may_spawn(now) {
            return None;
        }
        let budget = self.options.max_tasks_per_worker.unwrap_or(u64::MAX).max(1);
        let (place, worker) = self.roster.occupy(slot, budget)?;
        if self.starts.spawning != Spawning::Open {
            self.starts.spawning = Spawning::Probing(worker);
        }
        self.roster.set_deadline(slot, Some(now + self.options.start_timeout));
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
        self.requeue_plainly(gone.queue);
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
