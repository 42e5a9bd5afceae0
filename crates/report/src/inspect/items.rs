//! Prints the matching items as a table or as JSON.

use super::hits::{Hit, visit};
use super::query::{InspectError, Inspected, Query};
use crate::log::read::line::{ItemLine, LogLine};
use crate::log::read::study_log::StudyLog;
use crate::model::chunk_line::{AttemptError, AttemptLine, ChunkLine};
use crate::render::cells::optional;
use crate::render::style::Style;
use crate::render::table::{Cell, ColumnKind, Table};
use crate::text::escape::escape_path;
use crate::text::shorten::shortened;
use crate::text::units;
use procession_task::escape_terminal;
use std::io::Write;

/// Number of rows that are aligned together; a long table is printed in such parts.
const PIECE: usize = 1000;
/// Most columns of an input and of an outcome. The JSON has all of it.
const INPUT_COLUMNS: usize = 24;
const OUTCOME_COLUMNS: usize = 60;

/// Writes the matching items.
pub(crate) fn write(
    logs: &[StudyLog],
    query: &Query,
    style: Style,
    out: &mut dyn Write,
) -> Result<Inspected, InspectError> {
    let mut inspected = Inspected::default();
    let skipped = if query.json {
        out.write_all(b"[")?;
        let skipped = visit(logs, query, &mut |hit| {
            out.write_all(if inspected.matched == 0 { b"\n" } else { b",\n" })?;
            inspected.matched += 1;
            write_json(logs, hit, out)
        })?;
        out.write_all(b"\n]\n")?;
        skipped
    } else {
        let mut table = table();
        let skipped = visit(logs, query, &mut |hit| {
            inspected.matched += 1;
            push_row(&mut table, logs, hit)?;
            if table.len() == PIECE {
                out.write_all(table.take_text(style).as_bytes())?;
            }
            Ok(())
        })?;
        out.write_all(table.take_text(style).as_bytes())?;
        skipped
    };
    inspected.notes.extend(stderr_notes(logs, query)?);
    if inspected.matched == 0 {
        inspected.notes.push(if query.failures { "no failed items" } else { "no item matches" }.to_owned());
    }
    inspected.notes.extend(skipped.unreadable.note());
    if skipped.without_line > 0 {
        let items = units::counted(skipped.without_line, "more item");
        inspected.notes.push(format!("{items} may fit: the log has lines about their chunks only"));
    }
    Ok(inspected)
}

/// Notes with the paths of the standard error of the process in the query.
fn stderr_notes(logs: &[StudyLog], query: &Query) -> Result<Vec<String>, InspectError> {
    let Some(pid) = query.pid else { return Ok(Vec::new()) };
    let mut notes = Vec::new();
    for run in logs.iter().flat_map(|log| query.runs(log)) {
        for file in run.item_files()?.into_iter().filter(|file| file.process.pid == pid) {
            let stderr = file.path.with_extension("stderr");
            if stderr.is_file() {
                notes.push(format!("what it wrote to stderr: {}", escape_path(&stderr)));
            }
        }
    }
    Ok(notes)
}

/// Writes a line of the log with its run as the first field.
fn write_json(logs: &[StudyLog], hit: &Hit<'_>, out: &mut dyn Write) -> Result<(), InspectError> {
    let fields = hit.raw.strip_prefix(b"{").unwrap_or(hit.raw);
    if logs.len() > 1 {
        write!(out, "{{\"log\":{},\"run\":{},", hit.log + 1, hit.run)?;
    } else {
        write!(out, "{{\"run\":{},", hit.run)?;
    }
    Ok(out.write_all(fields)?)
}

fn table() -> Table {
    let right = |head| (head, ColumnKind::Figure);
    Table::new(&[
        right("log"),
        right("run"),
        right("item"),
        ("input", ColumnKind::Word),
        right("pid"),
        right("worker"),
        right("attempt"),
        right("start"),
        right("time"),
        ("outcome", ColumnKind::Word),
    ])
}

fn push_row(table: &mut Table, logs: &[StudyLog], hit: &Hit<'_>) -> Result<(), InspectError> {
    let log = optional((logs.len() > 1).then(|| (hit.log + 1).to_string()));
    let mut cells = vec![log, hit.run.to_string().into()];
    match LogLine::parse(hit.raw, hit.path)? {
        LogLine::Item(item) => cells.extend(item_cells(&item).map(Cell::Text)),
        LogLine::Chunk(part) => cells.extend(chunk_cells(&part)),
        LogLine::Attempt(attempt) => cells.extend(attempt_cells(&attempt)),
        LogLine::Note(_) => return Ok(()),
    }
    table.row(cells);
    Ok(())
}

fn item_cells(item: &ItemLine<'_>) -> [String; 8] {
    [
        item.item.to_string(),
        shortened(&item.shown_input(), INPUT_COLUMNS),
        item.pid.to_string(),
        item.worker.to_string(),
        item.attempt.to_string(),
        units::seconds(item.start_us / 1e6),
        units::seconds(item.duration_us / 1e6),
        shortened(&item.shown_outcome(), OUTCOME_COLUMNS),
    ]
}

fn attempt_cells(attempt: &AttemptLine<'_>) -> [Cell; 8] {
    let last = attempt.item + u64::from(attempt.items.saturating_sub(1));
    let items = if attempt.items == 1 { attempt.item.to_string() } else { format!("{}…{last}", attempt.item) };
    let AttemptError { kind, message } = &attempt.error;
    let ended = escape_terminal(format!("tried again after {kind}: {message}").as_bytes());
    [
        items.into(),
        Cell::Unknown,
        attempt.pid.to_string().into(),
        attempt.worker.to_string().into(),
        attempt.attempt.to_string().into(),
        units::seconds(attempt.start_us / 1e6).into(),
        units::seconds(attempt.duration_us / 1e6).into(),
        shortened(&ended, OUTCOME_COLUMNS).into(),
    ]
}

fn chunk_cells(part: &ChunkLine<'_>) -> [Cell; 8] {
    let last = part.first + u64::from(part.items.saturating_sub(1));
    let items = units::counted(u64::from(part.items), "item");
    [
        format!("{}…{last}", part.first).into(),
        Cell::Unknown,
        part.pid.to_string().into(),
        part.worker.to_string().into(),
        part.attempt.to_string().into(),
        units::seconds((part.at_us - part.busy_us).max(0.0) / 1e6).into(),
        units::seconds(part.busy_us / 1e6).into(),
        format!("chunk {}: {items}, {} failed", part.chunk, part.failed).into(),
    ]
}
