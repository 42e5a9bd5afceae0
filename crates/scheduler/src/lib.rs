//! Who gets which chunk, how large it is, and what happens when a worker dies.
//!
//! This crate decides and does nothing else: it has no clock, no descriptor,
//! no process and no thread. A driver tells it what happened
//! ([`Scheduler::handle_event`], [`Scheduler::handle_timeout`]) and carries out
//! what it answers ([`Scheduler::poll_action`]), in that order, until the queue
//! of actions is empty; then it sleeps until the next event or until
//! [`Scheduler::poll_timeout`]. The scheduler knows ids, counts and lengths,
//! never the content of an item.
//!
//! What it promises, whatever the workers do:
//!
//! - every item is accepted or charged exactly once, and delivered exactly
//!   once, in input order where the job asks for it;
//! - an item is charged with a death only if it was alone in the worker that
//!   died, or if the worker itself named it;
//! - what a job holds in memory is bounded by its window plus what was already
//!   in flight when it filled up, and a retry never waits for room;
//! - as long as some worker can be started and runs its items, the job ends;
//! - no event makes it panic: what a sound worker cannot say gets the worker
//!   killed, what is merely late is dropped.
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
