//! The pool as it works: jobs, which are blocks of opaque bytes.
//!
//! [`crate::raw::Pool`] is made of this. It is for programs that have bytes already,
//! or that run a worker's program of their own: where blocks come from is a
//! [`Source`], where results go is a [`Sink`], and what the bytes mean is
//! between the [`Job`] and the worker.

mod flow;
mod job;
mod pool;
mod waker;
mod worker_info;

pub use crate::local::{Local, LocalControl, MakeLocalTask};
pub use flow::{Account, Batch, Block, Credit, Cut, Delivery, ItemFailure, Place, Sink, Source};
pub use job::{Job, JobEnd};
pub use pool::{Builder, Control, JobHandle, Pool};
pub use waker::Waker;
pub use worker_info::AskedWorker;

pub use crate::limits::{LEAST_WINDOW_BYTES, WINDOW_BYTES};

/// The message by which a coordinator tells a worker of a job; what a worker's
/// program makes its tasks from.
pub use procession_wire::Job as JobMessage;
