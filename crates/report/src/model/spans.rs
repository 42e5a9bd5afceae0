//! When each process ran which items: spans of time, in bounded memory.
//!
//! A run may have millions of items and hundreds of thousands of processes. The spans
//! of 4096 processes are kept. A track keeps at most 2000 spans. When there
//! are more, it merges the spans with the smallest gaps between them. A merged
//! span keeps the count of its items and their total time.

use crate::model::chunk_line::ChunkLine;
use crate::model::item_times::ItemTimes;
use crate::model::process::ProcessName;
use crate::model::skipped_lines::SkippedLines;

/// Most spans that are kept for one process.
const KEPT: usize = 2000;
/// Most processes of a run whose spans are kept.
pub(crate) const MOST_TRACKS: usize = 4096;

/// What happened in a span. A merged span has the greatest kind of its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SpanKind {
    /// Items were run.
    Work,
    /// Items were run that had been sent before.
    Retried,
    /// Items were run, and some failed.
    Failed,
    /// An item whose process died.
    Lost,
}

/// An interval in which a process ran items. Times are seconds since the run's start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// What happened.
    pub kind: SpanKind,
    /// Its start.
    pub start_s: f64,
    /// Its end.
    pub end_s: f64,
    /// Seconds of the interval in which items ran.
    pub busy_s: f64,
    /// Index of the first item.
    pub first: u64,
    /// Number of items.
    pub items: u64,
    /// Index of the first item's chunk.
    pub chunk: u64,
    /// How many times the items were sent, counting from 1.
    pub attempt: u32,
}

impl SpanKind {
    /// The kind of a span whose process survived it.
    pub(crate) fn of_run(failed: bool, attempt: u32) -> Self {
        match (failed, attempt) {
            (true, _) => Self::Failed,
            (false, 2..) => Self::Retried,
            (false, _) => Self::Work,
        }
    }
}

impl Span {
    /// The span of a chunk line of the log: of results that were accepted together.
    #[must_use]
    pub(crate) fn of_chunk_line(part: &ChunkLine<'_>) -> Self {
        let (end_s, busy_s) = (part.at_us / 1e6, part.busy_us / 1e6);
        Self {
            kind: SpanKind::of_run(part.failed > 0, part.attempt),
            start_s: (end_s - busy_s).max(0.0),
            end_s,
            busy_s,
            first: part.first,
            items: u64::from(part.items),
            chunk: part.chunk,
            attempt: part.attempt,
        }
    }

    /// Moves the span after `end_s`. The coordinator receives results with a varying
    /// delay, so that spans of one process may seem to overlap; they never do.
    pub(crate) fn after(mut self, end_s: f64) -> Self {
        self.start_s = self.start_s.max(end_s);
        self.end_s = self.end_s.max(end_s);
        self
    }

    /// Seconds from the start to the end.
    #[must_use]
    pub(crate) fn duration_s(&self) -> f64 {
        self.end_s - self.start_s
    }

    fn joins(&self, next: &Self, gap_s: f64) -> bool {
        let near = next.start_s - self.end_s <= gap_s;
        let short = self.duration_s() < gap_s && next.duration_s() < gap_s;
        near && (self.kind == next.kind || short)
    }

    fn join(&mut self, next: &Self) {
        self.kind = self.kind.max(next.kind);
        self.end_s = self.end_s.max(next.end_s);
        self.busy_s += next.busy_s;
        self.first = self.first.min(next.first);
        self.items += next.items;
        self.attempt = self.attempt.max(next.attempt);
    }
}

/// Merges spans whose gaps are at most `gap_s` seconds.
pub(crate) fn joined(spans: &[Span], gap_s: f64) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::new();
    for span in spans {
        match joined.last_mut() {
            Some(last) if last.joins(span, gap_s) => last.join(span),
            _ => joined.push(*span),
        }
    }
    joined
}

/// The spans of one process.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    /// The process.
    pub process: ProcessName,
    spans: Vec<Span>,
    /// Gaps up to this many seconds are merged; negative while no span was merged.
    gap_s: f64,
}

