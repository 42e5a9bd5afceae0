//! Decides which worker gets which chunk, how large a chunk is, and what happens
//! when a worker dies.
//!
//! This crate decides and does nothing else: it has no clock, no file descriptor,
//! no process and no thread. A driver reports what happened
//! ([`Scheduler::handle_event`], [`Scheduler::handle_timeout`]). It then carries
//! out the requested actions ([`Scheduler::poll_action`]) in their order until the
//! queue is empty. After that the driver waits for the next event, or until
//! [`Scheduler::poll_timeout`]. The scheduler knows ids, counts and lengths, never
//! the content of an item.
//!
//! Guarantees, whatever the workers do:
//!
//! - Every item is accepted or charged exactly once, and delivered exactly once, in
//!   input order if the job asks for it.
//! - Only a worker that is ready holds items.
//! - An item is charged with a worker's death only if it was the only item in that
//!   worker, or if the worker itself named it.
//! - The memory that a job holds is bounded by its window plus what was in flight
//!   when the window filled up. A retry never waits for room.
//! - As long as some worker can be started and runs its items, the job ends.
//! - No event causes a panic. A worker that sends an impossible message is killed;
//!   a late message is dropped.
//!
//! Modules, from the bottom up:
//!
//! - `model`: the vocabulary of the interface
//! - `jobs`: what the scheduler knows of a job
//! - `workers`: what the scheduler knows of the workers
//! - `machine`: the state machine, with a file for each kind of event
#![forbid(unsafe_code)]

mod model;

mod jobs;

mod workers;

mod machine;

pub use jobs::{CHUNK_OVERHEAD, SILENCE_GRACE, Sizing};
pub use machine::Scheduler;
pub use model::{
    Action, AttemptId, ChunkId, ChunkSize, Fault, GiveUp, JobId, JobOptions, KillReason, PoolOptions, RunTime,
    SchedulerEvent, Slot, WorkerId,
};
