//! What the scheduler knows of a job: its chunks, the ranges to be sent again,
//! the memory it holds, and what its items cost.

mod attempt;
mod chunks;
mod job;
mod retry;
mod sizing;
mod window;

pub(crate) use attempt::{Attempt, AttemptMode, ItemRange};
pub use job::SILENCE_GRACE;
pub(crate) use job::{InputState, RetryDecision, ScheduledJob};
pub use sizing::Sizing;
pub use window::CHUNK_OVERHEAD;
