//! Writes a run's files from its events, on the thread of the log.
//!
//! Lines that workers formatted are copied without parsing; only their bytes are
//! counted.

use super::run_files::{FileName, RunFiles};
use crate::background::until_error::Recorder;
use crate::log::error::Warn;
use crate::model::chunk_line::{AttemptLine, ChunkLine, NoteLine};
use crate::model::process::ProcessName;
use crate::model::study::LogLevel;
use crate::model::worker_lines::Lines;
use crate::text::units;
use bytes::Bytes;
use procession::{Accepted, Event, WorkerRef};
use procession_task::{ATTEMPT_LINE, CoordinatorLine, Identity};
use serde::Serialize;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How much of a run is logged.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogLimits {
    /// Most bytes of lines about items; after these the log continues with chunks.
    pub(crate) items: u64,
    /// Most bytes of the workers' standard error; the rest is omitted.
    pub(crate) stderr: u64,
}

/// Writes a run's files.
pub(crate) struct RunWriter {
    files: RunFiles,
    lines: Lines,
    level: LogLevel,
    limits: LogLimits,
    item_bytes: u64,
    stderr_bytes: u64,
    /// Whether workers still format lines about items.
    item_log: Arc<AtomicBool>,
    warn: Warn,
    /// Buffer for one line, reused.
    line: Vec<u8>,
}

impl RunWriter {
    pub(crate) fn new(
        files: RunFiles,
        level: LogLevel,
        limits: LogLimits,
        host: &str,
        item_log: Arc<AtomicBool>,
        warn: Warn,
    ) -> Self {
        let lines = Lines::new(host);
        let (item_bytes, stderr_bytes, line) = (0, 0, Vec::new());
        Self { files, lines, level, limits, item_bytes, stderr_bytes, item_log, warn, line }
    }

    fn write_process(&mut self, event: &Event) -> io::Result<()> {
        let Some(line) = self.lines.line(event) else { return Ok(()) };
        self.line.clear();
        push_line(&mut self.line, &line);
        self.files.write(FileName::Workers, &self.line)?;
        match event {
            Event::WorkerSpawned { worker, .. } => self.files.write(FileName::Items((*worker).into()), b""),
            Event::WorkerExited(exit) => {
                let process = exit.worker.into();
                self.files.close(FileName::Stderr(process))?;
                self.files.close(FileName::Items(process))
            }
            _ => Ok(()),
        }
    }

    fn write_part(&mut self, part: &Accepted) -> io::Result<()> {
        let file = FileName::Items(part.worker.into());
        if let Some((log, attempts)) = split_attempts(&part.log) {
            self.write_limited(FileName::Attempts, &attempts)?;
            return self.write_part(&Accepted { log, ..part.clone() });
        }
        if self.level == LogLevel::Task && !part.log.is_empty() {
            let total = self.item_bytes + part.log.len() as u64;
            if total <= self.limits.items {
                self.item_bytes = total;
                return self.files.write(file, &part.log);
            }
            self.go_on_with_chunks(file)?;
        }
        if part.items == 0 {
            return Ok(());
        }
        self.line.clear();
        push_line(&mut self.line, &ChunkLine::new(part, self.lines.host(part.worker.into())));
        self.files.write(file, &self.line)
    }

    fn go_on_with_chunks(&mut self, file: FileName) -> io::Result<()> {
        self.level = LogLevel::Chunk;
        self.item_log.store(false, Ordering::Relaxed);
        let limit = units::bytes(self.limits.items);
        let note = format!("the log of this run holds {limit} of lines about items and goes on with a line per chunk");
        (self.warn)(&note);
        self.line.clear();
        push_line(&mut self.line, &NoteLine { note });
        self.files.write(file, &self.line)
    }

    /// Writes a worker's note into the file of its standard error.
    fn write_note(&mut self, worker: WorkerRef, text: &str) -> io::Result<()> {
        self.write_stderr(worker, &format!("note: {text}\n").into())
    }

