//! The pool of jobs, which are blocks of opaque bytes.
//!
//! [`crate::Pool`] is made of this. It is for programs that have bytes already, or
//! that run a worker's program of their own. Blocks come from a [`Source`], results
//! go to a [`Sink`], and only the worker interprets the bytes.

pub use crate::driver::{AskedWorker, ProcessPool, ProcessPoolBuilder};
pub use crate::in_process::{InProcess, MakeThreadTask};
pub use crate::jobs::{
    Account, Backend, Batch, Control, Credit, Cut, Delivery, InputBlock, ItemFailure, Job, JobEnd, JobHandle,
    LEAST_WINDOW_BYTES, Place, Request, Sink, Source, WINDOW_BYTES, Waker,
};
/// The longest block that can be sent to a worker process, in bytes.
pub use procession_wire::frame::BLOCK_LIMIT as MAX_BLOCK_BYTES;
