//! The vocabulary of the interface: ids, points in time, options, what the
//! driver reports (events) and what the scheduler requests (actions).

mod action;
mod event;
mod ids;
mod options;
mod time;

pub use action::{Action, GiveUp, KillReason};
pub use event::{Fault, SchedulerEvent};
pub use ids::{AttemptId, ChunkId, JobId, Slot, WorkerId};
pub use options::{ChunkSize, JobOptions, PoolOptions};
pub use time::RunTime;
