//! The observer that logs a run: it passes events to a thread that writes.

use super::run_files::{Folder, RunFiles};
use super::writer::{LogLimits, RunWriter};
use crate::background::budget::Budget;
use crate::background::queue::{Weigh, WriterQueue};
use crate::background::until_error::UntilError;
use crate::log::error::{LogError, Warn};
use crate::log::private_file::replace_file;
use crate::model::study::{LogLevel, RunRecord, RunResult};
use bytes::Bytes;
use procession::{Accepted, Event, Observer};
use procession_sys::start_thread;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// After this time without a successful write the log ends.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of events after which a batch is queued.
const BATCH_BYTES: usize = 1 << 20;

/// How a run is logged.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// The level: a line per item or per chunk.
    pub level: LogLevel,
    /// Most bytes of lines about items; after these a run's log continues with chunks.
    pub item_bytes: u64,
    /// Bytes of the workers' standard error that are kept.
    pub stderr_bytes: u64,
}

impl Default for LogOptions {
    /// A line per item; 256 MiB of them and of standard error.
    fn default() -> Self {
        Self { level: LogLevel::Task, item_bytes: 256 << 20, stderr_bytes: 256 << 20 }
    }
}

/// Logs a run: give it to the pool as an observer.
///
/// It blocks the driver in one case only: more than 16 MiB wait for the disk in this
/// and other queues.
/// Then it waits while the disk gets anything written; a disk that writes
/// nothing for 5 seconds ends the log with a warning.
pub struct RunLogger {
    queue: Arc<WriterQueue<Event>>,
    batch: Vec<Event>,
    bytes: usize,
    stopped: bool,
    item_log: Arc<AtomicBool>,
    warn: Warn,
}

/// The other end of a `RunLogger`: finishes the log when the run has ended.
/// When dropped without that, it leaves the run as one without a result.
pub struct RunLogging {
    queue: Arc<WriterQueue<Event>>,
    record: RunRecord,
    path: PathBuf,
    warn: Warn,
    ended: bool,
}

impl Weigh for Event {
    fn weight(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Accepted(part) => part.log.len(),
                Self::ItemLost { input, failure, .. } => input.len() + failure.message.len(),
                Self::Stderr { bytes, .. } => bytes.len(),
                Self::Note { text, .. } => text.len(),
                _ => 0,
            }
    }
}

/// Starts the log's thread for a run whose folder is there.
pub(crate) fn start(
    folder: Box<dyn Folder>,
    path: &Path,
    record: RunRecord,
    options: &LogOptions,
    host: &str,
    item_log: Arc<AtomicBool>,
    warn: Warn,
) -> Result<(RunLogger, RunLogging), LogError> {
    let queue = Arc::new(WriterQueue::new(Budget::of_process(), PATIENCE));
    let limits = LogLimits { items: options.item_bytes, stderr: options.stderr_bytes };
    let writer =
        RunWriter::new(RunFiles::new(folder), options.level, limits, host, Arc::clone(&item_log), Arc::clone(&warn));
    let (events, mut recording) = (Arc::clone(&queue), UntilError::new(writer));
    start_thread("log", None, move || events.consume(&mut recording))
        .map_err(LogError::io("starting a thread for", path))?;
    let logging =
        RunLogging { queue: Arc::clone(&queue), record, path: path.to_owned(), warn: Arc::clone(&warn), ended: false };
    Ok((RunLogger { queue, batch: Vec::new(), bytes: 0, stopped: false, item_log, warn }, logging))
}

impl RunLogger {
    fn hand_over(&mut self) {
        self.bytes = 0;
        if !self.queue.push(&mut self.batch) && !self.stopped {
            self.stopped = true;
            self.item_log.store(false, Ordering::Relaxed);
            if self.queue.is_given_up() {
                (self.warn)("the log of this run ends here: its disk does not keep up");
            }
        }
    }
}

impl Observer for RunLogger {
    fn on_event(&mut self, event: &Event) {
        let event = match event {
            Event::RunStarted { .. } | Event::ChunkSent { .. } | Event::RunEnded { .. } => return,
            Event::Accepted(part) => {
                let log = self.queue.own(&part.log);
                Event::Accepted(Accepted { shown: Bytes::new(), log, ..part.clone() })
            }
            other => other.clone(),
        };
        if self.stopped {
            return;
        }
        self.bytes += event.weight();
        self.batch.push(event);
        if self.bytes >= BATCH_BYTES {
            self.hand_over();
        }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            self.hand_over();
        }
    }
}

impl Drop for RunLogger {
    fn drop(&mut self) {
        self.flush();
    }
}

impl RunLogging {
    /// The run's number in the call, from 1.
    #[must_use]
    pub fn run(&self) -> u32 {
        self.record.run
    }

    /// The run's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes what is left, then the result. Call it when the observer has
    /// seen the run's last event (and was flushed or dropped). What can't be
    /// written is a warning.
    pub fn finish(mut self, result: RunResult) {
        self.end();
        self.record.result = Some(result);
        if let Err(error) = write_record(&self.path, &self.record) {
            (self.warn)(&error.to_string());
        }
    }

    fn end(&mut self) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let known = self.queue.is_given_up();
        self.queue.close();
        if !self.queue.wait_for_writer() && !known {
            (self.warn)("the log of this run is not complete: its disk does not keep up");
        }
    }
}

impl Drop for RunLogging {
    fn drop(&mut self) {
        self.end();
    }
}

/// Writes `run.json`.
pub(crate) fn write_record(folder: &Path, record: &RunRecord) -> Result<(), LogError> {
    let path = folder.join("run.json");
    let mut json = serde_json::to_vec_pretty(record).unwrap_or_default();
    json.push(b'\n');
    replace_file(&path, &json).map_err(LogError::io("writing", &path))
}
