//! The actions that the scheduler requests from the driver.

use super::event::Fault;
use super::ids::{AttemptId, ChunkId, JobId, Slot, WorkerId};

/// A requested action. The driver carries out actions in the order in which it
/// polls them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Create a worker, and answer with `Spawned` or `SpawnFailed`, at once or later.
    Spawn {
        /// The slot that the worker takes.
        slot: Slot,
        /// The worker's id.
        worker: WorkerId,
    },
    /// Cut the next items of a job's input into a chunk, and answer with `ChunkCut`,
    /// `InputPending` or `InputEnded` before any other event. At least one item is cut,
    /// even if it is larger than `max_bytes`.
    Cut {
        /// The job.
        job: JobId,
        /// The maximum number of items.
        max_items: u32,
        /// The maximum number of bytes. The first item may be larger.
        max_bytes: u64,
    },
    /// Send a range of a chunk to a worker that is ready.
    Send {
        /// The receiver.
        worker: WorkerId,
        /// The id of this attempt.
        attempt: AttemptId,
        /// The job of the chunk.
        job: JobId,
        /// The chunk. A chunk that was just cut has the next number of its job.
        chunk: ChunkId,
        /// The first item, counted from the chunk's first.
        from: u32,
        /// The number of items.
        items: u32,
        /// Whether the worker must answer after every item.
        each: bool,
    },
    /// The answer that was just handled is valid: keep it as the result of these items.
    Accept {
        /// The attempt it belongs to.
        attempt: AttemptId,
        /// The job of the chunk.
        job: JobId,
        /// The chunk.
        chunk: ChunkId,
        /// The first item, counted from the chunk's first.
        from: u32,
        /// The number of items.
        items: u32,
    },
    /// The answer that was just handled is late or impossible: drop it.
    Discard {
        /// The worker that sent the answer.
        worker: WorkerId,
        /// The attempt named in the answer.
        attempt: AttemptId,
    },
    /// An item has failed for good: write its record, as if an accepted answer held it.
    Charge {
        /// The item's job.
        job: JobId,
        /// The chunk.
        chunk: ChunkId,
        /// The item, counted from the chunk's first.
        item: u32,
        /// The worker of the last attempt.
        worker: WorkerId,
        /// The number of attempts that were charged to the item.
        attempts: u32,
        /// How the last attempt ended.
        fault: Fault,
    },
    /// Pass this range to the sink. It is exactly a range that was accepted or charged;
    /// ranges come in input order if the job is ordered.
    Deliver {
        /// The job of the results.
        job: JobId,
        /// The chunk.
        chunk: ChunkId,
        /// The first item, counted from the chunk's first.
        from: u32,
        /// The number of items.
        items: u32,
    },
    /// Every item of the chunk was accepted or charged: its block will not be sent
    /// again and can be dropped.
    Forget {
        /// The job of the chunk.
        job: JobId,
        /// The chunk.
        chunk: ChunkId,
    },
    /// Ask a worker to end: it gets no more work.
    Retire {
        /// The worker. Attempts that it still holds belong to jobs that were stopped.
        worker: WorkerId,
    },
    /// End a worker with a signal that it can handle (SIGTERM).
    Terminate {
        /// The worker.
        worker: WorkerId,
    },
    /// End a worker at once (SIGKILL).
    Kill {
        /// The worker.
        worker: WorkerId,
        /// The reason.
        reason: KillReason,
    },
    /// No more actions follow for this job. A later answer will be discarded. The
    /// driver can drop everything it holds for the job once the delivered results are
    /// written.
    JobDone {
        /// The job.
        job: JobId,
        /// Whether it ended before all of its items were delivered.
        stopped: bool,
    },
    /// The pool cannot go on. Then follow: `JobDone` (stopped) for every job, the end
    /// of every worker, and `Closed`.
    GiveUp {
        /// The reason.
        reason: GiveUp,
    },
    /// Every worker has ended, after `Close`, `Terminate`, `Kill` or `GiveUp`. This is
    /// the last action, except for the `Discard` of a later answer and the `JobDone`
    /// (stopped) of a later job.
    Closed,
}

/// Why a worker is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KillReason {
    /// The pool ends.
    PoolEnds,
    /// The worker did not end within its grace period after it was asked to end, or
    /// after it reported that it would.
    GraceExpired,
    /// The worker was not ready before the start timeout.
    StartTimedOut,
    /// The worker sent an answer that does not fit what it was asked.
    ProtocolViolation,
    /// The worker could not start what its job needs.
    Refused,
    /// The worker sent nothing for longer than an item may run.
    Unresponsive,
}

/// Why the pool cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// No worker can be started.
    CannotStart {
        /// The number of failed starts since a worker last worked.
        failures: u32,
    },
}
