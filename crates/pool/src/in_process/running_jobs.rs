//! The jobs that run on threads at the moment.

use super::job_control::JobControl;
use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The jobs that run at the moment, and whether more are taken.
#[derive(Default)]
pub(super) struct RunningJobs {
    state: Mutex<JobRegister>,
    changed: Condvar,
}

#[derive(Default)]
struct JobRegister {
    /// The id of the next job.
    next: u64,
    controls: BTreeMap<u64, JobControl>,
    /// No more jobs are taken.
    closed: bool,
}

impl RunningJobs {
    fn lock(&self) -> MutexGuard<'_, JobRegister> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a job; returns its id, or `None` if no more jobs are taken.
    pub(super) fn begin(&self, control: JobControl) -> Option<u64> {
        let mut state = self.lock();
        if state.closed {
            return None;
        }
        let id = state.next;
        state.next += 1;
        state.controls.insert(id, control);
        Some(id)
    }

    /// A job has ended.
    pub(super) fn finish(&self, id: u64) {
        self.lock().controls.remove(&id);
        self.changed.notify_all();
    }

    /// Ends all jobs, each after the block that is running, and takes no more.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.controls.values().for_each(JobControl::stop);
    }

    /// Waits until no job runs.
    pub(super) fn wait(&self) {
        let waited = self.changed.wait_while(self.lock(), |state| !state.controls.is_empty());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}
