//! Prints only the inputs of the matching items, to be piped into another run.

use super::hits::visit;
use super::query::{InspectError, Inspected, Query};
use crate::log::read::line::LogLine;
use crate::log::read::study_log::StudyLog;
use crate::text::units;
use procession_task::LOGGED_BYTES;
use std::io::Write;

/// Writes the inputs, each with a line feed or a NUL behind it, in the order of the input, each item once.
pub(crate) fn write(logs: &[StudyLog], query: &Query, out: &mut dyn Write) -> Result<Inspected, InspectError> {
    let mut inputs: Vec<(u64, Vec<u8>)> = Vec::new();
    let end = if query.nul { b'\0' } else { b'\n' };
    // Items whose inputs are cut in the log, and items with the byte that ends them.
    let (mut cut, mut broken) = (Vec::new(), Vec::new());
    let skipped = visit(logs, query, &mut |hit| {
        let LogLine::Item(item) = LogLine::parse(hit.raw, hit.path)? else { return Ok(()) };
        match item.whole_input() {
            None => cut.push(item.item),
            Some(input) if input.contains(&end) => broken.push(item.item),
            Some(input) => inputs.push((item.item, input)),
        }
        Ok(())
    })?;
    inputs.sort_unstable();
    inputs.dedup();
    for (_, input) in &inputs {
        out.write_all(input)?;
        out.write_all(&[end])?;
    }
    let (cut, broken) = (distinct(cut), distinct(broken));
    let missing_inputs = cut + broken + skipped.without_line + skipped.unreadable.lines;
    let mut notes = Vec::new();
    let mut note = |count: u64, why: &str| {
        if count > 0 {
            notes.push(format!("{} left out: {why}", units::counted(count, "input")));
        }
    };
    note(cut, &format!("the log has only their first {LOGGED_BYTES} bytes (those of failed items are whole)"));
    note(
        broken,
        if query.nul {
            "they contain NULs"
        } else {
            "they contain line feeds: add -0, and --items nul to the other run"
        },
    );
    note(skipped.without_line, "the log has lines about their chunks only");
    notes.extend(skipped.unreadable.note());
    Ok(Inspected { matched: inputs.len() as u64 + missing_inputs, notes, missing_inputs })
}

fn distinct(mut items: Vec<u64>) -> u64 {
    items.sort_unstable();
    items.dedup();
    items.len() as u64
}
