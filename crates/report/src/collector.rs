//! Gathers what the tables need of a run, from its events or from its log.

use crate::read::RunLog;
use crate::runlog::LogError;
use crate::spans::Spans;
use crate::study::{Configuration, Executor, RunResult, RunStart};
use crate::worker::{Lines, ProcessName, WorkerRow, WorkerRows};
use procession::{ChunkSize, Event, Observer};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// An observer that gathers what becomes of processes. For items and chunks it
/// does next to nothing: each process's exit brings its sums.
pub struct Collector {
    lines: Lines,
    /// The longest that a worker was busy for one answer.
    longest: Duration,
    rows: Arc<Mutex<WorkerRows>>,
}

/// What a [`Collector`] gathered.
#[derive(Clone, Debug)]
pub struct Collected(Arc<Mutex<WorkerRows>>);

impl Collector {
    /// A collector for one run, and where to find what it gathered. Processes
    /// that never said where they are count as being on `host`.
    #[must_use]
    pub fn new(host: &str) -> (Self, Collected) {
        let rows = Arc::default();
        (Self { lines: Lines::new(host), longest: Duration::ZERO, rows: Arc::clone(&rows) }, Collected(rows))
    }
}

impl Observer for Collector {
    fn on_event(&mut self, event: &Event) {
        if let Event::Accepted(accepted) = event {
            self.longest = self.longest.max(accepted.busy);
            return;
        }
        let line = self.lines.line(event);
        if line.is_some() || matches!(event, Event::RunEnded { .. }) {
            let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
            rows.longest_s = self.longest.as_secs_f64();
            line.into_iter().for_each(|line| rows.take(line));
        }
    }
}

impl Collected {
    /// What was gathered so far.
    #[must_use]
    pub fn take(&self) -> WorkerRows {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The longest that a worker was busy for one answer, in seconds.
    #[must_use]
    pub fn longest_s(&self) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).longest_s
    }
}

/// What the tables tell of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct RunSummary {
    /// Its number in the call, from 1.
    pub run: u32,
    /// What was run.
    pub start: RunStart,
    /// What came of it, if that is known.
    pub result: Option<RunResult>,
    /// How it ended, in a word.
    pub status: &'static str,
    /// Its processes.
    pub workers: Vec<WorkerRow>,
    /// What they did and when, if somebody asked.
    pub spans: Spans,
}

impl RunSummary {
    /// Of a run that just ended.
    #[must_use]
    pub fn new(run: u32, start: RunStart, result: RunResult, collected: &Collected) -> Self {
        let status = result.status.as_str();
        Self {
            run,
            start,
            result: Some(result),
            status,
            workers: collected.take().into_rows(),
            spans: Spans::default(),
        }
    }

    /// Of a run in a log.
    ///
    /// # Errors
    /// Its file about processes can't be read.
    pub fn of_log(run: &RunLog) -> Result<Self, LogError> {
        let record = run.record.as_ref();
        let (workers, passed_over) = run.workers()?;
        let unknown = Configuration { executor: Executor::Procs, count: 0, size: None, chunk: ChunkSize::Auto };
        Ok(Self {
            run: run.number,
            start: record
                .map_or(RunStart { configuration: unknown, repeat: 1, warmup: false }, |record| record.start.clone()),
            result: record.and_then(|record| record.result.clone()),
            status: run.status(),
            workers: workers.into_rows(),
            spans: Spans { passed_over, ..Spans::default() },
        })
    }

    /// Seconds from the pool's creation to the last worker's exit, if it got there.
    #[must_use]
    pub fn wall_s(&self) -> Option<f64> {
        self.result.as_ref().map(|result| result.wall_s)
    }

    /// What its longest item took, in seconds: exactly if single items are
    /// known, else about, if it was long.
    #[must_use]
    pub fn longest_s(&self) -> Option<f64> {
        let items = &self.spans.items;
        if items.count > 0 {
            return Some(items.longest_s);
        }
        self.result.as_ref()?.longest_s
    }

    /// When this process was ready for work, as far as that is known.
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
