//! Finds the lines of logs that match a query.

use super::query::{InspectError, Query};
use crate::log::read::line::{LogLine, item_index};
use crate::log::read::lines::visit_lines;
use crate::log::read::study_log::{RunLog, StudyLog};
use crate::model::chunk_line::ChunkLine;
use crate::model::skipped_lines::SkippedLines;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::path::Path;

/// A matching line.
#[derive(Clone, Debug)]
pub(crate) struct Hit<'a> {
    /// Index of the log, from 0.
    pub(crate) log: usize,
    /// Number of the run, from 1.
    pub(crate) run: u32,
    /// The line's file.
    pub(crate) path: &'a Path,
    /// The line, unparsed.
    pub(crate) raw: &'a [u8],
}

/// Items that the search can't show.
#[derive(Clone, Debug, Default)]
pub(crate) struct SkippedItems {
    /// Number of items that are only part of a chunk's line.
    pub(crate) without_line: u64,
    /// Lines that can't be parsed.
    pub(crate) unreadable: SkippedLines,
}

/// Calls `found` with each matching line: in the order of the query, or of the log.
pub(crate) fn visit(
    logs: &[StudyLog],
    query: &Query,
    found: &mut dyn FnMut(&Hit<'_>) -> Result<(), InspectError>,
) -> Result<SkippedItems, InspectError> {
    if let Some(slowest) = query.slowest {
        return visit_slowest(logs, query, slowest, found);
    }
    let is_continued = |log: usize| logs[log].is_continued();
    if query.is_about_outcomes() && (0..logs.len()).any(is_continued) {
        return visit_outcomes(logs, query, found);
    }
    if query.item.is_none() && !query.failures {
        return scan(logs, query, &mut |hit, _| found(hit));
    }
    let mut kept = Vec::new();
    let skipped = scan(logs, query, &mut |hit, line| {
        let item = query.item.unwrap_or_else(|| first_item(line));
        kept.push(((hit.log, hit.run, item), Kept::of(hit)));
        Ok(())
    })?;
    // Stable: the attempts of an item stay before its outcome.
    kept.sort_by_key(|(key, _)| *key);
    kept.iter().try_for_each(|(_, kept)| found(&kept.hit()))?;
    Ok(skipped)
}

/// Of calls that go on with each other, a later line about an item replaces an earlier
/// one: the item was run again.
fn visit_outcomes(
    logs: &[StudyLog],
    query: &Query,
    found: &mut dyn FnMut(&Hit<'_>) -> Result<(), InspectError>,
) -> Result<SkippedItems, InspectError> {
    let mut kept = BTreeMap::new();
    let all = Query { failures: false, ..query.clone() };
    let skipped = scan(logs, &all, &mut |hit, line| {
        let group = if logs[hit.log].is_continued() { 0 } else { hit.run };
        let key = (hit.log, group, first_item(line));
        let fits = match line {
            LogLine::Item(item) => !query.failures || item.error.is_some(),
            LogLine::Chunk(part) => chunk_fits(part, query),
            LogLine::Attempt(_) | LogLine::Note(_) => false,
        };
        if fits {
            kept.insert(key, Kept::of(hit));
        } else {
            kept.remove(&key);
        }
        Ok(())
    })?;
    kept.values().try_for_each(|kept| found(&kept.hit()))?;
    Ok(skipped)
}

fn visit_slowest(
    logs: &[StudyLog],
    query: &Query,
    count: usize,
    found: &mut dyn FnMut(&Hit<'_>) -> Result<(), InspectError>,
) -> Result<SkippedItems, InspectError> {
    let mut slowest = BinaryHeap::new();
    let skipped = scan(logs, query, &mut |hit, line| {
        let LogLine::Item(item) = line else { return Ok(()) };
        // The bits of non-negative floats have the order of their values.
        let key = (Reverse(item.duration_us.max(0.0).to_bits()), hit.log, hit.run, item.item);
        let enters = slowest.len() < count || slowest.peek().is_some_and(|Slow { key: least, .. }| key < *least);
        if enters {
            slowest.push(Slow { key, kept: Kept::of(hit) });
        }
        if slowest.len() > count {
            slowest.pop();
        }
        Ok(())
    })?;
    slowest.into_sorted_vec().iter().try_for_each(|slow| found(&slow.kept.hit()))?;
    Ok(skipped)
}

/// Duration, log, run and item. Of equal durations the first item counts as slower.
type SlowKey = (Reverse<u64>, usize, u32, u64);

/// One of the slowest lines. The greatest value is the least slow line.
struct Slow {
    key: SlowKey,
    kept: Kept,
}

impl PartialEq for Slow {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Slow {}

impl PartialOrd for Slow {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Slow {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key.cmp(&other.key)
    }
}

/// An owned hit.
struct Kept {
    log: usize,
    run: u32,
    path: Box<Path>,
    raw: Box<[u8]>,
}

impl Kept {
    fn of(hit: &Hit<'_>) -> Self {
        Self { log: hit.log, run: hit.run, path: hit.path.into(), raw: hit.raw.into() }
    }

    fn hit(&self) -> Hit<'_> {
        Hit { log: self.log, run: self.run, path: &self.path, raw: &self.raw }
    }
}

fn first_item(line: &LogLine<'_>) -> u64 {
    match line {
        LogLine::Item(item) => item.item,
        LogLine::Chunk(part) => part.first,
        LogLine::Attempt(attempt) => attempt.item,
        LogLine::Note(_) => 0,
    }
}

/// Calls `found` with each matching line, in the order of the log.
fn scan(
    logs: &[StudyLog],
    query: &Query,
    found: &mut dyn FnMut(&Hit<'_>, &LogLine<'_>) -> Result<(), InspectError>,
) -> Result<SkippedItems, InspectError> {
    let mut skipped = SkippedItems::default();
    let mut pid_seen = false;
    for (log, study) in logs.iter().enumerate() {
        for run in query.runs(study) {
            let number = run.number;
            if query.item.is_some() && run.attempts_file().exists() {
                scan_attempts((log, run), query, &mut skipped, found)?;
            }
            for file in run.item_files()? {
                if query.pid.is_some_and(|pid| pid != file.process.pid) {
                    continue;
                }
                pid_seen = true;
                visit_lines(&file.path, |raw| {
                    if query.item.is_some_and(|wanted| item_index(raw).is_some_and(|item| item != wanted)) {
                        return Ok(());
                    }
                    let Some(line) = skipped.unreadable.line(raw, &file.path) else { return Ok(()) };
                    if fits(&line, query, &mut skipped) {
                        found(&Hit { log, run: number, path: &file.path, raw }, &line)?;
                    }
                    Ok::<_, InspectError>(())
                })?;
            }
        }
    }
    match query.pid {
        Some(pid) if !pid_seen => Err(InspectError::NoPid(pid)),
        _ => Ok(skipped),
    }
}

/// Calls `found` with the attempts of an item that had no outcome.
fn scan_attempts(
    (log, run): (usize, &RunLog),
    query: &Query,
    skipped: &mut SkippedItems,
    found: &mut dyn FnMut(&Hit<'_>, &LogLine<'_>) -> Result<(), InspectError>,
) -> Result<(), InspectError> {
    let path = run.attempts_file();
    visit_lines(&path, |raw| {
        let Some(line) = skipped.unreadable.line(raw, &path) else { return Ok(()) };
        if fits(&line, query, skipped) {
            found(&Hit { log, run: run.number, path: &path, raw }, &line)?;
        }
        Ok::<_, InspectError>(())
    })
}

fn fits(line: &LogLine<'_>, query: &Query, skipped: &mut SkippedItems) -> bool {
    match line {
        LogLine::Item(item) => !query.failures || item.error.is_some(),
        LogLine::Chunk(part) => {
            let fits = chunk_fits(part, query);
            let told = fits && !query.inputs && query.slowest.is_none();
            if query.item.is_none() && !told {
                skipped.without_line += u64::from(if query.failures { part.failed } else { part.items });
            }
            told
        }
        LogLine::Attempt(attempt) => {
            let range = attempt.item..attempt.item.saturating_add(u64::from(attempt.items));
            query.item.is_some_and(|item| range.contains(&item)) && !query.failures && !query.inputs
        }
        LogLine::Note(_) => false,
    }
}

fn chunk_fits(part: &ChunkLine<'_>, query: &Query) -> bool {
    let range = part.first..part.first.saturating_add(u64::from(part.items));
    query.item.is_none_or(|item| range.contains(&item)) && (!query.failures || part.failed > 0)
}
