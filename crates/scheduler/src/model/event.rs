//! What the driver tells the scheduler.

use std::time::Duration;

use super::ids::{AttemptId, JobId, WorkerId};
use super::options::JobOptions;

/// Something that happened outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchedulerEvent {
    /// A job begins. After `Close` or the like it is done (stopped) at once; an
    /// id that is in use is ignored.
    JobOpened {
        /// Its id; higher than that of every older job.
        job: JobId,
        /// How it is to be run.
        options: JobOptions,
    },
    /// The answer to [`Action::Cut`](crate::Action::Cut): a chunk was cut.
    /// This, `InputPending` or `InputEnded` comes immediately after that action
    /// was polled, before any other event.
    ChunkCut {
        /// The job that was asked.
        job: JobId,
        /// How many items it has; 0 is taken as `InputPending`.
        items: u32,
        /// How many bytes the driver holds for it.
        bytes: u64,
    },
    /// The answer to `Cut`: nothing there now; `InputReady` will come.
    InputPending {
        /// The job that was asked.
        job: JobId,
    },
    /// The answer to `Cut`: there is nothing left and nothing will come. May
    /// also come by itself, as soon as that is known.
    InputEnded {
        /// The job that was asked.
        job: JobId,
    },
    /// More can be cut now.
    InputReady {
        /// The job whose input it is.
        job: JobId,
    },
    /// A hint: about so many items are left to be cut. May come at any time.
    Remaining {
        /// The job.
        job: JobId,
        /// About how many items are not yet cut.
        items: u64,
    },
    /// The process exists; its start-up time counts from here, so a driver may
    /// take its time to make thousands.
    Spawned {
        /// The worker.
        worker: WorkerId,
    },
    /// The process could not be made.
    SpawnFailed {
        /// The worker that will never be.
        worker: WorkerId,
        /// Whether trying again is pointless as such (no such file): that is a
        /// start failure. Otherwise (no process or descriptor free) the pool
        /// goes on with those it has, and tries again later.
        lasting: bool,
    },
    /// Handshake and initializer are done.
    WorkerReady {
        /// The worker.
        worker: WorkerId,
    },
    /// The next unanswered items of an attempt, from its front, are done.
    /// Answered by `Accept` or `Discard`, the first action polled after it.
    Answered {
        /// Who says so.
        worker: WorkerId,
        /// Which attempt.
        attempt: AttemptId,
        /// How many items; an answer of none is discarded.
        items: u32,
        /// The size of the result the driver now holds.
        bytes: u64,
        /// The time the worker spent on these items.
        busy: Duration,
    },
    /// The worker runs an item of this attempt once more, with all of its time:
    /// it may be silent for as long again.
    ItemRestarted {
        /// Who says so.
        worker: WorkerId,
        /// Which attempt.
        attempt: AttemptId,
    },
    /// The worker itself named the item that it is about to die on (its
    /// watchdog or its allocator did).
    Aborting {
        /// Who says so.
        worker: WorkerId,
        /// Which attempt.
        attempt: AttemptId,
        /// Which item, counted from the attempt's first.
        offset: u32,
        /// Why.
        fault: Fault,
    },
    /// The process is gone and its pipe was drained.
    WorkerEnded {
        /// The worker.
        worker: WorkerId,
        /// Why, as far as the driver can tell; ignored where the end was ours.
        fault: Fault,
    },
    /// The sink has written so many result bytes, of those that came with
    /// `Answered` (what the driver wrote for a charged item is its own).
    Released {
        /// Whose results.
        job: JobId,
        /// How many bytes.
        bytes: u64,
    },
    /// The job is not wanted any more: drop everything of it.
    JobStopped {
        /// The job.
        job: JobId,
    },
    /// No more jobs will come: when those that are open are done, retire all.
    Close,
    /// End all workers now: terminate, wait for the grace, kill. All work is
    /// dropped.
    Terminate,
    /// Kill all workers now. All work is dropped.
    Kill,
}

/// Why a worker died, or an item failed with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// It crashed, exited or was killed by somebody else.
    Crashed,
    /// An item ran for too long.
    TimedOut,
    /// An item wanted too much memory.
    OutOfMemory,
}
