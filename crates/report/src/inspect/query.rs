//! What is asked of logs, and what came of it.

use crate::log::error::LogError;
use crate::log::read::study_log::{RunLog, StudyLog};
use std::io;

/// What is asked of a log. Conditions about items combine: all must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Only this run, counted from 1.
    pub run: Option<u32>,
    /// Items that this process ran.
    pub pid: Option<u32>,
    /// The item with this index in the input, from 0.
    pub item: Option<u64>,
    /// Items that failed.
    pub failures: bool,
    /// So many items that took longest, the slowest first.
    pub slowest: Option<usize>,
    /// Just the inputs of the items, one a line, in the order of the input,
    /// each once; of all items if nothing else is asked.
    pub inputs: bool,
    /// JSON instead of text.
    pub json: bool,
}

/// What came of a query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use]
pub struct Inspected {
    /// Items (or parts of chunks) that fit.
    pub matched: u64,
    /// What people should know, for standard error; safe for a terminal.
    pub notes: Vec<String>,
    /// Inputs that could not be given back; if there are any, the exit status is no success.
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
    /// No process of the runs had this id.
    #[error("no process had the pid {0} in the runs that were looked at")]
    NoPid(u32),
    /// No line is about this item.
    #[error("item {0} has no line in the runs that were looked at")]
    NoItem(u64),
}

impl Query {
    /// Whether it is about items.
    pub(super) fn is_about_items(&self) -> bool {
        self.pid.is_some() || self.item.is_some() || self.failures || self.slowest.is_some() || self.inputs
    }

    /// The runs of a log that are looked at.
    pub(super) fn runs<'a>(&self, log: &'a StudyLog) -> impl Iterator<Item = &'a RunLog> + use<'a> {
        let wanted = self.run;
        log.runs().iter().filter(move |run| wanted.is_none_or(|wanted| wanted == run.number))
    }
}
