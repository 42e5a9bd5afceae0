//! What the scheduler asks the driver to do.

use super::event::Fault;
use super::ids::{AttemptId, ChunkId, JobId, Slot, WorkerId};

/// Something to be done, in the order in which it is polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Make a worker, and answer with `Spawned` or `SpawnFailed`, at once or
    /// later. `Send` for it may follow before that, and before it is ready.
    Spawn {
        /// The place it takes.
        slot: Slot,
        /// Its id.
        worker: WorkerId,
    },
    /// Cut the next items of a job's input into a chunk, and answer with
    /// `ChunkCut`, `InputPending` or `InputEnded` before any other event. At
    /// least one item is cut, even if it is larger than `max_bytes`.
    Cut {
        /// The job.
        job: JobId,
        /// At most so many items.
        max_items: u32,
        /// At most so many bytes, but for the first item.
        max_bytes: u64,
    },
    /// Send a range of a chunk to a worker.
    Send {
        /// To whom.
        worker: WorkerId,
        /// The name of this dispatch.
        attempt: AttemptId,
        /// Whose chunk.
        job: JobId,
        /// Which chunk; the one that was just cut has the next number of its
        /// job.
        chunk: ChunkId,
        /// The first item, counted from the chunk's first.
        from: u32,
        /// How many items.
        items: u32,
        /// Whether the worker is to answer after every item.
        each: bool,
    },
    /// The answer just handled is valid: keep it as the result of these items.
    Accept {
        /// The attempt it belongs to.
        attempt: AttemptId,
        /// Whose chunk.
        job: JobId,
        /// Which chunk.
        chunk: ChunkId,
        /// The first item, counted from the chunk's first.
        from: u32,
        /// How many items.
        items: u32,
    },
    /// The answer just handled is stale or impossible: drop it.
    Discard {
        /// Who sent it.
        worker: WorkerId,
        /// The attempt that it named.
        attempt: AttemptId,
    },
    /// An item has failed for good: make its record, as if that had been
    /// accepted.
    Charge {
        /// Whose item.
        job: JobId,
        /// Which chunk.
        chunk: ChunkId,
        /// Which item, counted from the chunk's first.
        item: u32,
        /// The worker it died in last.
        worker: WorkerId,
        /// How many attempts were charged to it.
        attempts: u32,
        /// How the last of them ended.
        fault: Fault,
    },
    /// Hand this range to the sink: exactly a range that was accepted or
    /// charged, in input order if the job is ordered.
    Deliver {
        /// Whose results.
        job: JobId,
        /// Which chunk.
        chunk: ChunkId,
        /// The first item, counted from the chunk's first.
        from: u32,
        /// How many items.
        items: u32,
    },
    /// Every item of the chunk was accepted or charged: its block will not be
    /// sent again.
    Forget {
        /// Whose chunk.
        job: JobId,
        /// Which chunk.
        chunk: ChunkId,
    },
    /// Ask a worker to end: nothing more will be sent.
    Retire {
        /// The worker; what it may still hold belongs to jobs that were stopped.
        worker: WorkerId,
    },
    /// End a worker with a signal that it may handle.
    Terminate {
        /// The worker.
        worker: WorkerId,
    },
    /// End a worker at once.
    Kill {
        /// The worker.
        worker: WorkerId,
        /// What for.
        reason: KillReason,
    },
    /// Nothing more will be asked for this job; an answer that is still to come
    /// will be discarded, and whatever is held for it can be dropped once what
    /// was delivered is written.
    JobDone {
        /// The job.
        job: JobId,
        /// Whether it ended before all of its items were delivered.
        stopped: bool,
    },
    /// The pool cannot go on. What follows: every job done (stopped), every
    /// worker ended, `Closed`.
    GiveUp {
        /// Why.
        reason: GiveUp,
    },
    /// Every worker has ended, after `Close`, `Terminate`, `Kill` or `GiveUp`.
    /// The last action of all, but for the `Discard` of an answer and the
    /// `JobDone` (stopped) of a job that come later still.
    Closed,
}

/// Why a worker is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KillReason {
    /// The pool ends.
    PoolEnds,
    /// It was asked to end, or said itself that it would, and stayed.
    GraceExpired,
    /// It was not ready in time.
    StartTimedOut,
    /// It answered what it was not asked.
    ProtocolViolation,
    /// It said nothing for longer than an item may run.
    Unresponsive,
}

/// Why the pool cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// Workers cannot be started.
    CannotStart {
        /// How many starts have failed since a worker was last ready.
        failures: u32,
    },
}
