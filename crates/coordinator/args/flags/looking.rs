//! What a person sees of a call, and what is kept of it.

use crate::args::files::FileFlags;
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use procession_report::{LogLevel, SummaryDetail};
use std::path::PathBuf;

/// What a person sees of it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Looking")]
pub(crate) struct LookFlags {
    /// What is logged
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LogChoice(Some(LogLevel::Task)), hide_short_help = true)]
    pub(crate) log: LogChoice,

    /// Folder for the log of this call
    ///
    /// The folder is created if needed and not emptied. Of the default folders the newest 20 are kept, within 2 GiB; a
    /// folder that is named here is never removed. [default: a new folder in the user's state folder]
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    pub(crate) log_dir: Option<PathBuf>,

    /// Print a line for each item as it ends
    ///
    /// As in `Task <pid 4242, worker 1> 2 1.4142135623730951`, on standard error.
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    /// Progress bar: auto, always, never
    ///
    /// The bar shows the rate, the remaining time and the states of the workers. `auto`: only on a terminal.
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = ProgressMode::Auto, hide_possible_values = true)]
    pub(crate) progress: ProgressMode,

    #[command(flatten)]
    pub(crate) files: FileFlags,

    /// A job log: a line for each item, in the columns of GNU parallel
    ///
    /// Its columns are Seq, Host, Starttime and so on, and the process ID. [default: none]
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub(crate) joblog: Option<PathBuf>,

    /// What a single run says at its end: none, line, full
    ///
    /// `line`: one or two lines with its time, its processes and its slowest item. `full`: tables of its time and its
    /// processes. A study always has its verdict and its table; `full` adds tables of each run. Failed items are always
    /// shown. [default: line; full with --verbose]
    #[arg(long, value_name = "WHAT", value_enum, hide_possible_values = true, hide_short_help = true)]
    pub(crate) summary: Option<SummaryChoice>,

    /// Print errors only
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Show what would run, and an estimate of the time
    ///
    /// No output and no log is written. For the estimate one worker really runs the first items for about 1 s and
    /// their results are discarded. Side effects of a program of your own do happen.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// How much is logged; `None`: nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogChoice(pub(crate) Option<LogLevel>);

impl ValueEnum for LogChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(Some(LogLevel::Task)), Self(Some(LogLevel::Chunk)), Self(None)]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self.0 {
            Some(LogLevel::Task) => PossibleValue::new("task").help("A line for each item"),
            Some(LogLevel::Chunk) => PossibleValue::new("chunk").help("A line for each chunk (the items of a message)"),
            None => PossibleValue::new("off").help("No log"),
        })
    }
}

/// What a run says at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SummaryChoice {
    /// Nothing but failed items
    None,
    /// One or two lines
    Line,
    /// Tables
    Full,
}

impl LookFlags {
    /// How much is told at the end.
    pub(crate) fn detail(&self) -> SummaryDetail {
        match self.summary {
            Some(SummaryChoice::None) => SummaryDetail::Failures,
            Some(SummaryChoice::Line) => SummaryDetail::Line,
            Some(SummaryChoice::Full) => SummaryDetail::Full,
            None if self.verbose => SummaryDetail::Full,
            None => SummaryDetail::Line,
        }
    }
}

/// Whether there is a progress bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ProgressMode {
    /// Only on a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}
