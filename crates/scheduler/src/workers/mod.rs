//! What the scheduler knows of the workers: the state and the attempts of each,
//! who can take work, their deadlines, what is kept for those that are starting, and
//! whether a new one may be spawned.

mod first_chunks;
mod queue;
mod roster;
mod starts;
mod timers;
mod worker;

pub(crate) use first_chunks::FirstChunks;
pub(crate) use queue::AttemptQueue;
pub(crate) use roster::Roster;
pub(crate) use starts::{LackVerdict, StartTracker, rest_after};
pub(crate) use worker::{EndReason, Worker, WorkerState};
