//! What is known of each worker process: the lines of `workers.jsonl`, and the
//! row that they make for each process.

use super::process::{ProcessName, WorkerEnd};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;

/// One line of `workers.jsonl`. Times are microseconds since the run's start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum WorkerLine {
    /// A process was spawned.
    Spawned {
        /// The process.
        #[serde(flatten)]
        process: ProcessName,
        /// The time in microseconds.
        at_us: f64,
    },
    /// A process could not be spawned.
    SpawnFailed {
        /// The slot in the pool, from 0.
        worker: u32,
        /// The system's error message.
        message: String,
        /// The time in microseconds.
        at_us: f64,
    },
    /// A process completed its handshake.
    Ready {
        /// The process.
        #[serde(flatten)]
        process: ProcessName,
        /// Its host.
        host: String,
        /// The time in microseconds.
        at_us: f64,
    },
    /// A process ended.
    Exited {
        /// The process.
        #[serde(flatten)]
        process: ProcessName,
        /// Its host.
        host: String,
        /// How it ended.
        #[serde(flatten)]
        end: WorkerEnd,
        /// The time in microseconds.
        at_us: f64,
    },
}

/// What is known of one process.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct WorkerRow {
    /// Its slot in the pool, from 0.
    pub worker: u32,
    /// Which process of the slot it is, from 0.
    pub nth: u32,
    /// Its process id.
    pub pid: u32,
    /// Its host; empty until the process was ready.
    pub host: String,
    /// Seconds from the run's start until it was spawned.
    pub spawned_s: f64,
    /// Seconds from the run's start until it was ready; `None` if it never was.
    pub ready_s: Option<f64>,
    /// Seconds from the run's start until it was reaped; `None` if that is unknown.
    pub exited_s: Option<f64>,
    /// How it ended; `None` if that is unknown.
    pub end: Option<WorkerEnd>,
}

/// The processes of one run, in the order in which they were spawned.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkerRows {
    rows: Vec<WorkerRow>,
    at: HashMap<ProcessName, usize>,
    /// Processes that could not be spawned.
    pub spawn_failures: u32,
    /// The longest time that a worker was busy for one reply, in seconds.
    pub longest_s: f64,
}

impl WorkerRows {
    /// Applies a line.
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
