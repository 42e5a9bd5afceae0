//! What the scheduler knows of the workers: the state and the attempts of each,
//! who can take work, their deadlines, and whether a new one may be spawned.

mod queue;
mod roster;
mod starts;
mod timers;
mod worker;

pub(crate) use queue::AttemptQueue;
pub(crate) use roster::Roster;
pub(crate) use starts::{SPAWN_RETRY, SPAWN_RETRY_ALONE, StartTracker};
pub(crate) use worker::{EndReason, Worker, WorkerState};
