//! One worker as the scheduler sees it: in which state it is, what it holds,
//! and whether it should get more.
//!
//! How much it should hold is measured in time. Enough must wait in its pipe
//! that it never waits for the coordinator, and not more, because what waits
//! here cannot be run elsewhere.

use std::time::Duration;

use crate::queue::{Attempt, Queue};
use crate::{AttemptId, Fault, JobId, KillReason, RunTime, WorkerId};

/// How much work may wait in a worker's pipe before nothing more is sent. A
/// round trip over a pipe takes some ten microseconds, and the coordinator
/// may be busy elsewhere for some hundred: a millisecond covers both.
pub const WAITING_TIME: Duration = Duration::from_millis(1);

/// How many bytes may wait in a worker's pipe before nothing more is sent: what
/// a pipe holds at the most. One chunk may wait whatever its size.
pub const MAX_WAITING_BYTES: u64 = 1 << 20;

/// How much longer than an item's timeout a worker may say nothing. Its own
/// watchdog reports such an item exactly; this is for the worker whose watchdog
/// cannot run, and must not overtake one that can.
pub const SILENCE_GRACE: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Spawned, not ready; what it was sent waits in its pipe.
    Starting,
    Ready,
    /// It has named the item it is about to die on.
    Condemned {
        attempt: AttemptId,
        offset: u32,
        fault: Fault,
    },
    /// We are ending it.
    Ending(End),
}

/// Why a worker is being ended, hence what its end means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Asked to end; it holds nothing.
    Retired,
    /// Signalled to end.
    Terminated,
    /// Killed because the pool ends.
    Killed,
    /// Killed because it outlived its grace.
    Stayed,
    /// Killed because it was not ready in time: a start failure.
    NotStarted,
    /// Killed because it spoke nonsense before it was ready: a start failure.
    Garbled,
    /// Killed because it spoke nonsense: a crash like any other.
    Babbling,
    /// Killed because it said nothing for longer than an item may run.
    Silent,
    /// Killed because it stayed after naming an item.
    Lingering { attempt: AttemptId, offset: u32, fault: Fault },
}

impl End {
    /// Whether the worker was killed, whatever for.
    pub(crate) fn is_killed(self) -> bool {
        self.kill_reason().is_some()
    }

    /// Why the worker was killed, if it was.
    pub(crate) fn kill_reason(self) -> Option<KillReason> {
        match self {
            Self::Retired | Self::Terminated => None,
            Self::Killed => Some(KillReason::PoolEnds),
            Self::Stayed | Self::Lingering { .. } => Some(KillReason::Stayed),
            Self::NotStarted => Some(KillReason::NotReady),
            Self::Garbled | Self::Babbling => Some(KillReason::Nonsense),
            Self::Silent => Some(KillReason::Silent),
        }
    }
}

/// Under which heading a worker waits for work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Appetite {
    /// Not to be given anything.
    None,
    /// Holds nothing; one that is ready comes before one that is starting.
    Idle { starting: bool },
    /// Holds so many attempts, and should get more.
    Hungry { holds: usize },
}

/// The worker's deadline, and the entry in the timers that stands for it. The
/// entry is never later; it may be earlier, so that putting off a deadline with
/// every answer costs nothing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Deadline {
    pub(crate) at: Option<RunTime>,
    pub(crate) armed: Option<RunTime>,
}

#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) id: WorkerId,
    pub(crate) state: State,
    pub(crate) queue: Queue,
    /// How many items it may still be given.
    pub(crate) budget: u64,
    /// The jobs of which it has answered something, in order.
    familiar: Vec<JobId>,
    pub(crate) listed: Appetite,
    pub(crate) deadline: Deadline,
}

impl Worker {
    pub(crate) fn new(id: WorkerId, budget: u64) -> Self {
        Self {
            id,
            state: State::Starting,
            queue: Queue::default(),
            budget,
            familiar: Vec::new(),
            listed: Appetite::None,
            deadline: Deadline::default(),
        }
    }

