//! When each process was at work on what: spans of time, in bounded memory.
//!
//! A run may have millions of items. A track keeps so many spans at most; when
//! there are more, those that are closer together than anybody can see become
//! one, which still knows how many items it holds and how long they took.

use crate::ceiling::ItemTimes;
use crate::read::PassedOver;
use crate::runlog::ChunkLine;
use crate::worker::ProcessName;
use procession::{Event, Observer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Spans of one process that are kept.
const KEPT: usize = 2000;

/// What a span shows; of spans that become one, the greatest stays.
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

/// A time in which a process ran items. Seconds since the run's start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    /// What was going on.
    pub kind: SpanKind,
    /// When it began.
    pub start_s: f64,
    /// When it ended.
    pub end_s: f64,
    /// How much of that time items were run.
    pub busy_s: f64,
    /// Index of an item, the first one.
    pub first: u64,
    /// How many items.
    pub items: u64,
    /// The chunk that they were part of, the first one.
    pub chunk: u64,
    /// How many times they were sent.
    pub attempt: u32,
}

impl Span {
    /// Of results that were accepted together, as a log has one line for.
    #[must_use]
    pub fn of_chunk_line(part: &ChunkLine<'_>) -> Self {
        let (end_s, busy_s) = (part.at_us / 1e6, part.busy_us / 1e6);
        Self {
            kind: kind(part.failed > 0, part.attempt),
            start_s: (end_s - busy_s).max(0.0),
            end_s,
            busy_s,
            first: part.first,
            items: u64::from(part.items),
            chunk: part.chunk,
            attempt: part.attempt,
        }
    }

    /// What is known from outside is known late, by a different time for each:
    /// a process still does one thing after the other.
    pub(crate) fn after(mut self, end_s: f64) -> Self {
        self.start_s = self.start_s.max(end_s);
        self.end_s = self.end_s.max(end_s);
        self
    }

    /// Seconds from its beginning to its end.
    #[must_use]
    pub fn duration_s(&self) -> f64 {
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

pub(crate) fn kind(failed: bool, attempt: u32) -> SpanKind {
    match (failed, attempt) {
        (true, _) => SpanKind::Failed,
        (false, 2..) => SpanKind::Retried,
        (false, _) => SpanKind::Work,
    }
}

/// Spans that are no further apart than `gap_s` become one.
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
    /// Which one.
    pub process: ProcessName,
    spans: Vec<Span>,
    /// Spans this far apart are one; negative while nothing was left out.
    gap_s: f64,
}

impl Track {
    /// Without spans.
    #[must_use]
    pub fn new(process: ProcessName) -> Self {
        Self { process, spans: Vec::new(), gap_s: -1.0 }
    }

    /// Adds a span; those of a process come in the order of time.
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

    /// Nothing ran before this: what a process died of may have been sent before
    /// it was ready.
    pub(crate) fn begin_at(&mut self, ready_s: f64) {
        for span in self.spans.iter_mut().take_while(|span| span.start_s < ready_s) {
            *span = span.after(ready_s);
        }
    }

    /// Its spans, in the order of time.
    #[must_use]
    pub fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// Whether some of its spans are several that became one.
    #[must_use]
    pub fn is_thinned(&self) -> bool {
        self.gap_s >= 0.0
    }

