//! What is known of a run that has ended.

use super::process::ProcessName;
use super::spans::Spans;
use super::study::{Configuration, RunResult, RunStart};
use super::worker::WorkerRow;

/// A run that has ended, or whose coordinator was killed.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// The run's number in the call, from 1.
    pub run: u32,
    /// Its configuration and repeat.
    pub start: RunStart,
    /// Its result; `None` if its coordinator was killed.
    pub result: Option<RunResult>,
    /// How it ended, as in `completed`.
    pub status: &'static str,
    /// Its processes.
    pub workers: Vec<WorkerRow>,
    /// When its processes ran which items; empty if that was not collected.
    pub spans: Spans,
}

impl RunSummary {
    /// The summary of a run that just ended.
    #[must_use]
    pub fn new(run: u32, start: RunStart, result: RunResult, workers: Vec<WorkerRow>) -> Self {
        let status = result.status.as_str();
        Self { run, start, result: Some(result), status, workers, spans: Spans::default() }
    }

    /// Seconds from the pool's creation to the last worker's exit; `None` without a result.
    #[must_use]
    pub fn wall_s(&self) -> Option<f64> {
        self.result.as_ref().map(|result| result.wall_s)
    }

    /// Seconds that the longest item took. The value is exact if the times of single
    /// items are known. Otherwise it is an estimate, and only known for long items.
    #[must_use]
    pub fn longest_s(&self) -> Option<f64> {
        let items = &self.spans.items;
        if items.count > 0 {
            return Some(items.longest_s);
        }
        self.result.as_ref()?.longest_s
    }

    /// Seconds from the run's start until this process was ready; 0 if that is unknown.
    pub(crate) fn ready_s(&self, process: ProcessName) -> f64 {
        let is = |row: &&WorkerRow| (row.worker, row.nth, row.pid) == (process.worker, process.nth, process.pid);
        self.workers.iter().find(is).and_then(|row| row.ready_s).unwrap_or(0.0)
    }

    /// Its configuration.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        &self.start.configuration
    }
}
