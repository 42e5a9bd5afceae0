//! `coordinator inspect`: a call's log, looked at afterwards.
//!
//! Without a question about items it shows the call, its runs and its
//! processes; with one, the lines of the items that fit. As text for people
//! (escaped for the terminal, aligned), as JSON, or as just the inputs, to be
//! piped into another run.

mod hits;
mod inputs;
mod items;
mod overview;

use crate::columns::Style;
use crate::read::{RunLog, StudyLog};
use crate::runlog::LogError;
use std::io::{self, Write};

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
    fn is_about_items(&self) -> bool {
        self.pid.is_some() || self.item.is_some() || self.failures || self.slowest.is_some() || self.inputs
    }

    /// The runs of a log that are looked at.
    fn runs<'a>(&self, log: &'a StudyLog) -> impl Iterator<Item = &'a RunLog> + use<'a> {
        let wanted = self.run;
        log.runs().iter().filter(move |run| wanted.is_none_or(|wanted| wanted == run.number))
    }
}

/// Answers a query about these logs: one, or several side by side.
///
/// # Errors
/// A log can't be read, the answer can't be written, or there is no such run,
/// process or item.
pub fn inspect(logs: &[StudyLog], query: &Query, style: Style, out: &mut dyn Write) -> Result<Inspected, InspectError> {
    if let Some(run) = query.run
        && logs.iter().all(|log| query.runs(log).next().is_none())
    {
        return Err(InspectError::NoRun(run));
    }
    let mut inspected = if !query.is_about_items() {
        overview::write(logs, query, style, out)?
    } else if query.inputs {
        inputs::write(logs, query, out)?
    } else {
        items::write(logs, query, style, out)?
    };
    out.flush()?;
    for run in logs.iter().flat_map(|log| query.runs(log)).filter(|run| run.is_torn()) {
        let what = "did not end: its coordinator was killed. Here is what it had written";
        inspected.notes.push(format!("run {} {what}", run.number));
    }
    match query.item {
        Some(item) if inspected.matched == 0 => Err(InspectError::NoItem(item)),
        _ => Ok(inspected),
    }
}

#[cfg(test)]
mod tests;
