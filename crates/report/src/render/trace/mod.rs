//! Writes the runs as a trace in Chrome's format, which Perfetto reads as well. Each
//! PID has a track with its start, its chunks and their items, its retries and its
//! death. Runs follow one another in the order in which they were measured.
//!
//! From a log, items are streamed, because a trace may be larger than memory.
//! Without a log, the trace has the spans that were collected.

use crate::log::error::LogError;
use crate::log::read::line::{ItemLine, LogLine};
use crate::log::read::lines::visit_lines;
use crate::log::read::study_log::{RunLog, StudyLog};
use crate::model::process::ProcessName;
use crate::model::run_summary::RunSummary;
use crate::model::skipped_lines::SkippedLines;
use crate::model::spans::{Span, SpanKind};
use crate::model::study_data::StudyData;
use crate::model::worker::WorkerRow;
use serde_json::{Value, json};
use std::io::{self, Write};

/// Most items in a trace: viewers can't show more. After these only chunks are written.
const MOST_ITEMS: u64 = 1_000_000;

/// Contents of a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceSummary {
    /// Number of events that were written.
    pub events: u64,
    /// Number of items that were omitted because there are too many.
    pub left_out: u64,
}

/// Why a trace can't be written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TraceError {
    /// The log can't be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The trace can't be written.
    #[error("writing the trace: {0}")]
    Write(#[from] io::Error),
}

/// Writes the trace of one or several calls: from the log of a call if it has one,
/// else from the spans of its runs.
///
/// # Errors
/// A log can't be read, or the trace can't be written.
pub fn write_trace(data: &[StudyData], out: &mut dyn Write) -> Result<TraceSummary, TraceError> {
    let mut writer = TraceWriter { out, traced: TraceSummary::default(), coordinator: None, items: MOST_ITEMS };
    writer.out.write_all(b"{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")?;
    for data in data {
        let log = data.log.as_deref().map(StudyLog::open).transpose()?;
        let mut offset_us = 0.0;
        writer.coordinator(data)?;
        for run in &data.runs {
            let log = log.as_ref().and_then(|log| log.runs().iter().find(|log| log.number == run.run));
            writer.run(data, run, log, offset_us)?;
            offset_us += length_s(run) * 1e6;
        }
    }
    let TraceWriter { traced, .. } = writer;
    writeln!(out, "\n],\"otherData\":{{\"items left out\":{}}}}}", traced.left_out)?;
    out.flush()?;
    Ok(traced)
}

/// Seconds until the last known event of a run.
fn length_s(run: &RunSummary) -> f64 {
    let spans = run.spans.tracks.iter().filter_map(|track| track.spans().last()).map(|span| span.end_s);
    let exits = run.workers.iter().filter_map(|worker| worker.exited_s);
    spans.chain(exits).chain(run.wall_s()).fold(0.0, f64::max)
}

struct TraceWriter<'a> {
    out: &'a mut dyn Write,
    traced: TraceSummary,
    /// PID of the coordinator, whose threads may be workers.
    coordinator: Option<u32>,
    /// Number of items that may still be written.
    items: u64,
}

/// A thread of the trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ThreadTrack {
    pid: u32,
    tid: u32,
}

/// A chunk whose items are being read.
struct OpenChunk {
    chunk: u64,
    attempt: u32,
    start_us: f64,
    end_us: f64,
    items: u64,
}

