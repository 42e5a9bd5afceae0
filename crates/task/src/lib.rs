//! What a task is.
//!
//! Two traits: [`Task`] is what people write (one item in, one result out);
//! [`BlockTask`] is what a worker runs (a block of many items in, finished
//! output and log lines out). Blanket code, [`TextTask`], turns the first into
//! the second. Threads, processes and the serial loop all run the same block
//! code, so that they differ in nothing but the boundary between them.
//!
//! Nothing here knows of pipes, processes or clocks: the time comes from the
//! [`Host`] that runs a block.

#![forbid(unsafe_code)]

pub mod builtin;
pub mod shell_quote;

mod block;
mod catch_panic;
mod configuration;
mod coordinator_times;
mod info;
mod itemlog;
mod items;
mod outcome;
mod params;
mod plural;
mod random;
mod record;
mod record_writer;
mod runner;
mod spec;
mod task;
mod times;
mod value;

pub use block::{Again, Answer, Block, BlockTask, Draft, FailureAt, Host, ProcessEnd, Reply, RunningItem};
pub use catch_panic::{catch_panic, is_running_item, note_panic};
pub use configuration::{Configuration, Executor};
pub use coordinator_times::CoordinatorTimes;
pub use info::{ParamInfo, TaskInfo};
pub use itemlog::{CoordinatorLine, Identity, LOGGED_BYTES};
pub use items::{FRAME_BYTES, Items, Measure};
pub use outcome::{Cause, Failure, FailureKind, MESSAGE_BYTES};
pub use params::{ParamError, ParamSpec, Params};
pub use plural::counted;
pub use random::SplitMix64;
pub use record::{CSV_HEADER, Format, NO_RESULT, Record, ResultText, escape_terminal};
pub use record_writer::{Child, FinishedItem, RecordWriter, too_long};
pub use runner::{ItemAttempt, RunBuffers, RunItem, TextOptions, TextTask, run_items};
pub use spec::{JobLimits, JobSpec, RETRY_ON, ResultOrder, RetryPolicy, chunk_size};
pub use task::{Task, TaskError};
pub use times::{Sampler, Samples, Times};
pub use value::{FromItem, ToText};
