//! A query about logs, and its result.

use crate::log::error::LogError;
use crate::log::read::study_log::{RunLog, StudyLog};
use std::io;

/// A query. An item must meet all conditions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Only this run, counted from 1.
    pub run: Option<u32>,
    /// Items that this process ran.
    pub pid: Option<u32>,
    /// The item with this index in the input, from 0.
    pub item: Option<u64>,
    /// Items that failed, and did not succeed in a later run that goes on with theirs.
    pub failures: bool,
    /// This number of the slowest items, the slowest first.
    pub slowest: Option<usize>,
    /// Only the inputs of the items, one per line, in the order of the input and without
    /// duplicates.
    pub inputs: bool,
    /// A NUL after each input instead of a line feed.
    pub nul: bool,
    /// JSON instead of text.
    pub json: bool,
}

/// The result of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Inspected {
    /// Number of items (or parts of chunks) that match.
    pub matched: u64,
    /// Notes for standard error, escaped for a terminal.
    pub notes: Vec<String>,
    /// Number of inputs that can't be restored. If there are any, the command fails.
    pub missing_inputs: u64,
}

/// Why a query has no answer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The answer can't be written.
    #[error("writing: {0}")]
    Write(#[from] io::Error),
    /// There is no such run.
    #[error("the log has no run {0}")]
    NoRun(u32),
    /// No process of the runs had this PID.
    #[error("no process had the pid {0} in the runs that were looked at")]
    NoPid(u32),
    /// No line is about the item.
    #[error("item {0} has no line in the runs that were looked at")]
    NoItem(u64),
}

impl Query {
    /// Whether the query is about items.
    pub(super) fn is_about_items(&self) -> bool {
        self.pid.is_some() || self.item.is_some() || self.failures || self.slowest.is_some() || self.inputs
    }

    /// Whether the query is about the last outcome of each item, not about all that
    /// were logged.
    pub(super) fn is_about_outcomes(&self) -> bool {
        (self.failures || self.inputs) && self.pid.is_none() && self.item.is_none() && self.slowest.is_none()
    }

    /// The runs of a log that the query is about, also those of the calls that it goes
    /// on with.
    pub(super) fn runs<'a>(&self, log: &'a StudyLog) -> impl Iterator<Item = &'a RunLog> + use<'a> {
        let wanted = self.run;
        log.story().iter().filter(move |run| wanted.is_none_or(|wanted| wanted == run.number))
    }
}