impl TraceWriter<'_> {
    fn event(&mut self, event: &Value) -> io::Result<()> {
        self.out.write_all(if self.traced.events == 0 { b"\n" } else { b",\n" })?;
        self.traced.events += 1;
        serde_json::to_writer(&mut *self.out, event).map_err(io::Error::from)
    }

    /// Writes the name and the sort index of a process.
    fn process(&mut self, pid: u32, name: &str, place: u32) -> io::Result<()> {
        let meta = |what: &str, args: Value| json!({"name": what, "ph": "M", "pid": pid, "tid": pid, "args": args});
        self.event(&meta("process_name", json!({"name": name})))?;
        self.event(&meta("process_sort_index", json!({"sort_index": place})))?;
        self.event(&meta("thread_name", json!({"name": format!("pid {pid}")})))
    }

    /// Writes the name and the sort index of a thread.
    fn thread(&mut self, ThreadTrack { pid, tid }: ThreadTrack, name: &str, place: u32) -> io::Result<()> {
        let meta = |what: &str, args: Value| json!({"name": what, "ph": "M", "pid": pid, "tid": tid, "args": args});
        self.event(&meta("thread_name", json!({"name": name})))?;
        self.event(&meta("thread_sort_index", json!({"sort_index": place})))
    }

    /// The thread of a worker's events: of its own process, or of the coordinator.
    fn track_of(&self, process: ProcessName) -> ThreadTrack {
        let pid = process.pid;
        let lane = process.worker.saturating_add(1);
        match self.coordinator {
            // The thread id that equals the PID is used for the main thread.
            Some(coordinator) if coordinator == pid && lane >= pid => ThreadTrack { pid, tid: lane.saturating_add(1) },
            Some(coordinator) if coordinator == pid => ThreadTrack { pid, tid: lane },
            _ => ThreadTrack { pid, tid: pid },
        }
    }

    fn span(
        &mut self,
        track: ThreadTrack,
        cat: &str,
        name: &str,
        (start_us, end_us): (f64, f64),
        args: Value,
    ) -> io::Result<()> {
        let ThreadTrack { pid, tid } = track;
        let (ts, dur) = (rounded(start_us), rounded((end_us - start_us).max(0.0)));
        let event = json!({
            "name": name, "cat": cat, "ph": "X", "ts": ts, "dur": dur, "pid": pid, "tid": tid, "args": args
        });
        self.event(&event)
    }

    fn instant(&mut self, ThreadTrack { pid, tid }: ThreadTrack, cat: &str, name: &str, at_us: f64) -> io::Result<()> {
        let event =
            json!({"name": name, "cat": cat, "ph": "i", "s": "t", "ts": rounded(at_us), "pid": pid, "tid": tid});
        self.event(&event)
    }

    fn coordinator(&mut self, data: &StudyData) -> io::Result<()> {
        let name =
            if data.label.is_empty() { "coordinator".to_owned() } else { format!("coordinator, {}", data.label) };
        self.coordinator = Some(data.study.pid);
        self.process(data.study.pid, &name, 0)
    }

    fn run(
        &mut self,
        data: &StudyData,
        run: &RunSummary,
        log: Option<&RunLog>,
        offset_us: f64,
    ) -> Result<(), TraceError> {
        let whole = (offset_us, offset_us + length_s(run) * 1e6);
        let args = json!({"status": run.status, "configuration": run.configuration(), "warmup": run.start.warmup});
        let pid = data.study.pid;
        self.span(ThreadTrack { pid, tid: pid }, "run", &crate::render::run_title::title(run), whole, args)?;
        for worker in &run.workers {
            self.worker(run, worker, offset_us, whole.1)?;
        }
        match log {
            Some(log) => self.log(run, log, offset_us),
            None => Ok(self.spans(run, offset_us)?),
        }
    }

    fn worker(&mut self, run: &RunSummary, worker: &WorkerRow, offset_us: f64, end_us: f64) -> io::Result<()> {
        let at = |seconds: f64| offset_us + seconds * 1e6;
        let place = worker.worker.saturating_add(1);
        let track = self.track_of(ProcessName { worker: worker.worker, nth: worker.nth, pid: worker.pid });
        if self.coordinator == Some(worker.pid) {
            // These are the same in all runs.
            self.thread(track, &format!("worker {}", worker.worker), place)?;
        } else {
            self.process(worker.pid, &format!("worker {} (run {})", worker.worker, run.run), place)?;
        }
        let ready_us = worker.ready_s.or(worker.exited_s).map_or(end_us, at);
        self.span(track, "start-up", "start-up", (at(worker.spawned_s), ready_us), json!({"host": worker.host}))?;
        if let Some(end) = worker.end.as_ref().filter(|end| !end.is_normal()) {
            self.instant(track, "death", &end.to_string(), worker.exited_s.map_or(end_us, at))?;
        }
        Ok(())
    }

    fn spans(&mut self, run: &RunSummary, offset_us: f64) -> io::Result<()> {
        for track in &run.spans.tracks {
            for span in track.spans() {
                self.kept(self.track_of(track.process), span, offset_us)?;
            }
        }
        Ok(())
    }

    fn kept(&mut self, track: ThreadTrack, span: &Span, offset_us: f64) -> io::Result<()> {
        let (start_us, end_us) = (offset_us + span.start_s * 1e6, offset_us + span.end_s * 1e6);
        let args =
            json!({"first": span.first, "items": span.items, "attempt": span.attempt, "busy_us": span.busy_s * 1e6});
        if span.attempt > 1 {
            self.instant(track, "retry", &format!("attempt {}", span.attempt), start_us)?;
        }
        if span.kind == SpanKind::Lost {
            return self.span(track, "item", &format!("item {}", span.first), (start_us, end_us), args);
        }
        self.span(track, "chunk", &format!("chunk {}", span.chunk), (start_us, end_us), args)
    }

    fn log(&mut self, run: &RunSummary, log: &RunLog, offset_us: f64) -> Result<(), TraceError> {
        let ready_times = run.ready_times();
        for file in log.item_files()? {
            let track = self.track_of(file.process);
            let mut open: Option<OpenChunk> = None;
            // The coordinator does not know the exact start of lost items and of chunks.
            let mut end_s = ready_times.get(&file.process).copied().unwrap_or(0.0);
            // Lines that can't be parsed were already reported when the spans were read.
            let mut passed = SkippedLines::default();
            visit_lines(&file.path, |line| {
                match passed.line(line, &file.path) {
                    Some(LogLine::Item(item)) => {
                        let start_s = (item.start_us / 1e6).max(end_s);
                        end_s = ((item.start_us + item.duration_us) / 1e6).max(start_s);
                        self.item(track, &item, (offset_us + start_s * 1e6, offset_us + end_s * 1e6), &mut open)?;
                    }
                    Some(LogLine::Chunk(part)) => {
                        let span = Span::of_chunk_line(&part).after(end_s);
                        end_s = span.end_s;
                        self.kept(track, &span, offset_us)?;
                    }
                    Some(LogLine::Note(_) | LogLine::Attempt(_)) | None => {}
                }
                Ok::<_, TraceError>(())
            })?;
            self.close(track, open)?;
        }
        Ok(())
    }

    fn item(
        &mut self,
        track: ThreadTrack,
        item: &ItemLine<'_>,
        (start_us, end_us): (f64, f64),
        open: &mut Option<OpenChunk>,
    ) -> io::Result<()> {
        match open {
            Some(open) if (open.chunk, open.attempt) == (item.chunk, item.attempt) => {
                open.start_us = open.start_us.min(start_us);
                open.end_us = open.end_us.max(end_us);
                open.items += 1;
            }
            _ => {
                self.close(track, open.take())?;
                let (chunk, attempt) = (item.chunk, item.attempt);
                *open = Some(OpenChunk { chunk, attempt, start_us, end_us, items: 1 });
                if attempt > 1 {
                    self.instant(track, "retry", &format!("attempt {attempt}"), start_us)?;
                }
            }
        }
        if self.items == 0 {
            self.traced.left_out += 1;
            return Ok(());
        }
        self.items -= 1;
        let args = json!({"input": item.shown_input(), "outcome": item.shown_outcome(), "attempt": item.attempt});
        self.span(track, "item", &format!("item {}", item.item), (start_us, end_us), args)
    }

    fn close(&mut self, track: ThreadTrack, open: Option<OpenChunk>) -> io::Result<()> {
        let Some(OpenChunk { chunk, attempt, start_us, end_us, items }) = open else { return Ok(()) };
        let args = json!({"items": items, "attempt": attempt});
        self.span(track, "chunk", &format!("chunk {chunk}"), (start_us, end_us), args)
    }
}

/// Rounds to nanoseconds, so that items stay within their chunk.
fn rounded(us: f64) -> f64 {
    (us * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests;
