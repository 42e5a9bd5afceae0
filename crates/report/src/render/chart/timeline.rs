//! The timeline of a run: a track for each process with its start-up, its items, its
//! waits and its death.

use super::error::ChartError;
use super::frame::{Axis, Caption, Entry, Frame, Ticks, WIDTH, number};
use super::mark::{ChartMark, Shape};
use super::palette::Ink;
use super::series::unit;
use super::svg::Svg;
use crate::model::process::ProcessName;
use crate::model::run_summary::RunSummary;
use crate::model::spans::{Span, SpanKind, Track, joined};
use crate::model::worker::WorkerRow;
use crate::text::units;

/// Most tracks; the others are omitted with a note.
const MOST_TRACKS: usize = 48;

/// The timeline of a run; `None` if no process is known.
///
/// # Errors
/// The drawing fails. No data causes this.
pub(crate) fn timeline(run: &RunSummary) -> Result<Option<Svg>, ChartError> {
    let mut workers: Vec<&WorkerRow> = run.workers.iter().collect();
    workers.sort_by_key(|row| (row.worker, row.nth));
    workers.truncate(MOST_TRACKS);
    let left_out = run.processes() - workers.len() as u64;
    let wall_s = end_s(run, &workers);
    if workers.is_empty() || wall_s <= 0.0 {
        return Ok(None);
    }
    let (unit, per_second) = unit(wall_s);
    let rows = workers.len() as f64;
    let mut drawing = TimelineMarks { per_second, gap_s: wall_s / f64::from(WIDTH), marks: Vec::new() };
    for (at, worker) in workers.iter().enumerate() {
        drawing.track(worker, tracks(run, worker), rows - at as f64 - 0.5, wall_s);
    }
    let names = workers.iter().enumerate().map(|(at, worker)| (rows - at as f64 - 0.5, worker.pid.to_string()));
    let frame = Frame {
        x: Axis { what: unit.to_owned(), range: 0.0..wall_s * per_second * 1.01, ticks: Ticks::Numbers(number) },
        y: Axis { what: "PID".to_owned(), range: 0.0..rows, ticks: Ticks::Names(names.collect()) },
        right: None,
        legend: drawing.legend(),
        height: 64 + 24 * workers.len() as u32,
        marks: drawing.marks,
        right_marks: Vec::new(),
    };
    let mut title = crate::render::run_title::title(run);
    if left_out > 0 {
        title += &format!(" ({})", units::counted(left_out, "more process"));
    }
    frame.draw(Caption { name: "timeline", title, description: described(run, &workers) }).map(Some)
}

/// Seconds until the last event that is drawn.
fn end_s(run: &RunSummary, workers: &[&WorkerRow]) -> f64 {
    let spans = run.spans.tracks.iter().filter_map(|track| track.spans().last()).map(|span| span.end_s);
    let exits = workers.iter().filter_map(|worker| worker.exited_s);
    spans.chain(exits).chain(run.wall_s()).fold(0.0, f64::max)
}

fn tracks<'a>(run: &'a RunSummary, worker: &WorkerRow) -> Option<&'a Track> {
    let process = ProcessName { worker: worker.worker, nth: worker.nth, pid: worker.pid };
    run.spans.tracks.iter().find(|track| track.process == process)
}

struct TimelineMarks {
    per_second: f64,
    /// Spans with a smaller gap are merged; about a pixel, in seconds.
    gap_s: f64,
    marks: Vec<ChartMark<(f64, f64)>>,
}

