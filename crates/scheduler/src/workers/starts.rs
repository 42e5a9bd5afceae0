//! Whether a worker may be spawned now, learned from the starts before.
//!
//! Spawning pauses in two cases:
//!
//! - *No process or file descriptor is free*: one spawn is tried when a worker
//!   has ended or [`SPAWN_RETRY`] has passed. Other spawns wait until that one
//!   has succeeded.
//! - *A start timed out and no worker has ever been ready*: the program is
//!   probably not a worker. No spawn until one of the started processes is ready.

use std::time::Duration;

use crate::model::{RunTime, WorkerId};

/// The delay before a spawn is retried that failed for lack of processes or
/// file descriptors, while other workers are alive.
pub(crate) const SPAWN_RETRY: Duration = Duration::from_secs(1);

/// The same delay while no other worker is alive.
pub(crate) const SPAWN_RETRY_ALONE: Duration = Duration::from_millis(250);

#[derive(Debug)]
pub(crate) struct StartTracker {
    /// Consecutive failures: no worker was ready in between.
    failures: u32,
    /// Whether any worker has ever been ready.
    any_ready: bool,
    gate: SpawnGate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum SpawnGate {
    Open,
    /// Closed until this time.
    Held {
        until: RunTime,
    },
    /// Closed until the process of this worker exists.
    Probing(WorkerId),
    /// A start timed out and no worker has ever been ready.
    Doubtful,
}

impl StartTracker {
    pub(crate) fn new() -> Self {
        Self { failures: 0, any_ready: false, gate: SpawnGate::Open }
    }

    pub(crate) fn may_spawn(&self, now: RunTime) -> bool {
        match self.gate {
            SpawnGate::Open => true,
            SpawnGate::Held { until } => until <= now,
            SpawnGate::Probing(_) | SpawnGate::Doubtful => false,
        }
    }

    /// The time until which spawning pauses, if it does.
    pub(crate) fn held_until(&self) -> Option<RunTime> {
        match self.gate {
            SpawnGate::Held { until } => Some(until),
            _ => None,
        }
    }

    pub(crate) fn is_doubtful(&self) -> bool {
        self.gate == SpawnGate::Doubtful
    }

    /// A spawn was requested.
    pub(crate) fn on_spawn(&mut self, worker: WorkerId) {
        if self.gate != SpawnGate::Open {
            self.gate = SpawnGate::Probing(worker);
        }
    }

    /// A process was created.
    pub(crate) fn on_created(&mut self, worker: WorkerId) {
        if self.gate == SpawnGate::Probing(worker) {
            self.gate = SpawnGate::Open;
        }
    }

    pub(crate) fn on_ready(&mut self, worker: WorkerId) {
        self.failures = 0;
        self.any_ready = true;
        self.on_created(worker);
        if self.is_doubtful() {
            self.gate = SpawnGate::Open;
        }
    }

    /// A worker was not ready before the start timeout.
    pub(crate) fn on_timeout(&mut self) {
        if !self.any_ready {
            self.gate = SpawnGate::Doubtful;
        }
    }

    /// Counts a failed start; returns the number of consecutive failures.
    pub(crate) fn on_failure(&mut self, worker: WorkerId) -> u32 {
        self.failures += 1;
        self.on_created(worker);
        self.failures
    }

    /// No process could be created: pauses until this time.
    pub(crate) fn hold(&mut self, until: RunTime) {
        if !self.is_doubtful() {
            self.gate = SpawnGate::Held { until };
        }
    }
}
