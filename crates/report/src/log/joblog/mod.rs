//! `--joblog`: a line for each item with an outcome, in the order in which they
//! completed. It has the columns of GNU parallel, and the PID as the last one.
//!
//! A thread parses the lines that workers format for the log (`ItemLine`) and
//! writes those of the job log. Differences from GNU parallel:
//!
//! - `Seq` is the item's index plus one, so that it counts from 1.
//! - `Host` is `:` for processes of this machine (as in GNU parallel).
//! - `Send` and `Receive` are the bytes of the item and of its result.
//! - `Exitval` and `Signal` are those of the program or process that ran the item. An
//!   item that failed otherwise has the `Exitval` 1. It is -1 if neither tells of a
//!   failure, and for an item that timed out.
//! - `Command` is the command as it was run, quoted for a shell, so that
//!   `parallel --retry-failed` can run it again. A `#` behind it makes the PID a
//!   comment then. Without a program it is the task and the item. The item is escaped,
//!   so that it stays in its line, and cut at the length at which the log cuts results.
//!
//! The runs of a study follow one another. The file is truncated when the first run
//! begins: a failed invocation does not modify it. A call that resumes an output
//! appends to its job log.

use crate::background::budget::Budget;
use crate::background::queue::WriterQueue;
use crate::background::until_error::{Recorder, UntilError};
use crate::log::read::line::{ItemLine, LogLine};
use procession::{Accepted, Event, Exit, Observer, WorkerRef};
use procession_sys::start_thread;
use procession_task::{Failure, FailureKind, LOGGED_BYTES, escape_terminal};
use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// After this time without a successful write the job log ends.
const PATIENCE: Duration = Duration::from_secs(5);
const HEADER: &str = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\tPID\n";

/// The job log of a call, open for its runs.
pub struct JobLog {
    file: File,
    /// The path, if this call created the file: it is removed again if no run begins.
    made: Option<PathBuf>,
    /// What the first run does to the file.
    begin: Begin,
    task: String,
    host: String,
    command: CommandOf,
}

/// The command that runs the item of this index, quoted for a shell; `None` if there is
/// none.
pub type CommandOf = Arc<dyn Fn(u64, &[u8]) -> Option<String> + Send + Sync>;

/// What the first run does to the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Begin {
    /// Truncates the file and writes the header.
    Anew,
    /// Appends after this many bytes.
    After(u64),
    /// Nothing: a run has begun, or the file is not a regular one.
    Done,
}

/// The observer that writes the lines of a run.
///
/// It blocks the driver only if more than 16 MiB are queued, here and in other queues. If the disk accepts
/// nothing for 5 s, the job log ends and the run continues; [`JobLogging::finish`] tells.
pub struct JobLogger {
    queue: Arc<WriterQueue<Event>>,
    batch: Vec<Event>,
}

/// The writing side of a `JobLogger`.
pub struct JobLogging {
    queue: Arc<WriterQueue<Event>>,
    problem: Problem,
}

/// Why the job log ended early.
type Problem = Arc<Mutex<Option<io::Error>>>;

struct JobLogWriter {
    out: BufWriter<File>,
    task: String,
    host: String,
    command: CommandOf,
    /// Unix time of the run's start, in seconds.
    began: f64,
    /// The process that ended last: its exit comes just before its lost items.
    last: Option<(WorkerRef, Exit)>,
    problem: Problem,
}

/// The values of a line.
struct JobLogRow<'a> {
    item: u64,
    host: &'a str,
    start_s: f64,
    took_s: f64,
    send: u64,
    receive: u64,
    exit: i32,
    signal: i32,
    command: String,
    pid: u32,
}

