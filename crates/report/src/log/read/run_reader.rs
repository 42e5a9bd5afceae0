//! Reads the log of a run: its processes, its spans, its failed items.

use super::line::{ItemLine, LogLine};
use super::lines::visit_lines;
use super::study_log::RunLog;
use crate::log::error::LogError;
use crate::model::failure::{FailureList, FailureRow};
use crate::model::run_summary::RunSummary;
use crate::model::spans::{MOST_TRACKS, Span, SpanKind, Spans, Track};
use crate::model::study::{Configuration, Executor, RunStart};
use procession::ChunkSize;
use procession_task::FailureKind;
use std::borrow::Cow;

/// Most bytes of a failed item that are kept, as during a run.
const KEPT_INPUT: usize = 4096;
/// Most failed items that are kept.
const KEPT_FAILURES: usize = 1000;

impl RunSummary {
    /// Reads the summary of a run, without its items.
    ///
    /// # Errors
    /// The file about processes can't be read.
    pub fn of_log(run: &RunLog) -> Result<Self, LogError> {
        let record = run.record.as_ref();
        let (workers, skipped_lines) = run.workers()?;
        let (workers, summed) = workers.into_parts();
        let unknown = Configuration { executor: Executor::Procs, count: 0, size: None, chunk: ChunkSize::Auto };
        Ok(Self {
            run: run.number,
            start: record
                .map_or(RunStart { configuration: unknown, repeat: 1, warmup: false }, |record| record.start.clone()),
            result: record.and_then(|record| record.result.clone()),
            status: run.status(),
            workers,
            summed,
            spans: Spans { skipped_lines, ..Spans::default() },
        })
    }
}

impl Spans {
    /// Reads when the processes of a run ran which items.
    ///
    /// # Errors
    /// A file can't be read.
    pub fn of_log(run: &RunLog) -> Result<Self, LogError> {
        Ok(LineCollector::of(run)?.spans)
    }
}

/// Reads all lines about items of a run: when its processes ran them, and which
/// failed.
///
/// # Errors
/// A file can't be read.
pub(crate) fn read_items(run: &RunLog) -> Result<(Spans, FailureList), LogError> {
    let LineCollector { spans, failures } = LineCollector::of(run)?;
    Ok((spans, failures.sorted()))
}

/// Collects spans and failures from a run's lines.
#[derive(Default)]
struct LineCollector {
    spans: Spans,
    failures: FailureList,
}

impl LineCollector {
    fn of(run: &RunLog) -> Result<Self, LogError> {
        let mut collector = Self::default();
        let mut files = run.item_files()?;
        // The first processes of each slot, so that no slot is without a track.
        files.sort_by_key(|file| (file.process.nth, file.process.worker));
        for (at, file) in files.into_iter().enumerate() {
            let mut track = Track::new(file.process);
            visit_lines(&file.path, |line| {
                match collector.spans.skipped_lines.line(line, &file.path) {
                    Some(LogLine::Item(item)) => collector.take_item(&item, &mut track),
                    Some(LogLine::Chunk(part)) => track.push(Span::of_chunk_line(&part)),
                    Some(LogLine::Note(_) | LogLine::Attempt(_)) | None => {}
                }
                Ok::<_, LogError>(())
            })?;
            if at < MOST_TRACKS {
                collector.spans.tracks.push(track);
            }
        }
        collector.spans.tracks.sort_by_key(|track| track.process);
        Ok(collector)
    }

    fn take_item(&mut self, item: &ItemLine<'_>, track: &mut Track) {
        let (start_s, busy_s) = (item.start_us / 1e6, item.duration_us / 1e6);
        let ended = item.error.as_ref().map(|error| of_word(&error.kind));
        let kind = match ended {
            Some(FailureKind::Crashed | FailureKind::TimedOut | FailureKind::OutOfMemory) => SpanKind::Lost,
            other => SpanKind::of_run(other.is_some(), item.attempt),
        };
        let (first, items, chunk, attempt) = (item.item, 1, item.chunk, item.attempt);
        let end_s = start_s + busy_s;
        track.push(Span { kind, start_s, end_s, busy_s, first, items, chunk, attempt });
        self.spans.items.take(busy_s);
        if let Some(kind) = ended {
            self.failures.take(item, kind);
        }
    }
}

impl FailureList {
    fn take(&mut self, item: &ItemLine<'_>, kind: FailureKind) {
        self.total += 1;
        if self.rows.len() >= 2 * KEPT_FAILURES {
            *self = std::mem::take(self).sorted();
        }
        let cut = || item.input.as_deref().unwrap_or_default().as_bytes().to_vec();
        let mut input = item.whole_input().unwrap_or_else(cut);
        input.truncate(KEPT_INPUT);
        self.rows.push(FailureRow {
            item: item.item,
            place: None,
            input,
            kind,
            message: item.error.as_ref().map_or(Cow::default(), |error| error.message.clone()).into_owned(),
            pid: item.pid,
            attempts: item.attempt,
            file: None,
        });
    }

    fn sorted(mut self) -> Self {
        self.rows.sort_by_key(|row| row.item);
        self.rows.truncate(KEPT_FAILURES);
        self
    }
}

fn of_word(word: &str) -> FailureKind {
    FailureKind::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or(FailureKind::Failed)
}
