//! The pool as it works: jobs, which are blocks of opaque bytes.
//!
//! [`crate::raw::Pool`] is made of this. It is for programs that have bytes already,
//! or that run a worker's program of their own: where blocks come from is a
//! [`Source`], where results go is a [`Sink`], and what the bytes mean is
//! between the [`Job`] and the worker.

mod backend;
mod flow;
mod job;
mod pool;
mod waker;
mod worker_info;

pub use crate::in_process::{InProcess, MakeLocalTask};
pub use backend::{Backend, Control, JobHandle, Request};
pub use flow::{Account, Batch, Block, Credit, Cut, Delivery, ItemFailure, Place, Sink, Source};
pub use job::{Job, JobEnd};
pub use pool::{Builder, Pool};
pub use waker::Waker;
pub use worker_info::AskedWorker;

pub use crate::limits::{LEAST_WINDOW_BYTES, WINDOW_BYTES};
