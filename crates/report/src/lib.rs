//! What is learned from a run's events: the log and its reader, statistics,
//! tables, the progress bar and the live lines.
//!
//! Everything here hears of [`procession::Event`]s through observers, or reads
//! them back from a log; the pool knows nothing of it. What comes from items
//! and workers is escaped before it meets a terminal.

#![forbid(unsafe_code)]

mod advice;
mod ceiling;
pub mod chart;
mod collector;
mod columns;
mod coordinator;
mod crossover;
mod fits;
mod grid;
pub mod inspect;
mod joblog;
mod least_squares;
mod limits;
mod machine_load;
mod measured;
mod page;
mod progress;
mod progress_line;
mod queue;
pub mod read;
mod runlog;
#[cfg(test)]
mod samples;
pub mod scaling;
mod shares;
mod spans;
pub mod stats;
mod study;
mod study_data;
mod study_table;
mod summary;
mod terminal;
mod timings;
mod trace;
pub mod units;
mod until_error;
mod utc;
mod verbose;
mod worker;
mod worker_table;

pub use advice::{Advice, advice};
pub use ceiling::{Ceiling, ItemTimes, Limit};
pub use collector::{Collected, Collector, RunSummary};
pub use columns::Style;
pub use coordinator::CoordinatorShares;
pub use crossover::{Cost, Crossover, Origin, crossovers};
pub use fits::{Fit, fits};
pub use joblog::{JobLog, JobLogger, JobLogging};
pub use limits::{Bottleneck, bottleneck};
pub use machine_load::MachineLoad;
pub use measured::{Basis, Measured, measure};
pub use page::page;
pub use progress::{Progress, ProgressBar, ProgressTotal};
pub use runlog::{
    ChunkLine, KEEP_BYTES, KEEP_FOLDERS, LogError, LogFolder, LogOptions, NoteLine, RunLogger, RunLogging, Warn,
    default_root, latest_log,
};
pub use shares::Shares;
pub use spans::{CollectedSpans, Span, SpanCollector, SpanKind, Spans, Track};
pub use study::{
    Configuration, Executor, LOG_VERSION, LogLevel, Machine, RunRecord, RunResult, RunStart, RunStatus, Study,
};
pub use study_data::{Failures, StudyData};
pub use summary::{FailureRow, Summary};
pub use terminal::Terminal;
pub use timings::{TimingsFormat, write_timings};
pub use trace::{TraceError, Traced, write_trace};
pub use utc::rfc3339;
pub use verbose::{Verbose, VerboseLines};
pub use worker::{ProcessEnd, ProcessName, WorkerLine, WorkerRow, WorkerRows};