    pub(crate) fn is_listed(&self) -> bool {
        self.listed != Appetite::None
    }

    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.state, State::Ending(_))
    }

    /// What its state and what it holds say, whatever the job.
    pub(crate) fn appetite(&self, max_depth: usize) -> Appetite {
        let starting = match self.state {
            State::Starting => true,
            State::Ready => false,
            State::Condemned { .. } | State::Ending(_) => return Appetite::None,
        };
        if self.budget == 0 {
            Appetite::None
        } else if self.queue.is_empty() {
            Appetite::Idle { starting }
        } else if !starting && self.has_room(max_depth) {
            Appetite::Hungry { holds: self.queue.len() }
        } else {
            Appetite::None
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
        self.state == State::Ready && self.budget == 0 && self.queue.is_empty()
    }

    /// It is sent this.
    pub(crate) fn give(&mut self, attempt: Attempt) {
        self.budget = self.budget.saturating_sub(u64::from(attempt.range.items));
        self.queue.push(attempt);
    }

    pub(crate) fn is_familiar(&self, job: JobId) -> bool {
        self.familiar.binary_search(&job).is_ok()
    }

    /// It has answered something of this job; jobs that are gone are dropped
    /// from its memory on the way.
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
    use crate::ChunkId;
    use crate::retry::{Manner, Range};

    fn ready() -> Worker {
        let mut worker = Worker::new(WorkerId(0), 100);
        worker.state = State::Ready;
        worker
    }

    fn give(worker: &mut Worker, cost: u64, bytes: u64, manner: Manner) {
        worker.queue.push(Attempt {
            id: AttemptId(0),
            job: JobId(0),
            range: Range { chunk: ChunkId(0), from: 0, items: 1 },
            answered: 0,
            manner,
            cost,
            bytes,
            silence: None,
        });
    }

    #[test]
    fn it_is_hungry_until_a_millisecond_of_work_waits() {
        let mut worker = ready();
        assert_eq!(worker.appetite(128), Appetite::Idle { starting: false });
        give(&mut worker, 3_000_000, 1, Manner::Plain);
        assert_eq!(worker.appetite(128), Appetite::Hungry { holds: 1 });
        give(&mut worker, 999_999, 1, Manner::Plain);
        assert_eq!(worker.appetite(128), Appetite::Hungry { holds: 2 });
        give(&mut worker, 1, 1, Manner::Plain);
        assert_eq!(worker.appetite(128), Appetite::None);
    }

    #[test]
    fn bytes_and_count_bound_what_waits_but_one_chunk_always_may() {
        let mut worker = ready();
        give(&mut worker, 0, u64::MAX / 4, Manner::Plain);
        assert_eq!(worker.appetite(128), Appetite::Hungry { holds: 1 });
        assert_eq!(worker.appetite(1), Appetite::None);
        give(&mut worker, 0, MAX_WAITING_BYTES, Manner::Plain);
        assert_eq!(worker.appetite(128), Appetite::None);
    }

    #[test]
    fn nothing_joins_what_must_be_alone() {
        let mut worker = ready();
        give(&mut worker, 0, 1, Manner::Suspect);
        assert_eq!(worker.appetite(128), Appetite::None);
    }

    #[test]
    fn who_is_starting_holds_one_and_who_is_ending_nothing() {
        let mut worker = Worker::new(WorkerId(0), 100);
        assert_eq!(worker.appetite(128), Appetite::Idle { starting: true });
        give(&mut worker, 0, 1, Manner::Plain);
        assert_eq!(worker.appetite(128), Appetite::None);
        worker.state = State::Ending(End::Retired);
        assert_eq!(worker.appetite(128), Appetite::None);
    }

    #[test]
    fn it_remembers_the_jobs_that_are_open() {
        let mut worker = ready();
        worker.on_familiar(JobId(2), |_| true);
        worker.on_familiar(JobId(1), |_| true);
        assert!(worker.is_familiar(JobId(1)) && worker.is_familiar(JobId(2)));
        worker.on_familiar(JobId(3), |job| job == JobId(3));
        assert!(worker.is_familiar(JobId(3)) && !worker.is_familiar(JobId(1)));
    }
}
