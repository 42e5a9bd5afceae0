//! What observers hear: progress, logs, timings, tables and traces are all made
//! from these events and from nothing else.
//!
//! Every `at` is a time since the run's start. Observers are called on the
//! driver's thread: they must hand over what takes time, and they can't fail
//! the run.

use super::phases::DriverTimes;
use bytes::Bytes;
use procession_task::{Cause, Failure, Times};
use std::time::Duration;

/// Hears of events. It must not panic: it runs on the thread that everything hangs on.
pub trait Observer: Send {
    /// Something happened. Called on the driver's thread, in order; must return
    /// within microseconds. An observer that hands over to a thread may wait for
    /// it when far too much is waiting already, but only for a bounded time.
    fn on_event(&mut self, event: &Event);

    /// Called once after each group of events that came together, so that
    /// small things can be handed over in one go.
    fn flush(&mut self) {}
}

/// Which process (or thread) an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct WorkerRef {
    /// Its place in the pool, from 0; kept when it is replaced.
    pub slot: u32,
    /// Which process of its slot it is, from 0.
    pub nth: u32,
    /// Its process id.
    pub pid: u32,
}

/// How a worker's process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It exited with this status.
    Status(i32),
    /// It was ended by this signal.
    Signal(i32),
}

impl From<Exit> for Cause {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Status(status) => Self::Status(status),
            Exit::Signal(signal) => Self::Signal(signal),
        }
    }
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// The pool is being created; everything is timed from here.
    RunStarted {
        /// How many workers there are to be.
        slots: u32,
    },
    /// A process was spawned.
    WorkerSpawned {
        /// Which one.
        worker: WorkerRef,
        /// When.
        at: Duration,
    },
    /// A process could not be spawned.
    SpawnFailed {
        /// For which place.
        slot: u32,
        /// What the system said.
        message: String,
        /// When.
        at: Duration,
    },
    /// A worker said hello, or a thread has made its task: it is ready to work.
    WorkerReady {
        /// Which one.
        worker: WorkerRef,
        /// The host it runs on.
        host: String,
        /// When.
        at: Duration,
    },
    /// A chunk was put on its way to a worker.
    ChunkSent {
        /// To whom.
        worker: WorkerRef,
        /// Its number within its job.
        chunk: u64,
        /// Index of its first item that was sent.
        first: u64,
        /// How many items were sent.
        items: u32,
        /// How many times these items have been sent, this time included.
        attempt: u32,
        /// When.
        at: Duration,
    },
    /// Results were accepted; each item is accepted once in a run.
    Accepted(Accepted),
    /// An item got its outcome from the pool, because its process died.
    ItemLost {
        /// The process that it was last in.
        worker: WorkerRef,
        /// Its chunk.
        chunk: u64,
        /// Its index in the input.
        item: u64,
        /// The item itself.
        input: Bytes,
        /// How many times it was sent.
        attempt: u32,
        /// What it was charged with.
        failure: Failure,
        /// When it was last sent.
        sent_at: Duration,
        /// When it was given up.
        at: Duration,
    },
    /// A worker wrote this to its standard error.
    Stderr {
        /// Which one.
        worker: WorkerRef,
        /// What it wrote.
        bytes: Bytes,
    },
    /// A worker has something to say that the person who waits should know.
    Note {
        /// Which one.
        worker: WorkerRef,
        /// A sentence or two, safe for a terminal.
        text: String,
        /// When.
        at: Duration,
    },
    /// The program that ran an item left something behind that was still
    /// writing when its output was given up: the item's output may be cut. Comes
    /// before the item's outcome, and again if that is lost and it is run again.
    OutputCut {
        /// The worker that ran it.
        worker: WorkerRef,
        /// Index of the item in the input.
        item: u64,
        /// When.
        at: Duration,
    },
    /// A process ended and was reaped.
    WorkerExited(WorkerExit),
    /// The last worker has ended; everything is timed until here.
    RunEnded {
        /// When.
        at: Duration,
        /// Where the driver's time went, if there was one.
        driver: Option<DriverTimes>,
    },
}

/// Results that were accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Who did it.
    pub worker: WorkerRef,
    /// The chunk that the items belong to.
    pub chunk: u64,
    /// Index of the first item.
    pub first: u64,
    /// How many items.
    pub items: u32,
    /// How many of them failed.
    pub failed: u32,
    /// How many times these items were sent.
    pub attempt: u32,
    /// How long the worker was busy with them.
    pub busy: Duration,
    /// Log lines of the items, if they were asked for.
    pub log: Bytes,
    /// Lines to be shown at once, if they were asked for.
    pub shown: Bytes,
    /// When they were accepted.
    pub at: Duration,
}

/// The end of a worker's process.
#[derive(Clone, Debug)]
pub struct WorkerExit {
    /// Which one.
    pub worker: WorkerRef,
    /// How.
    pub exit: Exit,
    /// Whether the pool asked for it (the work was done, or the run was ended).
    pub asked: bool,
    /// Processor time in user mode.
    pub cpu_user: Duration,
    /// Processor time in the kernel.
    pub cpu_system: Duration,
    /// Most memory it ever held, in bytes, if it could say so.
    pub peak_memory: Option<u64>,
    /// Where its time went, by its own clock, if it could say so.
    pub times: Option<Times>,
    /// When it had said so, which is the last thing that it does.
    pub told_at: Option<Duration>,
    /// Items whose results were accepted from it.
    pub items: u64,
    /// Chunks whose results were accepted from it.
    pub chunks: u64,
    /// When.
    pub at: Duration,
}
