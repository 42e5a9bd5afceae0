//! `coordinator inspect`: answers questions about logs.
//!
//! A query without conditions on items shows the call, its runs and its processes. A
//! query about items shows their lines. Answers are text for a terminal, JSON, or
//! only the inputs of the items, to be piped into another run.

mod hits;
mod inputs;
mod items;
mod overview;
mod query;

pub use query::{InspectError, Inspected, Query};

use crate::log::read::study_log::StudyLog;
use crate::render::style::Style;
use crate::text::escape::escape_path;
use std::io::Write;

/// Answers a query about one or several logs.
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
    for run in logs.iter().flat_map(|log| query.runs(log)).filter(|run| run.was_killed()) {
        let what = "did not end: its coordinator was killed. Here is what it had written";
        inspected.notes.push(format!("run {} {what}", run.number));
    }
    for lost in logs.iter().filter_map(StudyLog::lost) {
        inspected.notes.push(format!("the log that it goes on with is gone: {}", escape_path(lost)));
    }
    match query.item {
        Some(item) if inspected.matched == 0 => Err(InspectError::NoItem(item)),
        _ => Ok(inspected),
    }
}

#[cfg(test)]
mod tests;