impl Track {
    /// A track without spans.
    #[must_use]
    pub fn new(process: ProcessName) -> Self {
        Self { process, spans: Vec::new(), gap_s: -1.0 }
    }

    /// Appends a span. Spans must come in the order of time.
    pub fn push(&mut self, span: Span) {
        let span = self.spans.last().map_or(span, |last| span.after(last.end_s));
        match self.spans.last_mut() {
            Some(last) if self.gap_s >= 0.0 && last.joins(&span, self.gap_s) => last.join(&span),
            _ => self.spans.push(span),
        }
        if self.spans.len() > KEPT {
            self.thin();
        }
    }

    /// Moves spans that begin before the process was ready. A lost item's span
    /// begins when the item was sent, which may be earlier.
    pub(crate) fn begin_at(&mut self, ready_s: f64) {
        for span in self.spans.iter_mut().take_while(|span| span.start_s < ready_s) {
            *span = span.after(ready_s);
        }
    }

    /// The spans, in the order of time.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Merges with growing gaps until at most half of the limit is used.
    #[expect(clippy::cast_precision_loss, reason = "a constant of a few thousand")]
    fn thin(&mut self) {
        let Some((first, last)) = self.spans.first().zip(self.spans.last()) else { return };
        let all_s = (last.end_s - first.start_s).max(f64::MIN_POSITIVE);
        self.gap_s = self.gap_s.max(all_s / (8 * KEPT) as f64);
        loop {
            self.spans = joined(&self.spans, self.gap_s);
            if self.spans.len() <= KEPT / 2 || self.gap_s > 2.0 * all_s {
                return;
            }
            self.gap_s *= 2.0;
        }
    }
}

/// The spans of all processes of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spans {
    /// A track for each of the first 4096 processes, in the order of slots.
    pub tracks: Vec<Track>,
    /// Durations of the items whose own time is known.
    pub items: ItemTimes,
    /// Lines of the run's log that could not be read.
    pub skipped_lines: SkippedLines,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start_s: f64, end_s: f64, kind: SpanKind) -> Span {
        let busy_s = end_s - start_s;
        Span { kind, start_s, end_s, busy_s, first: 0, items: 1, chunk: 0, attempt: 1 }
    }

    #[test]
    fn a_million_items_are_merged_into_few_spans() {
        let mut track = Track::new(ProcessName { worker: 0, nth: 0, pid: 1 });
        for at in 0..1_000_000_u32 {
            let kind = if at % 2 == 0 { SpanKind::Work } else { SpanKind::Failed };
            let start_s = f64::from(at) * 1e-5;
            track.push(span(start_s, start_s + 0.9e-5, kind));
        }
        assert!(track.spans().len() <= KEPT && track.gap_s >= 0.0);
        assert_eq!(track.spans().iter().map(|span| span.items).sum::<u64>(), 1_000_000);
        let busy: f64 = track.spans().iter().map(|span| span.busy_s).sum();
        assert!((busy - 9.0).abs() < 1e-6, "{busy}");
    }

    #[test]
    fn spans_of_a_process_do_not_overlap() {
        let mut track = Track::new(ProcessName { worker: 0, nth: 0, pid: 1 });
        track.push(span(0.0, 1.0, SpanKind::Work));
        track.push(span(0.75, 1.25, SpanKind::Work));
        let last = track.spans()[1];
        assert_eq!((last.start_s, last.end_s, last.busy_s), (1.0, 1.25, 0.5));
    }

    #[test]
    fn few_spans_are_not_merged() {
        let mut track = Track::new(ProcessName { worker: 0, nth: 0, pid: 1 });
        track.push(span(0.0, 1.0, SpanKind::Work));
        track.push(span(1.0, 2.0, SpanKind::Work));
        assert_eq!(track.spans().len(), 2);
        assert_eq!(joined(track.spans(), 0.0).len(), 1);
        let unlike = [span(0.0, 1.0, SpanKind::Work), span(1.0, 2.0, SpanKind::Failed)];
        assert_eq!(joined(&unlike, 0.5).len(), 2, "long enough to be seen");
        assert_eq!(joined(&unlike, 1.5)[0].kind, SpanKind::Failed);
    }
}
