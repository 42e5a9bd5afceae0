//! Gathers what the tables need of a run, from its events or from its log.

use crate::model::worker::WorkerRows;
use crate::model::worker_lines::Lines;
use procession::{Event, Observer};
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