impl JobLog {
    /// Opens the file, or creates it for its owner alone. The first run truncates it,
    /// or appends to it if it is `appended`.
    ///
    /// # Errors
    /// The file can't be written, or it is to be appended to and is no job log.
    pub fn open(path: &Path, appended: bool, task: &str, host: &str, command: CommandOf) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(appended).write(true).mode(0o600);
        let (mut file, is_new) = match options.clone().create_new(true).open(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (options.create(true).open(path)?, false),
            file => (file?, true),
        };
        let begin = match file.metadata()? {
            about if !about.is_file() => {
                // It has no contents to keep. The write shows whether it accepts data.
                file.write_all(HEADER.as_bytes())?;
                Begin::Done
            }
            about if appended && about.len() > 0 => Begin::After(whole(&file, about.len())?),
            _ => Begin::Anew,
        };
        let made = is_new.then(|| path.to_owned());
        Ok(Self { file, made, begin, task: escape_terminal(task.as_bytes()), host: host.to_owned(), command })
    }

    /// The file's metadata, to compare it with other files.
    ///
    /// # Errors
    /// The system call fails.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    fn begin(&mut self) -> io::Result<()> {
        match self.begin {
            Begin::Done => return Ok(()),
            Begin::Anew => {
                self.file.set_len(0)?;
                self.file.write_all(HEADER.as_bytes())?;
            }
            Begin::After(bytes) => {
                self.file.set_len(bytes)?;
                self.file.seek(SeekFrom::Start(bytes))?;
            }
        }
        (self.begin, self.made) = (Begin::Done, None);
        Ok(())
    }

    /// Starts the lines of a run: returns the observer for the pool, and a handle that
    /// waits for the last line. Workers must format log lines.
    ///
    /// # Errors
    /// No thread or file descriptor is available, or the file can't be written.
    pub fn start_run(&mut self) -> io::Result<(JobLogger, JobLogging)> {
        self.begin()?;
        let queue = Arc::new(WriterQueue::new(Budget::of_process(), PATIENCE));
        let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let problem = Problem::default();
        let writer = JobLogWriter {
            out: BufWriter::new(self.file.try_clone()?),
            task: self.task.clone(),
            host: self.host.clone(),
            command: Arc::clone(&self.command),
            began,
            last: None,
            problem: Arc::clone(&problem),
        };
        let (events, mut recording) = (Arc::clone(&queue), UntilError::new(writer));
        start_thread("joblog", None, move || events.consume(&mut recording))?;
        Ok((JobLogger { queue: Arc::clone(&queue), batch: Vec::new() }, JobLogging { queue, problem }))
    }
}

impl fmt::Debug for JobLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobLog").field("file", &self.file).field("begin", &self.begin).finish_non_exhaustive()
    }
}

