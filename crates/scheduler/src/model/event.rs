//! The events that the driver reports to the scheduler.

use std::time::Duration;

use super::ids::{AttemptId, JobId, WorkerId};
use super::options::JobOptions;

/// Something that happened outside of the scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SchedulerEvent {
    /// A job begins. After `Close`, `Terminate` or `Kill` it is done (stopped) at once.
    /// An id that is in use is ignored.
    JobOpened {
        /// The job's id, higher than the id of every older job.
        job: JobId,
        /// How the job is run.
        options: JobOptions,
    },
    /// The answer to [`Action::Cut`](crate::Action::Cut): a chunk was cut. One of this,
    /// `InputPending` and `InputEnded` must follow immediately after that action was
    /// polled, before any other event.
    ChunkCut {
        /// The job named in `Cut`.
        job: JobId,
        /// The number of items; 0 counts as `InputPending`.
        items: u32,
        /// The number of bytes that the driver holds for the chunk.
        bytes: u64,
    },
    /// The answer to `Cut`: no items now; `InputReady` will follow.
    InputPending {
        /// The job named in `Cut`.
        job: JobId,
    },
    /// The answer to `Cut`: there are no more items. May also come unasked, as soon as
    /// the driver knows it.
    InputEnded {
        /// The job named in `Cut`.
        job: JobId,
    },
    /// More items can be cut now.
    InputReady {
        /// The job of the input.
        job: JobId,
    },
    /// A hint: about this many items are still to be cut. May come at any time.
    Remaining {
        /// The job.
        job: JobId,
        /// The approximate number of items that are not yet cut.
        items: u64,
    },
    /// The process exists. The start timeout counts from here, so a driver may take its
    /// time to create thousands of processes.
    Spawned {
        /// The worker.
        worker: WorkerId,
    },
    /// The process could not be created.
    SpawnFailed {
        /// The worker that does not exist.
        worker: WorkerId,
        /// Whether a retry is pointless (no such file): that is a start failure. Otherwise
        /// (no process, memory or file descriptor free) the spawn is retried, and the run
        /// goes on.
        lasting: bool,
    },
    /// The handshake and the initializer are done.
    WorkerReady {
        /// The worker.
        worker: WorkerId,
    },
    /// The worker is ready, but cannot start what its job needs: a start failure. What
    /// it holds and has not answered did not run.
    Refused {
        /// The worker.
        worker: WorkerId,
    },
    /// The next unanswered items of an attempt, from its front, are done. The first
    /// action polled after this event is `Accept` or `Discard`.
    Answered {
        /// The worker that answered.
        worker: WorkerId,
        /// The attempt.
        attempt: AttemptId,
        /// The number of items; an answer of no items is discarded.
        items: u32,
        /// The size of the result, in bytes, that the driver now holds.
        bytes: u64,
        /// The time the worker spent on these items.
        busy: Duration,
    },
    /// The worker runs an item of this attempt again and restarts the item's timeout:
    /// its silence is measured anew.
    ItemRestarted {
        /// The worker.
        worker: WorkerId,
        /// The attempt.
        attempt: AttemptId,
    },
    /// The worker named the item because of which it is about to end (its watchdog or
    /// its allocator did).
    Aborting {
        /// The worker.
        worker: WorkerId,
        /// The attempt.
        attempt: AttemptId,
        /// The item, counted from the attempt's first.
        offset: u32,
        /// The reason.
        fault: Fault,
    },
    /// The process has ended and its pipe was drained.
    WorkerEnded {
        /// The worker.
        worker: WorkerId,
        /// The reason, as far as the driver knows it. Ignored if the scheduler ended the
        /// worker.
        fault: Fault,
    },
    /// The sink has written this many result bytes, of those reported with `Answered`.
    /// Records that the driver wrote for charged items do not count.
    Released {
        /// The job of the results.
        job: JobId,
        /// The number of bytes.
        bytes: u64,
    },
    /// The job was cancelled: drop everything of it.
    JobStopped {
        /// The job.
        job: JobId,
    },
    /// No more jobs will come: retire all workers when the open jobs are done.
    Close,
    /// End all workers now: terminate them, and kill those that outlive the grace
    /// period. All work is dropped.
    Terminate,
    /// Kill all workers now. All work is dropped.
    Kill,
}

/// Why a worker died, or why an item failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The process crashed, exited, or was killed from outside.
    Crashed,
    /// An item ran for too long.
    TimedOut,
    /// An item exceeded the memory limit.
    OutOfMemory,
}
