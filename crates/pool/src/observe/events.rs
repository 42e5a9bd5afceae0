//! The events that observers receive. Progress, logs, timings, tables and traces
//! are made from these events and from nothing else.
//!
//! Every `at` is a time since the run's start. Observers are called on the driver's
//! thread: they hand over work that takes time to threads of their own, and they
//! can't fail the run.

use super::phases::DriverTimes;
use bytes::Bytes;
use procession_task::{Cause, Failure, SlowestItem, Times};
use std::time::Duration;

/// Receives events. It must not panic: it runs on the driver's thread, and a panic
/// there ends the whole pool.
pub trait Observer: Send {
    /// Something happened. Called on the driver's thread, in order; must return
    /// within microseconds. An observer that passes events to a thread may wait for
    /// that thread when its queue is full, but only for a bounded time.
    fn on_event(&mut self, event: &Event);

    /// Called once after each group of events that came together, so that small
    /// events can be passed on together.
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
        /// The number of slots, that is of workers at a time.
        slots: u32,
    },
    /// A process was spawned.
    WorkerSpawned {
        /// The worker.
        worker: WorkerRef,
        /// The time of the event.
        at: Duration,
    },
    /// A process could not be spawned.
    SpawnFailed {
        /// The slot.
        slot: u32,
        /// The system's error.
        message: String,
        /// Whether it lacked a resource for the moment: the spawn is tried again.
        is_temporary: bool,
        /// The time of the event.
        at: Duration,
    },
    /// A worker has sent its hello, or a thread has made its task: it is ready to
    /// work.
    WorkerReady {
        /// The worker.
        worker: WorkerRef,
        /// The host it runs on.
        host: String,
        /// The time of the event.
        at: Duration,
    },
    /// A chunk was queued for sending to a worker.
    ChunkSent {
        /// The worker.
        worker: WorkerRef,
        /// The chunk's number within its job.
        chunk: u64,
        /// Index of its first item that was sent.
        first: u64,
        /// How many items were sent.
        items: u32,
        /// How many times these items have been sent, this time included.
        attempt: u32,
        /// The time of the event.
        at: Duration,
    },
    /// Results were accepted; each item is accepted once in a run.
    Accepted(Accepted),
    /// An item got its outcome from the pool, because its process died.
    ItemLost {
        /// The last worker that the item was sent to.
        worker: WorkerRef,
        /// The item's chunk.
        chunk: u64,
        /// The item's index in the input.
        item: u64,
        /// The item itself.
        input: Bytes,
        /// How many times the item was sent.
        attempt: u32,
        /// The item's failure.
        failure: Failure,
        /// When the item was last sent.
        sent_at: Duration,
        /// When the pool gave the item up.
        at: Duration,
    },
    /// An attempt has no outcome: its process died, and its items are sent again.
    AttemptLost {
        /// The worker that died.
        worker: WorkerRef,
        /// The chunk of the items.
        chunk: u64,
        /// Index of the first item in the input.
        first: u64,
        /// How many items: one if it is known which was running, else all that the worker
        /// had been sent together and not answered.
        items: u32,
        /// How many times these items had been sent, this time included.
        attempt: u32,
        /// What the worker died of.
        failure: Failure,
        /// When the items were sent.
        sent_at: Duration,
        /// When the worker was found dead.
        at: Duration,
    },
    /// A worker wrote to its standard error.
    Stderr {
        /// The worker.
        worker: WorkerRef,
        /// The bytes that it wrote.
        bytes: Bytes,
    },
    /// A worker has a note for the user.
    Note {
        /// The worker.
        worker: WorkerRef,
        /// One or two sentences, escaped for a terminal.
        text: String,
        /// Whether it is about something that will hardly end by itself, so that the user
        /// must see it.
        is_warning: bool,
        /// The time of the event.
        at: Duration,
    },
    /// An item has this type for the code of the user that runs it. Told for a
    /// worker's first item, and for the first one that is a number or a text where
    /// the items before it were not.
    ItemType {
        /// The worker.
        worker: WorkerRef,
        /// The type's name, escaped for a terminal: `int`, for example.
        name: String,
    },
    /// The program that ran an item left a process behind that was still writing
    /// when the worker stopped reading: the item's output may be incomplete. Comes
    /// before the item's outcome, and again if that outcome is lost and the item is
    /// run again.
    OutputCut {
        /// The worker that ran it.
        worker: WorkerRef,
        /// Index of the item in the input.
        item: u64,
        /// The time of the event.
        at: Duration,
    },
    /// A process ended and was reaped.
    WorkerExited(WorkerExit),
    /// The last worker has ended; everything is timed until here.
    RunEnded {
        /// The time of the event.
        at: Duration,
        /// Where the driver's time went, if there was one.
        driver: Option<DriverTimes>,
    },
}

/// Results that were accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// The worker.
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
    /// The slowest of them, if they have log lines.
    pub slowest: SlowestItem,
    /// The items' log lines, if the job has a log line for every item.
    pub log: Bytes,
    /// The items' lines to be shown at once, if the job has such lines.
    pub shown: Bytes,
    /// When they were accepted.
    pub at: Duration,
}

/// The end of a worker's process.
#[derive(Clone, Debug)]
pub struct WorkerExit {
    /// The worker.
    pub worker: WorkerRef,
    /// How it ended.
    pub exit: Exit,
    /// Whether the pool asked the worker to end (the work was done, or the run was
    /// ended).
    pub asked: bool,
    /// Processor time in user mode.
    pub cpu_user: Duration,
    /// Processor time in the kernel.
    pub cpu_system: Duration,
    /// The process's peak memory in bytes, if it reported it.
    pub peak_memory: Option<u64>,
    /// Where the worker's time went, by its own clock, if it reported it.
    pub times: Option<Times>,
    /// When the worker reported it, which is the last thing that it does.
    pub told_at: Option<Duration>,
    /// Items whose results were accepted from it.
    pub items: u64,
    /// Chunks whose results were accepted from it.
    pub chunks: u64,
    /// The time of the event.
    pub at: Duration,
}
