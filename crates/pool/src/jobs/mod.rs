//! What a job is to the pool: its specification with a source and a sink, and
//! what every backend does with it.

mod error;
mod task_entry;
mod waker;

mod source_sink;
mod window;

mod answers;
mod job;

mod backend;

pub use backend::{Backend, Control, JobHandle, Request};
pub use error::PoolError;
pub use job::{Job, JobEnd};
pub use source_sink::{Account, Batch, Credit, Cut, Delivery, InputBlock, ItemFailure, Place, Sink, Source};
pub use waker::Waker;
pub use window::{LEAST_WINDOW_BYTES, WINDOW_BYTES};

pub(crate) use answers::{cost, failures};
pub(crate) use task_entry::{PrepareCall, SetUpCall, encode_address, entry_at, prepare};