impl TimelineMarks {
    fn track(&mut self, worker: &WorkerRow, track: Option<&Track>, row: f64, wall_s: f64) {
        let end_s = worker.exited_s.unwrap_or(wall_s);
        let ready_s = worker.ready_s.unwrap_or(end_s).min(end_s);
        let (pid, start_s) = (worker.pid, worker.spawned_s);
        let life = format!("PID {pid}: waiting, of {} alive", units::seconds(end_s - start_s));
        self.part(Shape::Part, Ink::Waiting, (ready_s, end_s), row, 0.22, life);
        let start = format!("PID {pid}: starting, {}", units::seconds(ready_s - start_s));
        self.part(Shape::Part, Ink::StartUp, (start_s, ready_s), row, 0.22, start);
        for span in joined(track.map_or(&[][..], Track::spans), self.gap_s) {
            let density = if span.duration_s() > 0.0 { span.busy_s / span.duration_s() } else { 1.0 };
            let shape = Shape::Span(density.clamp(0.0, 1.0));
            self.part(shape, ink(span.kind), (span.start_s, span.end_s), row, 0.38, told(pid, &span));
        }
        if let Some(end) = worker.end.as_ref().filter(|end| !end.is_normal()) {
            let title = format!("PID {pid} ended: {end}, at {}", units::seconds(end_s));
            let at = vec![(end_s * self.per_second, row)];
            self.marks.push(ChartMark::new(Shape::Cross, Ink::Lost, at).titled(title));
        }
    }

    fn part(&mut self, shape: Shape, ink: Ink, (start_s, end_s): (f64, f64), row: f64, half: f64, title: String) {
        if end_s >= start_s {
            let corners = vec![(start_s * self.per_second, row - half), (end_s * self.per_second, row + half)];
            self.marks.push(ChartMark::new(shape, ink, corners).titled(title));
        }
    }

    /// The legend, with the kinds of marks that occur.
    fn legend(&self) -> Vec<Entry> {
        let entries = [
            (Shape::Part, Ink::StartUp, "starting"),
            (Shape::Part, Ink::Waiting, "waiting"),
            (Shape::Span(1.0), Ink::Work, "running items"),
            (Shape::Span(1.0), Ink::Retried, "again"),
            (Shape::Span(1.0), Ink::Failed, "with a failed item"),
            (Shape::Span(1.0), Ink::Lost, "lost item"),
            (Shape::Cross, Ink::Lost, "death"),
        ];
        let is_there = |shape: &Shape, ink: Ink| {
            self.marks.iter().any(|mark| mark.ink == ink && (mark.shape == Shape::Cross) == (*shape == Shape::Cross))
        };
        let entries = entries.into_iter().filter(|(shape, ink, _)| is_there(shape, *ink));
        entries.map(|(shape, ink, text)| Entry { shape, ink, text: text.to_owned() }).collect()
    }
}

fn ink(kind: SpanKind) -> Ink {
    match kind {
        SpanKind::Work => Ink::Work,
        SpanKind::Retried => Ink::Retried,
        SpanKind::Failed => Ink::Failed,
        SpanKind::Lost => Ink::Lost,
    }
}

fn told(pid: u32, span: &Span) -> String {
    let what = match span.items {
        1 => format!("item {}", span.first),
        items => format!("{items} items from {} on", span.first),
    };
    let (start, long) = (units::seconds(span.start_s), units::seconds(span.duration_s()));
    let more = match span.kind {
        SpanKind::Work => "",
        SpanKind::Retried => ", sent again",
        SpanKind::Failed => ", some failed",
        SpanKind::Lost => ", lost with its process",
    };
    format!("PID {pid}: {what}, at {start}, {long}{more}")
}

fn described(run: &RunSummary, workers: &[&WorkerRow]) -> String {
    let one = |worker: &&WorkerRow| {
        let end = worker.end.as_ref();
        let items = end.map_or_else(String::new, |end| format!(", {}", units::counted(end.items, "item")));
        let waited =
            end.and_then(|end| end.waiting_s).map_or_else(String::new, |s| format!(", waited {}", units::seconds(s)));
        let died = end.filter(|end| !end.is_normal()).map_or_else(String::new, |end| format!(", ended by {end}"));
        format!("PID {}{items}{waited}{died}", worker.pid)
    };
    let told: Vec<String> = workers.iter().map(one).collect();
    format!(
        "A track for each of {}. {}",
        units::counted(run.processes(), "process").replace("processs", "processes"),
        told.join("; ")
    )
}
