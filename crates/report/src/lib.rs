//! What is learned from a run's events: the log and its reader, statistics,
//! tables, the progress bar and the live lines.
//!
//! Everything here hears of [`procession::Event`]s through observers, or reads
//! them back from a log; the pool knows nothing of it. What comes from items
//! and workers is escaped before it meets a terminal.

#![forbid(unsafe_code)]

mod queue;
pub mod read;
mod runlog;
#[cfg(test)]
mod samples;
pub mod stats;
mod study;
mod units;
mod utc;
mod worker;

pub use runlog::{
    ChunkLine, KEEP_BYTES, KEEP_FOLDERS, LogError, LogFolder, LogOptions, NoteLine, RunLogger, RunLogging, Warn,
    default_root, latest_log,
};
pub use study::{
    Configuration, Executor, LOG_VERSION, LogLevel, Machine, RunRecord, RunResult, RunStart, RunStatus, Study,
};
pub use utc::rfc3339;
pub use worker::{ProcessEnd, ProcessName, WorkerLine, WorkerRow, WorkerRows};
