//! A process pool that people can trust: ordered results from many processes.
//!
//! This crate holds the pool's driver, what workers run to serve it, and the
//! events that observers hear. The pool sees blocks of opaque bytes: where
//! they come from is a [`Source`], where results go is a [`Sink`].

#![forbid(unsafe_code)]

pub mod raw;
pub mod worker;

mod clock;
mod driver;
mod error;
mod events;
mod limits;
mod local;
mod mailbox;
mod phases;
mod stopwatch;

pub use error::PoolError;
pub use events::{Accepted, Event, Exit, Observer, WorkerExit, WorkerRef};
pub use phases::DriverTimes;
pub use procession_scheduler::ChunkSize;
pub use procession_task::Kind;
pub use stopwatch::{Phase, Stopwatch};

/// Where a worker's time goes.
pub use procession_task::Times;

/// The outcomes that are tried again unless something else is said: those that
/// may lie with the process as much as with the item.
pub const RETRY_ON: [Kind; 2] = [Kind::Crashed, Kind::OutOfMemory];
