//! A process pool that people can trust: ordered results from many processes.
//!
//! This crate holds the pool's driver, what workers run to serve it, and the
//! events that observers hear. The pool sees blocks of opaque bytes: where
//! they come from is a [`Source`], where results go is a [`Sink`].

#![forbid(unsafe_code)]

pub mod worker;

mod clock;
mod driver;
mod error;
mod events;
mod flow;
mod job;
mod limits;
mod local;
mod mailbox;
mod phases;
mod pool;
mod stopwatch;
mod waker;
mod worker_info;

pub use error::PoolError;
pub use events::{Accepted, Event, Exit, Observer, WorkerExit, WorkerRef};
pub use flow::{Account, Batch, Block, Credit, Cut, Delivery, ItemFailure, Place, Sink, Source};
pub use job::{ChunkSize, Job, JobEnd, RETRY_ON};
pub use limits::{LEAST_WINDOW_BYTES, WINDOW_BYTES};
pub use local::{Local, LocalControl, MakeLocalTask};
pub use phases::DriverTimes;
pub use pool::{Builder, Control, JobHandle, Pool};
pub use stopwatch::{Phase, Stopwatch};
pub use waker::Waker;
pub use worker_info::AskedWorker;

/// Where a worker's time goes.
pub use procession_task::Times;

/// The message by which a coordinator tells a worker of a job; what a worker's
/// program makes its tasks from.
pub use procession_wire::Job as JobMessage;
