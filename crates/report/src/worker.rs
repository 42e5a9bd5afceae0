//! What is known of each worker's process: the lines of `workers.jsonl`, and
//! the row that they add up to.

use procession::{Event, Exit, Times, WorkerExit, WorkerRef};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// Names a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessName {
    /// Its place in the pool, from 0.
    pub worker: u32,
    /// Which process of its place it is, from 0.
    pub nth: u32,
    /// Its process id.
    pub pid: u32,
}

impl From<WorkerRef> for ProcessName {
    fn from(worker: WorkerRef) -> Self {
        Self { worker: worker.slot, nth: worker.nth, pid: worker.pid }
    }
}

/// One line of `workers.jsonl`. Times are microseconds since the run's start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum WorkerLine {
    /// A process was spawned.
    Spawned {
        /// Which one.
        #[serde(flatten)]
        process: ProcessName,
        /// When, in microseconds.
        at_us: f64,
    },
    /// A process could not be spawned.
    SpawnFailed {
        /// For which place.
        worker: u32,
        /// What the system said.
        message: String,
        /// When, in microseconds.
        at_us: f64,
    },
    /// It said hello.
    Ready {
        /// Which one.
        #[serde(flatten)]
        process: ProcessName,
        /// Where it runs.
        host: String,
        /// When, in microseconds.
        at_us: f64,
    },
    /// It ended.
    Exited {
        /// Which one.
        #[serde(flatten)]
        process: ProcessName,
        /// Where it ran.
        host: String,
        /// How it ended.
        #[serde(flatten)]
        end: ProcessEnd,
        /// When, in microseconds.
        at_us: f64,
    },
}

/// How a process ended and what it used.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ProcessEnd {
    /// Its exit status, unless a signal ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<i32>,
    /// The signal that ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<i32>,
    /// Whether the pool asked for its end.
    pub asked: bool,
    /// Processor seconds in user mode.
    pub cpu_user_s: f64,
    /// Processor seconds in the kernel.
    pub cpu_system_s: f64,
    /// Most memory that it ever held, in bytes.
    #[serde(default)]
    pub peak_memory_bytes: Option<u64>,
    /// Seconds that it waited for work.
    #[serde(default)]
    pub waiting_s: Option<f64>,
    /// Seconds that it read, checked and framed messages.
    #[serde(default)]
    pub transport_s: Option<f64>,
    /// Seconds that it read items from their text.
    #[serde(default)]
    pub decoding_s: Option<f64>,
    /// Seconds that it ran the task.
    #[serde(default)]
    pub running_s: Option<f64>,
    /// Seconds that it wrote records and log lines.
    #[serde(default)]
    pub encoding_s: Option<f64>,
    /// Seconds that it handed results over.
    #[serde(default)]
    pub writing_s: Option<f64>,
    /// Seconds from the run's start until it had told all this, its last words.
    #[serde(default)]
    pub told_s: Option<f64>,
    /// Items whose results were accepted from it.
    pub items: u64,
    /// Chunks whose results were accepted from it.
    pub chunks: u64,
}

impl ProcessEnd {
    /// Processor seconds in user mode and in the kernel.
    #[must_use]
    pub fn cpu_s(&self) -> f64 {
        self.cpu_user_s + self.cpu_system_s
    }

    /// Seconds that it was busy with items, whatever part of it.
    #[must_use]
    pub fn busy_s(&self) -> Option<f64> {
        Some(self.decoding_s? + self.running_s? + self.encoding_s?)
    }

    /// Seconds that it told of, whatever it did; `None` if it told of none.
    #[must_use]
    pub fn told_total_s(&self) -> Option<f64> {
        Some(self.waiting_s? + self.transport_s? + self.busy_s()? + self.writing_s?)
    }

    /// Whether it ended as it should: the pool asked and it exited with 0.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        self.asked && self.signal.is_none() && self.status.unwrap_or(0) == 0
    }
}

impl fmt::Display for ProcessEnd {
    /// As in `exit 3`, `SIGKILL` or `signal 42`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.signal, self.status) {
            (Some(signal), _) => match signal_name(signal) {
                Some(name) => write!(f, "{name}"),
                None => write!(f, "signal {signal}"),
            },
            (None, Some(status)) => write!(f, "exit {status}"),
            (None, None) => f.write_str("unknown"),
        }
    }
}

