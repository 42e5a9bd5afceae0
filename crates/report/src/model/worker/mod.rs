//! What is known of each worker process: the lines of `workers.jsonl`, and the
//! row that they make for each process, in bounded memory.

use super::process::{ProcessName, WorkerEnd};
use super::slot_sum::SlotSum;
use procession_task::SlowestItem;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};

/// Most processes of a run that have a row of their own. Those that are spawned later
/// are summed by slot when they and their time in the slot have ended.
const MOST_ROWS: usize = 4096;

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
    /// Seconds from the run's start until its slot had its next process; `None` if it
    /// was the last one of the slot.
    pub replaced_s: Option<f64>,
    /// How it ended; `None` if that is unknown.
    pub end: Option<WorkerEnd>,
}

impl WorkerRow {
    /// The row's process.
    pub(crate) fn process(&self) -> ProcessName {
        ProcessName { worker: self.worker, nth: self.nth, pid: self.pid }
    }

    /// Seconds of its slot's time before the process was at work, and after its last
    /// message, if the slot was the process's until `until` seconds of the run. The
    /// second is 0 if the process did not report its times.
    pub(crate) fn start_up_and_ending_s(&self, until: f64) -> (f64, f64) {
        let begun = if self.nth == 0 { 0.0 } else { self.spawned_s };
        let ready = self.ready_s.or(self.exited_s).unwrap_or(until);
        let Some((end, told)) = self.end.as_ref().and_then(|end| Some((end, end.reported_total_s()?))) else {
            return ((ready - begun).max(0.0), 0.0);
        };
        // The process reported how long it worked, and when its last message came is
        // known: so its start is known. The event of its handshake may be late if many
        // processes start at once, or early if loading the task took long.
        let ready = end.told_s.map_or(ready.min(until - told), |last| last - told).max(begun);
        (ready - begun, (until - ready - told).max(0.0))
    }
}

/// The processes of one run. The memory is bounded, however many processes there are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkerRows {
    /// The first [`MOST_ROWS`], in the order in which they were spawned.
    rows: Vec<WorkerRow>,
    at: HashMap<ProcessName, usize>,
    /// Later processes that have not ended, or whose slot has no next process yet.
    late: BTreeMap<ProcessName, WorkerRow>,
    /// All other processes.
    sums: BTreeMap<u32, SlotSum>,
    /// The newest process of each slot.
    newest: HashMap<u32, ProcessName>,
    /// Processes that could not be spawned.
    pub spawn_failures: u32,
    /// The longest time that a worker was busy for one reply, in seconds.
    pub longest_s: f64,
    /// The slowest item, if items have log lines.
    pub slowest: SlowestItem,
}

impl WorkerRows {
    /// Applies a line.
    pub fn take(&mut self, line: WorkerLine) {
        match line {
            WorkerLine::Spawned { process, at_us } => self.spawned(process, at_us / 1e6),
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
                self.sum_if_over(process);
            }
        }
    }

    /// The rows of the processes that are not summed, and the sums of the others, in
    /// the order of slots. The first 4096 processes and the last one of each slot are
    /// not summed.
    #[must_use]
    pub fn into_parts(self) -> (Vec<WorkerRow>, Vec<SlotSum>) {
        let mut rows = self.rows;
        rows.extend(self.late.into_values());
        (rows, self.sums.into_values().collect())
    }

    fn spawned(&mut self, process: ProcessName, at_s: f64) {
        self.row(process).spawned_s = at_s;
        if let Some(before) = self.newest.insert(process.worker, process) {
            self.row(before).replaced_s = Some(at_s);
            self.sum_if_over(before);
        }
    }

    /// Sums a late process of which nothing more will be learned.
    fn sum_if_over(&mut self, process: ProcessName) {
        let is_over = |row: &WorkerRow| row.exited_s.is_some() && row.replaced_s.is_some();
        if self.late.get(&process).is_some_and(is_over)
            && let Some(row) = self.late.remove(&process)
            && let Some(until) = row.replaced_s
        {
            self.sums.entry(row.worker).or_insert_with(|| SlotSum::new(row.worker)).add(&row, until);
        }
    }

    fn row(&mut self, process: ProcessName) -> &mut WorkerRow {
        let ProcessName { worker, nth, pid } = process;
        let new = || WorkerRow { worker, nth, pid, ..WorkerRow::default() };
        match self.at.get(&process) {
            Some(at) => &mut self.rows[*at],
            None if self.rows.len() < MOST_ROWS => {
                self.at.insert(process, self.rows.len());
                self.rows.push(new());
                let at = self.rows.len() - 1;
                &mut self.rows[at]
            }
            None => self.late.entry(process).or_insert_with(new),
        }
    }
}

#[cfg(test)]
mod tests;
