//! Why a worker could not be started, for the error that ends the run, and for a note
//! if the run goes on.

use super::event_loop::Driver;
use super::process::Process;
use crate::jobs::PoolError;
use crate::observe::{Event, WorkerRef};
use procession_scheduler::{SchedulerEvent, WorkerId};
use procession_task::{MESSAGE_BYTES, escape_terminal};
use procession_wire::frame::show;

/// Why a worker could not be started.
#[derive(Debug)]
pub(super) enum StartFailure {
    /// There is no process.
    Spawn(String),
    /// Its process was never ready.
    Process { worker: WorkerRef, why: String },
    /// It was ready, and could not start what its job needs.
    Refused { worker: WorkerRef, why: String },
}

impl Default for StartFailure {
    fn default() -> Self {
        Self::Spawn(String::new())
    }
}

impl StartFailure {
    /// The error of a run that ends because of this failure.
    pub(super) fn into_error(self, failures: u32) -> PoolError {
        match self {
            Self::Spawn(why) | Self::Process { why, .. } => PoolError::CannotStart { failures, why },
            Self::Refused { why, .. } => PoolError::Refused(why),
        }
    }

    /// The note for a run that goes on. (A process that could not be created is told by
    /// its own event.)
    fn note(&self) -> Option<(WorkerRef, String)> {
        match self {
            Self::Spawn(_) => None,
            Self::Process { worker, why } | Self::Refused { worker, why } => {
                Some((*worker, format!("a worker failed to start and is replaced: {why}")))
            }
        }
    }
}

impl Driver {
    /// A worker can't run its job.
    pub(super) fn on_refused(&mut self, id: WorkerId, message: &str) {
        let Some(worker) = self.workers.get(&id) else { return };
        let why = escape_terminal(&message.as_bytes()[..message.len().min(MESSAGE_BYTES)]);
        self.note_start_failure(StartFailure::Refused { worker: worker.who, why });
        self.handle(SchedulerEvent::Refused { worker: id });
    }

    /// Keeps the failure for an error, or for a note as soon as somebody works.
    pub(super) fn note_start_failure(&mut self, failure: StartFailure) {
        self.start_failure = Some(failure);
        self.tell_start_failure();
    }

    /// Tells the user once that a worker could not be started, if the run goes on
    /// because others work. If nobody does, the error tells it.
    pub(super) fn tell_start_failure(&mut self) {
        if self.told_start_failure || self.ending || !self.workers.values().any(|worker| worker.items > 0) {
            return;
        }
        if let Some((worker, text)) = self.start_failure.as_ref().and_then(StartFailure::note) {
            self.told_start_failure = true;
            let at = self.now();
            self.observe(&Event::Note { worker, text, is_warning: false, at });
        }
    }
}

/// Why a worker never became ready, with what it wrote.
pub(super) fn start_error(worker: &Process, cause: &str) -> String {
    let words = String::from_utf8_lossy(&worker.stderr_tail);
    let unread = worker.inbox.unread();
    if !unread.is_empty() && worker.ended_by_us.is_none() {
        return format!("was started, but {cause} before it was ready; it wrote: {}", show(unread));
    }
    let mut last: Vec<&str> = words.lines().rev().filter(|line| !line.trim().is_empty()).take(3).collect();
    last.reverse();
    if last.is_empty() {
        return format!("was started, but {cause} before it was ready, without a word");
    }
    format!("was started, but {cause} before it was ready; it said: {}", escape_terminal(last.join(" / ").as_bytes()))
}