/// The signals that end processes in practice, by name.
fn signal_name(signal: i32) -> Option<&'static str> {
    const NAMES: [(i32, &str); 12] = [
        (libc::SIGHUP, "SIGHUP"),
        (libc::SIGINT, "SIGINT"),
        (libc::SIGQUIT, "SIGQUIT"),
        (libc::SIGILL, "SIGILL"),
        (libc::SIGTRAP, "SIGTRAP"),
        (libc::SIGABRT, "SIGABRT"),
        (libc::SIGBUS, "SIGBUS"),
        (libc::SIGFPE, "SIGFPE"),
        (libc::SIGKILL, "SIGKILL"),
        (libc::SIGSEGV, "SIGSEGV"),
        (libc::SIGPIPE, "SIGPIPE"),
        (libc::SIGTERM, "SIGTERM"),
    ];
    NAMES.iter().find(|(number, _)| *number == signal).map(|(_, name)| *name)
}

/// Everything known of one process.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WorkerRow {
    /// Its place in the pool, from 0.
    pub worker: u32,
    /// Which process of its place it is, from 0.
    pub nth: u32,
    /// Its process id.
    pub pid: u32,
    /// Where it ran; empty until it was ready.
    pub host: String,
    /// Seconds from the run's start until it was spawned.
    pub spawned_s: f64,
    /// Seconds from the run's start until it was ready, if it ever was.
    pub ready_s: Option<f64>,
    /// Seconds from the run's start until it was reaped, if it was.
    pub exited_s: Option<f64>,
    /// How it ended, if that is known.
    pub end: Option<ProcessEnd>,
}

/// Rows of one run, in the order of the processes' start.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkerRows {
    rows: Vec<WorkerRow>,
    at: HashMap<ProcessName, usize>,
    /// Processes that could not be spawned.
    pub spawn_failures: u32,
    /// The longest that one was busy for one answer, in seconds.
    pub longest_s: f64,
}

impl WorkerRows {
    /// Takes a line into account.
    pub fn take(&mut self, line: WorkerLine) {
        match line {
            WorkerLine::Spawned { process, at_us } => self.row(process).spawned_s = at_us / 1e6,
            WorkerLine::SpawnFailed { .. } => self.spawn_failures += 1,
            WorkerLine::Ready { process, host, at_us } => {
                let row = self.row(process);
                row.host = host;
                row.ready_s = Some(at_us / 1e6);
            }
            WorkerLine::Exited { process, host, end, at_us } => {
                let row = self.row(process);
                row.host = host;
                row.exited_s = Some(at_us / 1e6);
                row.end = Some(end);
            }
        }
    }

    /// The rows.
    #[must_use]
    pub fn rows(&self) -> &[WorkerRow] {
        &self.rows
    }

    /// The rows, owned.
    #[must_use]
    pub fn into_rows(self) -> Vec<WorkerRow> {
        self.rows
    }

    fn row(&mut self, process: ProcessName) -> &mut WorkerRow {
        let at = *self.at.entry(process).or_insert(self.rows.len());
        if at == self.rows.len() {
            let ProcessName { worker, nth, pid } = process;
            self.rows.push(WorkerRow { worker, nth, pid, ..WorkerRow::default() });
        }
        &mut self.rows[at]
    }
}

/// Turns events into lines; remembers who runs where, until they exit.
#[derive(Clone, Debug)]
pub(crate) struct Lines {
    local: String,
    hosts: HashMap<ProcessName, String>,
}

impl Lines {
    /// Processes that never say where they are count as being on `local`.
    pub(crate) fn new(local: impl Into<String>) -> Self {
        Self { local: local.into(), hosts: HashMap::new() }
    }

    pub(crate) fn host(&self, process: ProcessName) -> &str {
        self.hosts.get(&process).unwrap_or(&self.local)
    }

    /// The line of an event that is about processes.
    pub(crate) fn line(&mut self, event: &Event) -> Option<WorkerLine> {
        match event {
            Event::WorkerSpawned { worker, at } => {
                Some(WorkerLine::Spawned { process: (*worker).into(), at_us: microseconds(*at) })
            }
            Event::SpawnFailed { slot, message, at } => {
                let message = message.clone();
                Some(WorkerLine::SpawnFailed { worker: *slot, message, at_us: microseconds(*at) })
            }
            Event::WorkerReady { worker, host, at } => {
                let process = (*worker).into();
                if *host != self.local {
                    self.hosts.insert(process, host.clone());
                }
                Some(WorkerLine::Ready { process, host: host.clone(), at_us: microseconds(*at) })
            }
            Event::WorkerExited(exit) => {
                let process = exit.worker.into();
                let host = self.host(process).to_owned();
                Some(WorkerLine::Exited { process, host, end: process_end(exit), at_us: microseconds(exit.at) })
            }
            _ => None,
        }
    }
}

