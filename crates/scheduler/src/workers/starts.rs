//! Whether a worker may be spawned now, learned from the starts before.
//!
//! Spawning pauses for all slots in two cases:
//!
//! - *No process, memory or file descriptor is free*: one spawn is tried when a
//!   worker has ended, or after an interval that grows from [`FIRST_RETRY`] to
//!   [`LONGEST_RETRY`]. Other spawns wait until that one has succeeded.
//! - *A start timed out and no worker has ever been ready*: the program is
//!   probably not a worker. No spawn until one of the started processes is ready.
//!
//! A single slot rests after a failed start while others work; see [`rest_after`].

use std::time::Duration;

use crate::model::{RunTime, WorkerId};

/// The first interval between two spawns that were refused for lack of a resource.
pub(crate) const FIRST_RETRY: Duration = Duration::from_millis(50);

/// The longest such interval.
pub(crate) const LONGEST_RETRY: Duration = Duration::from_secs(5);

/// How long a lack of a resource may last while there is no worker at all.
pub(crate) const LACK_PATIENCE: Duration = Duration::from_secs(30);

/// The longest rest of a slot.
const LONGEST_REST: Duration = Duration::from_secs(60);

/// How long a slot rests after this many failed starts in a row: 1, 2, 4 … 60 s.
pub(crate) fn rest_after(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(6);
    Duration::from_secs(1 << doublings).min(LONGEST_REST)
}

#[derive(Debug)]
pub(crate) struct StartTracker {
    /// Consecutive failures before a hello: no worker was ready in between.
    failures: u32,
    /// Consecutive failures after the hello, to start what a job needs: no worker
    /// answered an item in between.
    refusals: u32,
    /// Whether any worker has ever been ready.
    any_ready: bool,
    gate: SpawnGate,
    lack: Option<Lack>,
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

/// A lack of processes, memory or file descriptors.
#[derive(Clone, Copy, Debug)]
struct Lack {
    /// Since when, counted while there was no worker at all.
    since: RunTime,
    /// The interval before the next try.
    interval: Duration,
    tries: u32,
}

/// What follows from a failed start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LackVerdict {
    /// It is tried again.
    Wait,
    /// It has lasted too long, after this many tries.
    GiveUp { tries: u32 },
}

impl StartTracker {
    pub(crate) fn new() -> Self {
        Self { failures: 0, refusals: 0, any_ready: false, gate: SpawnGate::Open, lack: None }
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

    /// The number of consecutive failures.
    pub(crate) fn failures(&self) -> u32 {
        self.failures.saturating_add(self.refusals)
    }

    /// A spawn was requested.
    pub(crate) fn on_spawn(&mut self, worker: WorkerId) {
        if self.gate != SpawnGate::Open {
            self.gate = SpawnGate::Probing(worker);
        }
    }

    /// A process was created.
    pub(crate) fn on_created(&mut self, worker: WorkerId) {
        self.end_probe(worker);
        self.lack = None;
    }

    fn end_probe(&mut self, worker: WorkerId) {
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

    /// A worker has answered an item.
    pub(crate) fn on_proven(&mut self) {
        self.failures = 0;
        self.refusals = 0;
    }

    /// A worker was not ready before the start timeout.
    pub(crate) fn on_timeout(&mut self) {
        if !self.any_ready {
            self.gate = SpawnGate::Doubtful;
        }
    }

    /// A start has failed for good; it is counted unless others work meanwhile.
    pub(crate) fn on_failure(&mut self, worker: WorkerId, was_ready: bool, others_work: bool) {
        self.end_probe(worker);
        if !others_work {
            let count = if was_ready { &mut self.refusals } else { &mut self.failures };
            *count = count.saturating_add(1);
        }
    }

    /// No process could be created. `is_alone`: there is no other worker.
    pub(crate) fn on_lack(&mut self, now: RunTime, is_alone: bool) -> LackVerdict {
        let fresh = Lack { since: now, interval: FIRST_RETRY, tries: 0 };
        let lack = self.lack.get_or_insert(fresh);
        if !is_alone {
            lack.since = now;
        }
        if matches!(self.gate, SpawnGate::Held { until } if now < until) {
            // It was requested before the lack was known.
            return LackVerdict::Wait;
        }
        lack.tries = lack.tries.saturating_add(1);
        let end = lack.since + LACK_PATIENCE;
        if end <= now {
            return LackVerdict::GiveUp { tries: lack.tries };
        }
        let until = (now + lack.interval).min(end);
        lack.interval = (2 * lack.interval).min(LONGEST_RETRY);
        if self.gate != SpawnGate::Doubtful {
            self.gate = SpawnGate::Held { until };
        }
        LackVerdict::Wait
    }

    /// A process has ended and freed its resources: a paused spawn may be tried.
    pub(crate) fn on_process_gone(&mut self) {
        if let SpawnGate::Held { until } = &mut self.gate {
            *until = RunTime::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rests_grow_to_a_minute() {
        let seconds = [0, 1, 2, 3, 6, 7, 8, u32::MAX].map(|failures| rest_after(failures).as_secs());
        assert_eq!(seconds, [1, 1, 2, 4, 32, 60, 60, 60]);
    }
}
