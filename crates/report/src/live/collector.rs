//! Collects what is known of a run's processes from its events.

use crate::model::worker::WorkerRows;
use crate::model::worker_lines::Lines;
use procession::{Event, Observer};
use procession_task::SlowestItem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The observer that collects the life of each process. Its cost per chunk is one
/// comparison: the sums of a process come with its exit.
pub struct Collector {
    lines: Lines,
    /// The longest time that a worker was busy for one reply.
    longest: Duration,
    slowest: SlowestItem,
    rows: Arc<Mutex<WorkerRows>>,
}

/// What a [`Collector`] collected.
#[derive(Clone, Debug)]
pub struct Collected(Arc<Mutex<WorkerRows>>);

impl Collector {
    /// Returns a collector for one run, and the handle to its data. A process that
    /// never reports its host is taken to run on `host`.
    #[must_use]
    pub fn new(host: &str) -> (Self, Collected) {
        let rows = Arc::default();
        (
            Self {
                lines: Lines::new(host),
                longest: Duration::ZERO,
                slowest: SlowestItem::default(),
                rows: Arc::clone(&rows),
            },
            Collected(rows),
        )
    }
}

impl Observer for Collector {
    fn on_event(&mut self, event: &Event) {
        if let Event::Accepted(accepted) = event {
            self.longest = self.longest.max(accepted.busy);
            self.slowest.consider(accepted.slowest);
            return;
        }
        let line = self.lines.line(event);
        if line.is_some() || matches!(event, Event::RunEnded { .. }) {
            let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
            rows.longest_s = self.longest.as_secs_f64();
            rows.slowest = self.slowest;
            line.into_iter().for_each(|line| rows.take(line));
        }
    }
}

impl Collected {
    /// Takes what was collected so far.
    #[must_use]
    pub fn take(&self) -> WorkerRows {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The slowest item, if items have log lines.
    #[must_use]
    pub fn slowest(&self) -> Option<SlowestItem> {
        let slowest = self.0.lock().unwrap_or_else(PoisonError::into_inner).slowest;
        (slowest.ns > 0).then_some(slowest)
    }

    /// The longest time that a worker was busy for one reply, in seconds.
    #[must_use]
    pub fn longest_s(&self) -> f64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).longest_s
    }
}
