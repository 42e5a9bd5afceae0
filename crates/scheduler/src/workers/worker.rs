//! One worker: its state, the attempts it holds, and whether it should get more.
//!
//! The amount of work that waits in a worker's pipe is measured in time. It must be
//! enough that the worker never waits for the coordinator, and not more, because no
//! other worker can run it.

use std::time::Duration;

use super::queue::AttemptQueue;
use crate::jobs::Attempt;
use crate::model::{AttemptId, Fault, JobId, KillReason, RunTime, WorkerId};

/// The amount of work that may wait in a worker's pipe. A round trip over a pipe
/// takes about 10 µs, and the coordinator may be busy for about 100 µs: a
/// millisecond covers both.
pub(crate) const WAITING_TIME: Duration = Duration::from_millis(1);

/// The number of bytes that may wait in a worker's pipe: the capacity of a pipe.
/// One chunk may wait whatever its size.
pub(crate) const MAX_WAITING_BYTES: u64 = 1 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerState {
    /// Spawned, not ready. It holds nothing.
    Starting,
    Ready,
    /// It has named the item because of which it is about to end.
    Aborting {
        attempt: AttemptId,
        offset: u32,
        fault: Fault,
    },
    /// The scheduler is ending it.
    Ending(EndReason),
}

/// Why a worker is being ended. This determines what its end means for its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EndReason {
    /// Asked to end; it holds no items of an open job.
    Retired,
    /// Asked to end by a signal.
    Terminated,
    /// Killed because the pool ends.
    PoolKilled,
    /// Killed because it did not end within its grace period.
    GraceExpired,
    /// Killed because it was not ready before the start timeout: a start failure.
    StartTimedOut,
    /// Killed for a protocol violation before it was ready: a start failure.
    HandshakeFailed,
    /// Killed because it could not start what its job needs: a start failure.
    Refused,
    /// Killed for a protocol violation: counts as a crash.
    ProtocolViolation,
    /// Killed because it sent nothing for longer than an item may run.
    Unresponsive,
    /// Killed because it did not end within its grace period after it had named an
    /// item.
    AbortGraceExpired { attempt: AttemptId, offset: u32, fault: Fault },
}

impl EndReason {
    /// Whether the worker's end is a failed start.
    pub(crate) fn is_failed_start(self) -> bool {
        matches!(self, Self::StartTimedOut | Self::HandshakeFailed | Self::Refused)
    }

    /// Whether the worker was killed, for any reason.
    pub(crate) fn is_killed(self) -> bool {
        self.kill_reason().is_some()
    }

    /// Why the worker was killed, if it was.
    pub(crate) fn kill_reason(self) -> Option<KillReason> {
        match self {
            Self::Retired | Self::Terminated => None,
            Self::PoolKilled => Some(KillReason::PoolEnds),
            Self::GraceExpired | Self::AbortGraceExpired { .. } => Some(KillReason::GraceExpired),
            Self::StartTimedOut => Some(KillReason::StartTimedOut),
            Self::HandshakeFailed | Self::ProtocolViolation => Some(KillReason::ProtocolViolation),
            Self::Refused => Some(KillReason::Refused),
            Self::Unresponsive => Some(KillReason::Unresponsive),
        }
    }
}

/// Whether a worker can take work, and its rank among those that can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Availability {
    /// It cannot take work.
    None,
    /// It can take work once it is ready.
    Starting,
    /// It is ready and holds nothing. A worker that has never held anything ranks
    /// first.
    Idle { was_given: bool },
    /// It holds this many attempts, and should get more.
    NeedsMore { holds: usize },
}

/// A worker's deadline, and the entry in the timers that stands for it. The entry
/// is never later. It may be earlier, so that extending the deadline with every
/// answer costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Deadline {
    pub(crate) at: Option<RunTime>,
    pub(crate) armed: Option<RunTime>,
}

#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) state: WorkerState,
    pub(crate) queue: AttemptQueue,
    /// The number of items that it may still be given.
    pub(crate) budget: u64,
    /// Whether it was ever sent anything.
    pub(crate) was_given: bool,
    /// Whether it has ever answered an item: its start was successful, with all that
    /// its job needs.
    pub(crate) is_proven: bool,
    /// The open jobs of which it has answered something, sorted.
    familiar: Vec<JobId>,
    pub(crate) listed: Availability,
    pub(crate) deadline: Deadline,
}

impl Worker {
    pub(crate) fn new(id: WorkerId, budget: u64) -> Self {
        Self {
            id,
            state: WorkerState::Starting,
            queue: AttemptQueue::default(),
            budget,
            was_given: false,
            is_proven: false,
            familiar: Vec::new(),
            listed: Availability::None,
            deadline: Deadline::default(),
        }
    }

