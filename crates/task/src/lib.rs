//! What a task is.
//!
//! There are two traits. Users implement [`Task`]: one item in, one result out. A
//! worker runs a [`BlockTask`]: a block of many items in, finished output and log
//! lines out. [`TextTask`] turns the first into the second. Threads, processes and
//! the serial loop all run the same block code, so that they differ only in the
//! boundary between the parts.
//!
//! This crate knows nothing of pipes, processes and clocks: the time comes from the
//! [`Host`] that runs a block.
//!
//! Modules, from the bottom up:
//!
//! - `outcome`, `table`: failures, the records of tables
//! - `items`, `params`, `value`: how input is cut into items, a task's parameters,
//!   how items are parsed and results written
//! - `record`, `record_reader`, `itemlog`: output records, log lines
//! - [`shell_quote`]: commands that can be pasted
//! - `times`: how a worker's time is measured
//! - `answer`: what a worker answers
//! - `task`, `block`, `last_lines`: the two traits, and the way back to the coordinator
//! - `terminal_writer`: records that a terminal shows
//! - `record_writer`, `runner`: from one trait to the other
//! - `spec`, `configuration`: what a job is, and what it runs on
//! - [`library_threads`]: threads of libraries, the worker's share of the CPUs
//! - [`builtin`]: the built-in tasks
//! - `plural`, `random`: helpers for all crates
#![forbid(unsafe_code)]

mod plural;
mod random;

mod outcome;
mod table;

mod items;
mod params;
mod times;
mod value;

mod catch_panic;
mod info;
mod last_lines;
mod record;
pub mod shell_quote;
mod task;

mod answer;
mod block;
mod coordinator_times;
mod itemlog;
mod record_reader;

mod spec;
mod text_options;

mod block_items;

mod configuration;
mod record_writer;
mod terminal_writer;

mod runner;

pub mod library_threads;

pub mod builtin;

pub use answer::{Answer, FailureAt};
pub use block::{Again, Block, BlockTask, Draft, Host, ProcessEnd, Reply, RunningItem};
pub use block_items::{BlockItem, BlockItems};
pub use catch_panic::{catch_panic, is_running_item, note_panic};
pub use configuration::{Configuration, Executor};
pub use coordinator_times::CoordinatorTimes;
pub use info::TaskInfo;
pub use itemlog::{ATTEMPT_LINE, Child, CoordinatorLine, Identity, LOGGED_BYTES, LOGGED_FAILED_BYTES};
pub use items::{FRAME_BYTES, Items, Measure};
pub use last_lines::LastLines;
pub use outcome::{Cause, Failure, FailureKind, MESSAGE_BYTES};
pub use params::{ParamError, ParamInfo, ParamSpec, Params};
pub use plural::counted;
pub use random::SplitMix64;
pub use record::{CSV_HEADER, Format, NO_RESULT, Record, ResultText, escape_terminal};
pub use record_reader::RecordParts;
pub use record_writer::{FinishedItem, RecordWriter, too_long};
pub use runner::{ItemAttempt, RunBuffers, RunItem, TextTask, run_items};
pub use spec::{JobLimits, JobSpec, RETRY_ON, ResultOrder, RetryPolicy, chunk_size};
pub use table::{Column, RecordScanner, TableFormat, TableSpec, sniff_delimiter};
pub use task::{Task, TaskError};
pub use terminal_writer::TerminalWriter;
pub use text_options::TextOptions;
pub use times::{Sampler, Samples, SlowestItem, Times};
pub use value::{FromItem, ToText};
