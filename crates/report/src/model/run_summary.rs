//! What is known of a run that has ended.

use super::process::ProcessName;
use super::slot_sum::SlotSum;
use super::spans::Spans;
use super::study::{Configuration, RunResult, RunStart};
use super::worker::{WorkerRow, WorkerRows};
use std::collections::HashMap;

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
    /// Its processes: the first 4096, and the last one of each slot.
    pub workers: Vec<WorkerRow>,
    /// The sums of its other processes, by slot.
    pub summed: Vec<SlotSum>,
    /// When its processes ran which items; empty if that was not collected.
    pub spans: Spans,
}

impl RunSummary {
    /// The summary of a run that just ended.
    #[must_use]
    pub fn new(run: u32, start: RunStart, result: RunResult, workers: WorkerRows) -> Self {
        let status = result.status.as_str();
        let (workers, summed) = workers.into_parts();
        Self { run, start, result: Some(result), status, workers, summed, spans: Spans::default() }
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

    /// CPU seconds of its workers and of the programs that they ran; `None` if no worker
    /// reported them.
    #[must_use]
    pub(crate) fn cpu_s(&self) -> Option<f64> {
        let ends: Vec<f64> = self.workers.iter().filter_map(|row| Some(row.end.as_ref()?.cpu_s())).collect();
        let summed: f64 = self.summed.iter().map(SlotSum::cpu_s).sum();
        (!ends.is_empty()).then(|| ends.iter().sum::<f64>() + summed)
    }

    /// Number of its processes.
    #[must_use]
    pub(crate) fn processes(&self) -> u64 {
        self.workers.len() as u64 + self.summed.iter().map(|sum| u64::from(sum.processes)).sum::<u64>()
    }

    /// Seconds from the run's start until each process was ready, where that is known.
    pub(crate) fn ready_times(&self) -> HashMap<ProcessName, f64> {
        self.workers.iter().filter_map(|row| Some((row.process(), row.ready_s?))).collect()
    }

    /// Its configuration.
    #[must_use]
    pub fn configuration(&self) -> &Configuration {
        &self.start.configuration
    }
}