impl Drop for JobLog {
    fn drop(&mut self) {
        let Some(path) = self.made.take() else { return };
        let ours = self.file.metadata().map(|about| (about.dev(), about.ino())).ok();
        let there = std::fs::metadata(&path).map(|about| (about.dev(), about.ino())).ok();
        if ours.is_some() && ours == there {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// Number of bytes in whole lines: a killed run may have left an incomplete line.
fn whole(file: &File, length: u64) -> io::Result<u64> {
    let mut header = [0; HEADER.len()];
    match file.read_exact_at(&mut header, 0) {
        Ok(()) if header == *HEADER.as_bytes() => {}
        Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => return Err(error),
        _ => return Err(io::Error::other("is no job log that can be gone on with: give another file")),
    }
    let mut byte = [0];
    let mut end = length;
    while end > header.len() as u64 {
        file.read_exact_at(&mut byte, end - 1)?;
        if byte == *b"\n" {
            break;
        }
        end -= 1;
    }
    Ok(end)
}

impl Observer for JobLogger {
    fn on_event(&mut self, event: &Event) {
        match event {
            Event::Accepted(part) => {
                let (shown, log) = (bytes::Bytes::new(), self.queue.own(&part.log));
                self.batch.push(Event::Accepted(Accepted { shown, log, ..part.clone() }));
            }
            Event::ItemLost { .. } | Event::WorkerExited(_) => self.batch.push(event.clone()),
            _ => {}
        }
    }

    fn flush(&mut self) {
        if !self.batch.is_empty() {
            self.queue.push(&mut self.batch);
        }
    }
}

impl Drop for JobLogger {
    fn drop(&mut self) {
        self.flush();
    }
}

impl JobLogging {
    /// Waits until all lines are written. Call it when the observer has received the
    /// run's last event and was flushed or dropped.
    ///
    /// # Errors
    /// Lines are missing: the file could not be written, or not fast enough.
    pub fn finish(self) -> io::Result<()> {
        self.queue.close();
        let keeps_up = self.queue.wait_for_writer();
        match self.problem.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None if keeps_up => Ok(()),
            None => Err(io::Error::other("the disk does not keep up")),
        }
    }
}

impl Drop for JobLogging {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Recorder<Event> for JobLogWriter {
    fn record(&mut self, event: &Event) -> io::Result<()> {
        match event {
            Event::Accepted(part) => {
                for line in part.log.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
                    // A compromised worker may send anything: lines that are not about items are skipped.
                    if let Ok(LogLine::Item(item)) = LogLine::parse(line, Path::new("a worker's line")) {
                        self.write_item(&item)?;
                    }
                }
                Ok(())
            }
            Event::WorkerExited(exit) => {
                self.last = Some((exit.worker, exit.exit));
                Ok(())
            }
            Event::ItemLost { worker, item, input, failure, sent_at, at, .. } => {
                let (exit, signal) = self.end_of(*worker, failure);
                let (start_s, took_s) = (sent_at.as_secs_f64(), at.saturating_sub(*sent_at).as_secs_f64());
                let command = self.command_of(*item, input);
                let (send, pid) = (input.len() as u64, worker.pid);
                let host = self.host.clone();
                self.row(&JobLogRow {
                    item: *item,
                    host: &host,
                    start_s,
                    took_s,
                    send,
                    receive: 0,
                    exit,
                    signal,
                    command,
                    pid,
                })
            }
            _ => Ok(()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn give_up(&mut self, error: &io::Error) {
        // The kind, for which there is no copy, and the text.
        let error =
            error.raw_os_error().map_or_else(|| io::Error::other(error.to_string()), io::Error::from_raw_os_error);
        *self.problem.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

impl JobLogWriter {
    fn write_item(&mut self, line: &ItemLine<'_>) -> io::Result<()> {
        let whole = line.whole_input();
        let command = match &whole {
            Some(input) => self.command_of(line.item, input),
            None => format!("{} {}", self.task, line.shown_input()),
        };
        let (exit, signal) = match (&line.error, line.exit_status, line.signal) {
            (None, ..) => (0, 0),
            (_, _, Some(signal)) => (0, signal),
            (_, Some(status), _) if status != 0 => (status, 0),
            _ => (1, 0),
        };
        let whole = whole.map_or(0, |input| input.len() as u64);
        let output = line.output.map_or(0, |json| {
            let text = serde_json::from_str::<String>(json.get());
            text.map_or(json.get().len(), |text| text.len()) as u64
        });
        let encoded = line.output_base64.as_deref().map_or(0, |encoded| {
            let padding = encoded.bytes().rev().take_while(|&byte| byte == b'=').count();
            (encoded.len() / 4 * 3 - padding.min(encoded.len() / 4 * 3)) as u64
        });
        self.row(&JobLogRow {
            item: line.item,
            host: &line.host,
            start_s: line.start_us / 1e6,
            took_s: line.duration_us / 1e6,
            send: line.input_bytes.unwrap_or(whole),
            receive: line.output_bytes.unwrap_or(output + encoded),
            exit,
            signal,
            command,
            pid: line.pid,
        })
    }

    /// The command that runs an item, or the task and the item.
    fn command_of(&self, item: u64, input: &[u8]) -> String {
        (self.command)(item, input).map_or_else(
            || format!("{} {}", self.task, escape_terminal(&input[..input.len().min(LOGGED_BYTES)])),
            |command| format!("{command} #"),
        )
    }

    /// Exit status and signal of an item's process, as GNU parallel reports them.
    fn end_of(&self, worker: WorkerRef, failure: &Failure) -> (i32, i32) {
        let exit = self.last.filter(|(who, _)| *who == worker).map(|(_, exit)| exit);
        match (failure.kind, exit) {
            (FailureKind::TimedOut, Some(Exit::Signal(signal))) => (-1, signal),
            (FailureKind::TimedOut, _) | (_, None | Some(Exit::Status(0))) => (-1, 0),
            (_, Some(Exit::Signal(signal))) => (0, signal),
            (_, Some(Exit::Status(status))) => (status, 0),
        }
    }

    fn row(&mut self, row: &JobLogRow<'_>) -> io::Result<()> {
        let JobLogRow { item, host, start_s, took_s, send, receive, exit, signal, command, pid } = row;
        let host = if *host == self.host { ":".to_owned() } else { escape_terminal(host.as_bytes()) };
        let (seq, start) = (item.saturating_add(1), self.began + start_s);
        writeln!(
            self.out,
            "{seq}\t{host}\t{start:.3}\t{took_s:10.3}\t{send}\t{receive}\t{exit}\t{signal}\t{command}\t{pid}"
        )
    }
}

#[cfg(test)]
mod tests;
