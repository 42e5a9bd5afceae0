//! Logs, statistics, tables, charts and live output of runs.
//!
//! Observers receive the [`procession::Event`]s of a run, or a reader gets them
//! from a log. The pool does not depend on this crate. Text from items and
//! workers is escaped before it is written to a terminal.
//!
//! The rooms; each imports only rooms above it:
//!
//! - `text`: formatting of numbers and times; escaping.
//! - `background`: a queue between the driver and a thread that writes.
//! - `model`: the data of a study: its call, its runs, their processes and items.
//! - `live`: observers of a run in progress, which collect data or show it.
//! - `log`: a study's log folder, written and read, and the job log.
//! - `analysis`: statistics, speedups, break-even points, verdicts, advice.
//! - `render`: tables, charts, the page, timings, the trace.
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
pub use log::joblog::{CommandOf, JobLog, JobLogging};
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
pub use render::summary::{Summary, SummaryDetail};
pub use render::timings::{TimingsFormat, write_timings};
pub use render::trace::write_trace;
pub use text::units;
pub use text::utc::rfc3339;