    fn write_lost(&mut self, event: &Event) -> io::Result<()> {
        let Event::ItemLost { worker, chunk, item, input, attempt, failure, sent_at, at } = event else {
            return Ok(());
        };
        let process: ProcessName = (*worker).into();
        let nanoseconds = |at: std::time::Duration| u64::try_from(at.as_nanos()).unwrap_or(u64::MAX);
        let line = CoordinatorLine {
            item: *item,
            input,
            chunk: *chunk,
            attempt: *attempt,
            span_ns: (nanoseconds(*sent_at), nanoseconds(*at)),
            failure,
        };
        self.line.clear();
        let identity = Identity::new(process.pid, self.lines.host(process), process.worker);
        identity.write_for_dead(&mut self.line, &line);
        self.files.write(FileName::Items(process), &self.line)
    }

    /// Writes an attempt without an outcome.
    fn write_attempt(&mut self, worker: WorkerRef, event: &Event) -> io::Result<()> {
        self.line.clear();
        if let Some(line) = AttemptLine::new(event, self.lines.host(worker.into())) {
            push_line(&mut self.line, &line);
        }
        let line = std::mem::take(&mut self.line);
        let written = self.write_limited(FileName::Attempts, &line);
        self.line = line;
        written
    }

    /// Writes lines unless they exceed the limit of lines about items.
    fn write_limited(&mut self, file: FileName, lines: &[u8]) -> io::Result<()> {
        let total = self.item_bytes + lines.len() as u64;
        if total > self.limits.items {
            return Ok(());
        }
        self.item_bytes = total;
        self.files.write(file, lines)
    }

    fn write_stderr(&mut self, worker: WorkerRef, bytes: &Bytes) -> io::Result<()> {
        let left = self.limits.stderr.saturating_sub(self.stderr_bytes);
        if left == 0 || bytes.is_empty() {
            return Ok(());
        }
        let fits = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        self.stderr_bytes += fits as u64;
        self.files.write(FileName::Stderr(worker.into()), &bytes[..fits])?;
        if self.stderr_bytes == self.limits.stderr {
            let limit = units::bytes(self.limits.stderr);
            (self.warn)(&format!("workers wrote {limit} to stderr in this run; the log leaves out the rest"));
        }
        Ok(())
    }
}

impl Recorder<Event> for RunWriter {
    fn record(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Accepted(part) => self.write_part(part),
            Event::ItemLost { .. } => self.write_lost(event),
            Event::AttemptLost { worker, .. } => self.write_attempt(*worker, event),
            Event::Stderr { worker, bytes } => self.write_stderr(*worker, bytes),
            Event::Note { worker, text, .. } => self.write_note(*worker, text),
            _ => self.write_process(event),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.files.flush()
    }

    fn give_up(&mut self, error: &io::Error) {
        self.item_log.store(false, Ordering::Relaxed);
        (self.warn)(&format!("the log of this run ends here: {error}"));
    }
}

/// The lines of items and those of attempts without an outcome; `None` if there are
/// none of these. A line feed stands only at the end of a line.
fn split_attempts(log: &Bytes) -> Option<(Bytes, Vec<u8>)> {
    let is_attempt = |line: &[u8]| line.starts_with(ATTEMPT_LINE);
    if !is_attempt(log) && memchr::memmem::find(log, &[b"\n", ATTEMPT_LINE].concat()).is_none() {
        return None;
    }
    let (attempts, items): (Vec<&[u8]>, Vec<&[u8]>) =
        log.split_inclusive(|&byte| byte == b'\n').partition(|line| is_attempt(line));
    Some((items.concat().into(), attempts.concat()))
}

/// Appends a line of JSON.
fn push_line(out: &mut Vec<u8>, line: &impl Serialize) {
    // Serializing a plain structure into memory does not fail.
    let _ = serde_json::to_writer(&mut *out, line);
    out.push(b'\n');
}
