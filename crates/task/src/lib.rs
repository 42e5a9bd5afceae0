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
mod confined;
mod info;
mod itemlog;
mod items;
mod outcome;
mod params;
mod record;
mod runner;
mod scribe;
mod task;
mod times;
mod value;
mod words;

pub use block::{Again, Answer, Block, BlockTask, Draft, FailureAt, Host, ProcessEnd, Reply, Running};
pub use confined::{confined, is_running_item, note_panic};
pub use info::{ParamInfo, TaskInfo};
pub use itemlog::{CoordinatorLine, Identity, LOGGED_BYTES};
pub use items::{FRAME_BYTES, Items, Measure};
pub use outcome::{Cause, Failure, Kind, MESSAGE_BYTES};
pub use params::{ParamError, ParamSpec, Params};
pub use record::{CSV_HEADER, Format, NO_RESULT, Output, Record, escape_terminal};
pub use runner::{Attempt, Kept, RunItem, TextOptions, TextTask, run_items};
pub use scribe::{Done, Scribe, too_long};
pub use task::{Task, TaskError};
pub use times::{Sampler, Samples, Times};
pub use value::{FromItem, ToText};
pub use words::counted;