    /// Joins more and more until half of the room is free.
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

/// What all processes of a run did, and when.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Spans {
    /// A track for each process, in the order of slots.
    pub tracks: Vec<Track>,
    /// How long items took, as far as that is known of single ones.
    pub items: ItemTimes,
    /// Lines of its log that could not be read.
    pub passed_over: PassedOver,
}

/// An observer that gathers spans where there is no log to read them from. It
/// knows chunks; of items only those that were alone in one.
pub struct SpanCollector(Arc<Mutex<Gathered>>);

/// What a [`SpanCollector`] gathered.
#[derive(Clone, Debug)]
pub struct CollectedSpans(Arc<Mutex<Gathered>>);

#[derive(Debug, Default)]
struct Gathered {
    tracks: HashMap<ProcessName, Track>,
    items: ItemTimes,
}

impl SpanCollector {
    /// A collector for one run, and where to find what it gathered.
    #[must_use]
    pub fn new() -> (Self, CollectedSpans) {
        let gathered = Arc::default();
        (Self(Arc::clone(&gathered)), CollectedSpans(gathered))
    }
}

impl Observer for SpanCollector {
    fn on_event(&mut self, event: &Event) {
        let (worker, span) = match event {
            Event::Accepted(part) if part.items > 0 => (part.worker, Span::of_chunk_line(&ChunkLine::new(part, ""))),
            Event::ItemLost { worker, chunk, item, attempt, sent_at, at, .. } => {
                let (start_s, end_s) = (sent_at.as_secs_f64(), at.as_secs_f64());
                let (kind, busy_s) = (SpanKind::Lost, (end_s - start_s).max(0.0));
                let (first, items, chunk, attempt) = (*item, 1, *chunk, *attempt);
                (*worker, Span { kind, start_s, end_s, busy_s, first, items, chunk, attempt })
            }
            _ => return,
        };
        let mut gathered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if span.items == 1 {
            gathered.items.take(span.busy_s);
        }
        let process = worker.into();
        gathered.tracks.entry(process).or_insert_with(|| Track::new(process)).push(span);
    }
}

impl CollectedSpans {
    /// What was gathered so far.
    #[must_use]
    pub fn take(&self) -> Spans {
        let Gathered { tracks, items } = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut tracks: Vec<Track> = tracks.into_values().collect();
        tracks.sort_by_key(|track| track.process);
        Spans { tracks, items, passed_over: PassedOver::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{accepted, lost, who};
    use procession_task::{Failure, FailureKind};

    fn span(start_s: f64, end_s: f64, kind: SpanKind) -> Span {
        let busy_s = end_s - start_s;
        Span { kind, start_s, end_s, busy_s, first: 0, items: 1, chunk: 0, attempt: 1 }
    }

    #[test]
    fn a_million_items_stay_few() {
        let mut track = Track::new(ProcessName { worker: 0, nth: 0, pid: 1 });
        for at in 0..1_000_000_u32 {
            let kind = if at % 2 == 0 { SpanKind::Work } else { SpanKind::Failed };
            let start_s = f64::from(at) * 1e-5;
            track.push(span(start_s, start_s + 0.9e-5, kind));
        }
        assert!(track.spans().len() <= KEPT && track.is_thinned());
        assert_eq!(track.spans().iter().map(|span| span.items).sum::<u64>(), 1_000_000);
        let busy: f64 = track.spans().iter().map(|span| span.busy_s).sum();
        assert!((busy - 9.0).abs() < 1e-6, "{busy}");
    }

    #[test]
    fn a_process_does_one_thing_after_the_other() {
        let mut track = Track::new(ProcessName { worker: 0, nth: 0, pid: 1 });
        track.push(span(0.0, 1.0, SpanKind::Work));
        track.push(span(0.75, 1.25, SpanKind::Work));
        let last = track.spans()[1];
        assert_eq!((last.start_s, last.end_s, last.busy_s), (1.0, 1.25, 0.5));
    }

    #[test]
    fn few_stay_as_they_are() {
        let mut track = Track::new(ProcessName { worker: 0, nth: 0, pid: 1 });
        track.push(span(0.0, 1.0, SpanKind::Work));
        track.push(span(1.0, 2.0, SpanKind::Work));
        assert_eq!(track.spans().len(), 2);
        assert_eq!(joined(track.spans(), 0.0).len(), 1);
        let unlike = [span(0.0, 1.0, SpanKind::Work), span(1.0, 2.0, SpanKind::Failed)];
        assert_eq!(joined(&unlike, 0.5).len(), 2, "long enough to be seen");
        assert_eq!(joined(&unlike, 1.5)[0].kind, SpanKind::Failed);
    }

    #[test]
    fn events_become_tracks() {
        let (mut collector, collected) = SpanCollector::new();
        collector.on_event(&Event::Accepted(accepted(who(1, 0, 11), 0, 0, 3)));
        collector.on_event(&Event::Accepted(accepted(who(0, 0, 10), 1, 3, 1)));
        collector.on_event(&lost(who(0, 0, 10), 2, 4, b"x", Failure::new(FailureKind::Crashed, "dead")));
        let spans = collected.take();
        let pids: Vec<_> = spans.tracks.iter().map(|track| track.process.pid).collect();
        assert_eq!((pids, spans.items.count), (vec![10, 11], 2));
        let kinds: Vec<_> = spans.tracks[0].spans().iter().map(|span| (span.kind, span.first)).collect();
        assert_eq!(kinds, [(SpanKind::Work, 3), (SpanKind::Lost, 4)]);
        let first = spans.tracks[1].spans()[0];
        assert!((first.start_s - 0.008).abs() < 1e-12 && first.end_s == 0.01);
    }
}
