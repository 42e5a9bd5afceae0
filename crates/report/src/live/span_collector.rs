//! Collects when each process ran which items from a run's events.

use crate::model::chunk_line::ChunkLine;
use crate::model::item_times::ItemTimes;
use crate::model::process::ProcessName;
use crate::model::skipped_lines::SkippedLines;
use crate::model::spans::{MOST_TRACKS, Span, SpanKind, Spans, Track};
use procession::{Event, Observer};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The observer that collects spans of runs without a log. It sees chunks; it knows
/// the time of a single item only if that was alone in a chunk.
pub struct SpanCollector(Arc<Mutex<Gathered>>);

/// What a [`SpanCollector`] collected.
#[derive(Clone, Debug)]
pub struct CollectedSpans(Arc<Mutex<Gathered>>);

#[derive(Debug, Default)]
struct Gathered {
    tracks: HashMap<ProcessName, Track>,
    items: ItemTimes,
}

impl SpanCollector {
    /// Returns a collector for one run, and the handle to its data.
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
        if gathered.tracks.len() < MOST_TRACKS || gathered.tracks.contains_key(&process) {
            gathered.tracks.entry(process).or_insert_with(|| Track::new(process)).push(span);
        }
    }
}

impl CollectedSpans {
    /// Takes what was collected so far.
    #[must_use]
    pub fn take(&self) -> Spans {
        let Gathered { tracks, items } = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let mut tracks: Vec<Track> = tracks.into_values().collect();
        tracks.sort_by_key(|track| track.process);
        Spans { tracks, items, skipped_lines: SkippedLines::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{accepted, lost, who};
    use procession_task::{Failure, FailureKind};

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
