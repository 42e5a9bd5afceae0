//! A process pool that people can trust: ordered results from many processes.
//!
//! This crate holds the pool's driver, what workers run to serve it, and the
//! events that observers hear. The pool sees blocks of opaque bytes: where
//! they come from is a [`Source`], where results go is a [`Sink`].

#![forbid(unsafe_code)]

pub mod raw;
pub mod worker;

mod builder;
mod clock;
mod driver;
mod engine;
mod error;
mod events;
mod feed;
mod handle;
mod init;
mod limits;
mod local;
mod mailbox;
mod map;
mod outcome;
mod phases;
mod pool;
mod remote;
mod results;
mod stopwatch;
mod watchers;
mod work;

pub use builder::Builder;
pub use error::PoolError;
pub use events::{Accepted, Event, Exit, Observer, WorkerExit, WorkerRef};
pub use handle::Handle;
pub use init::init;
pub use map::{Map, MapUnordered};
pub use outcome::{ItemError, Outcome};
pub use phases::DriverTimes;
pub use pool::{Control, Pool};
pub use procession_scheduler::ChunkSize;
pub use procession_task::{Kind, Task, TaskError};
pub use stopwatch::{Phase, Stopwatch};
pub use work::{Fallible, Function, Value, Work};

/// Where a worker's time goes.
pub use procession_task::Times;

/// The outcomes that are tried again unless something else is said: those that
/// may lie with the process as much as with the item.
pub const RETRY_ON: [Kind; 2] = [Kind::Crashed, Kind::OutOfMemory];
