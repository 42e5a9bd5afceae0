//! Workers that are stopped: by SIGSTOP, or by the terminal. Nothing else
//! distinguishes a stopped worker from one whose item takes long.

use super::event_loop::Driver;
use crate::observe::{Event, WorkerRef};
use procession_sys::Signal;

impl Driver {
    /// Whether workers hold items, so that a stop of one must be noticed.
    pub(super) fn watches_stops(&self) -> bool {
        !self.settings.clock.is_paused() && self.workers.values().any(|worker| !worker.assigned.attempts.is_empty())
    }

    /// Notes the workers that have been stopped for a second.
    pub(super) fn note_stops(&mut self) {
        if self.settings.clock.is_paused() {
            return;
        }
        let mut stopped = Vec::new();
        for worker in self.workers.values_mut() {
            if let Some(attempt) = worker.assigned.attempts.front()
                && let Some(signal) = worker.child.reports_stop()
            {
                stopped.push((worker.who, stopped_note(attempt.next, worker.who, signal)));
            }
        }
        for (worker, text) in stopped {
            let at = self.now();
            self.observe(&Event::Note { worker, text, is_warning: false, at });
        }
    }
}

/// The note for the user. Programs of the worker are in its process group, and may
/// have been stopped with it.
fn stopped_note(item: u64, worker: WorkerRef, signal: Signal) -> String {
    let pid = worker.pid;
    format!(
        "item {item}: its worker (PID {pid}) is stopped by {}; 'kill -CONT -- -{pid}' continues it, \
         'kill -KILL {pid}' ends it",
        signal.as_str()
    )
}