fn process_end(exit: &WorkerExit) -> ProcessEnd {
    let (status, signal) = match exit.exit {
        Exit::Status(status) => (Some(status), None),
        Exit::Signal(signal) => (None, Some(signal)),
    };
    let seconds = |phase: fn(&Times) -> u64| exit.times.map(|times| Duration::from_nanos(phase(&times)).as_secs_f64());
    ProcessEnd {
        status,
        signal,
        asked: exit.asked,
        cpu_user_s: exit.cpu_user.as_secs_f64(),
        cpu_system_s: exit.cpu_system.as_secs_f64(),
        peak_memory_bytes: exit.peak_memory,
        waiting_s: seconds(|times| times.waiting_ns),
        transport_s: seconds(|times| times.transport_ns),
        decoding_s: seconds(|times| times.decoding_ns),
        running_s: seconds(|times| times.running_ns),
        encoding_s: seconds(|times| times.encoding_ns),
        writing_s: seconds(|times| times.writing_ns),
        told_s: exit.told_at.map(|at| at.as_secs_f64()),
        items: exit.items,
        chunks: exit.chunks,
    }
}

/// With three decimals, as exact as the clock.
#[expect(clippy::cast_precision_loss, reason = "a run of 104 days is exact to the nanosecond")]
pub(crate) fn microseconds(at: Duration) -> f64 {
    at.as_nanos() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;

    #[test]
    fn lines_read_back_as_they_were_written() {
        let mut lines = Lines::new("here");
        for event in samples::life(0, 0, 4242) {
            let Some(line) = lines.line(&event) else { continue };
            let json = serde_json::to_string(&line).unwrap();
            assert_eq!(serde_json::from_str::<WorkerLine>(&json).unwrap(), line, "{json}");
        }
    }

    #[test]
    fn a_line_names_what_the_reader_of_a_log_looks_for() {
        let mut lines = Lines::new("here");
        let exit = samples::exit(1, 2, 77, Exit::Signal(9));
        let line = lines.line(&Event::WorkerExited(exit)).unwrap();
        let expected = serde_json::json!({
            "event": "exited", "worker": 1, "nth": 2, "pid": 77, "host": "here", "signal": 9, "asked": false,
            "cpu_user_s": 0.5, "cpu_system_s": 0.25, "peak_memory_bytes": 1_048_576, "waiting_s": 0.125,
            "transport_s": 0.03125, "decoding_s": 0.125, "running_s": 0.5, "encoding_s": 0.125, "writing_s": 0.0625,
            "told_s": 0.998, "items": 10, "chunks": 3, "at_us": 1_000_000.0
        });
        assert_eq!(serde_json::to_value(&line).unwrap(), expected);
    }

    #[test]
    fn rows_add_up() {
        let mut lines = Lines::new("here");
        let mut rows = WorkerRows::default();
        let replaced = samples::life(0, 0, 10).into_iter().chain(samples::life(0, 1, 11));
        for line in replaced.filter_map(|event| lines.line(&event)) {
            rows.take(line);
        }
        rows.take(WorkerLine::SpawnFailed { worker: 1, message: "no".into(), at_us: 1.0 });
        let pids: Vec<_> = rows.rows().iter().map(|row| (row.worker, row.nth, row.pid)).collect();
        assert_eq!(pids, [(0, 0, 10), (0, 1, 11)]);
        assert_eq!(rows.spawn_failures, 1);
        let row = &rows.rows()[0];
        assert_eq!((row.spawned_s, row.ready_s, row.exited_s), (0.001, Some(0.003), Some(1.0)));
        assert_eq!(row.host, "elsewhere");
    }

    #[test]
    fn ends_in_words() {
        let of = |exit| process_end(&samples::exit(0, 0, 1, exit));
        assert_eq!(of(Exit::Signal(9)).to_string(), "SIGKILL");
        assert_eq!(of(Exit::Signal(42)).to_string(), "signal 42");
        assert_eq!(of(Exit::Status(3)).to_string(), "exit 3");
        assert!(!of(Exit::Status(0)).is_usual(), "not asked");
    }
}