    /// Whether it is listed as one that can take work now.
    pub(crate) fn is_listed(&self) -> bool {
        matches!(self.listed, Availability::Idle { .. } | Availability::NeedsMore { .. })
    }

    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.state, WorkerState::Ending(_))
    }

    /// Whether it is ending for another reason than a failed start.
    pub(crate) fn is_leaving(&self) -> bool {
        matches!(self.state, WorkerState::Ending(end) if !end.is_failed_start())
    }

    /// Determined by its state and what it holds, whatever the job.
    pub(crate) fn availability(&self, max_depth: usize) -> Availability {
        match self.state {
            WorkerState::Starting => Availability::Starting,
            WorkerState::Aborting { .. } | WorkerState::Ending(_) => Availability::None,
            WorkerState::Ready if self.budget == 0 => Availability::None,
            WorkerState::Ready if self.queue.is_empty() => Availability::Idle { was_given: self.was_given },
            WorkerState::Ready if self.has_room(max_depth) => Availability::NeedsMore { holds: self.queue.len() },
            WorkerState::Ready => Availability::None,
        }
    }

    fn has_room(&self, max_depth: usize) -> bool {
        !self.queue.is_exclusive()
            && self.queue.len() < max_depth
            && u128::from(self.queue.waiting_cost()) < WAITING_TIME.as_nanos()
            && self.queue.waiting_bytes() < MAX_WAITING_BYTES
    }

    /// Whether it has nothing left to do and may be given nothing more.
    pub(crate) fn is_used_up(&self) -> bool {
        self.state == WorkerState::Ready && self.budget == 0 && self.queue.is_empty()
    }

    /// The worker is sent this attempt.
    pub(crate) fn give(&mut self, attempt: Attempt) {
        self.budget = self.budget.saturating_sub(u64::from(attempt.range.items));
        self.was_given = true;
        self.queue.push(attempt);
    }

    pub(crate) fn is_familiar(&self, job: JobId) -> bool {
        self.familiar.binary_search(&job).is_ok()
    }

    /// It has answered an item of this job. Jobs that are no longer open are dropped.
    pub(crate) fn on_familiar(&mut self, job: JobId, is_open: impl Fn(JobId) -> bool) {
        self.familiar.retain(|&other| is_open(other));
        if let Err(at) = self.familiar.binary_search(&job) {
            self.familiar.insert(at, job);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{AttemptMode, ItemRange};
    use crate::model::ChunkId;

    fn ready() -> Worker {
        let mut worker = Worker::new(WorkerId(0), 100);
        worker.state = WorkerState::Ready;
        worker
    }

    fn give(worker: &mut Worker, cost: u64, bytes: u64, mode: AttemptMode) {
        worker.queue.push(Attempt {
            id: AttemptId(0),
            job: JobId(0),
            range: ItemRange { chunk: ChunkId(0), from: 0, items: 1 },
            answered: 0,
            mode,
            cost,
            bytes,
            silence: None,
        });
    }

    #[test]
    fn a_worker_needs_more_until_a_millisecond_of_work_waits() {
        let mut worker = ready();
        assert_eq!(worker.availability(128), Availability::Idle { was_given: false });
        give(&mut worker, 3_000_000, 1, AttemptMode::Plain);
        assert_eq!(worker.availability(128), Availability::NeedsMore { holds: 1 });
        give(&mut worker, 999_999, 1, AttemptMode::Plain);
        assert_eq!(worker.availability(128), Availability::NeedsMore { holds: 2 });
        give(&mut worker, 1, 1, AttemptMode::Plain);
        assert_eq!(worker.availability(128), Availability::None);
    }

    #[test]
    fn bytes_and_count_bound_what_waits_but_one_chunk_always_may() {
        let mut worker = ready();
        give(&mut worker, 0, u64::MAX / 4, AttemptMode::Plain);
        assert_eq!(worker.availability(128), Availability::NeedsMore { holds: 1 });
        assert_eq!(worker.availability(1), Availability::None);
        give(&mut worker, 0, MAX_WAITING_BYTES, AttemptMode::Plain);
        assert_eq!(worker.availability(128), Availability::None);
    }

    #[test]
    fn nothing_joins_an_exclusive_attempt() {
        let mut worker = ready();
        give(&mut worker, 0, 1, AttemptMode::Suspect);
        assert_eq!(worker.availability(128), Availability::None);
    }

    #[test]
    fn only_a_ready_worker_takes_work() {
        let mut worker = Worker::new(WorkerId(0), 100);
        assert_eq!(worker.availability(128), Availability::Starting);
        worker.state = WorkerState::Ready;
        assert_eq!(worker.availability(128), Availability::Idle { was_given: false });
        worker.state = WorkerState::Ending(EndReason::Retired);
        assert_eq!(worker.availability(128), Availability::None);
    }

    #[test]
    fn a_worker_remembers_only_open_jobs() {
        let mut worker = ready();
        worker.on_familiar(JobId(2), |_| true);
        worker.on_familiar(JobId(1), |_| true);
        assert!(worker.is_familiar(JobId(1)) && worker.is_familiar(JobId(2)));
        worker.on_familiar(JobId(3), |job| job == JobId(3));
        assert!(worker.is_familiar(JobId(3)) && !worker.is_familiar(JobId(1)));
    }
}
