//! What is learned from a run's events: the log and its reader, statistics,
//! tables, the progress bar and the live lines.
//!
//! Everything here hears of [`procession::Event`]s through observers, or reads
//! them back from a log; the pool knows nothing of it. What comes from items
//! and workers is escaped before it meets a terminal.
//!
//! The rooms, each of which imports only those above it:
//!
//! - `text`: times, sizes and dates as people read them; escapes.
//! - `background`: a queue before a thread that writes.
//! - `model`: what a study is: its call, its runs, their processes and items.
//! - `live`: the observers of a run under way: they gather, or show it.
//! - `log`: the files of a study, written and read, and the job log.
//! - `analysis`: what is concluded: statistics, speedups, bottlenecks, advice.
//! - `render`: what a study is drawn as: tables, charts, the page, the trace.
//! - `inspect`: answers to questions about logs.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]

mod text;
mod model;
mod background;
mod log;
mod live;
mod analysis;
mod render;
pub mod inspect;
#[cfg(test)]
mod samples;

pub use analysis::advice::{Advice, advice};
pub use live::collector::{Collected, Collector};
pub use live::machine_load::MachineLoad;
pub use live::progress::{Progress, ProgressBar};
pub use live::progress_line::ProgressTotal;
pub use live::span_collector::{CollectedSpans, SpanCollector};
pub use live::terminal::Terminal;
pub use live::verbose::{Verbose, VerboseLines};
pub use log::error::{LogError, Warn};
pub use log::joblog::{JobLog, JobLogging};
pub use log::read;
pub use log::write::folder::{LogFolder, latest_log};
pub use log::write::logger::{LogOptions, RunLogging};
pub use model::failure::{FailureList, FailureRow};
pub use model::run_summary::RunSummary;
pub use model::spans::Spans;
pub use model::study::{
    Configuration, Executor, LOG_VERSION, LogLevel, Machine, RunResult, RunStart, RunStatus, StudyRecord,
};
pub use model::study_data::StudyData;
pub use render::chart;
pub use render::page::page;
pub use render::style::Style;
pub use render::summary::Summary;
pub use render::timings::{TimingsFormat, write_timings};
pub use render::trace::write_trace;
pub use text::units;
pub use text::utc::rfc3339;
