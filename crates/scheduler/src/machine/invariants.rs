//! Checks that the scheduler's data are consistent: for the simulator, after each
//! step.

use super::scheduler::Scheduler;
use crate::model::JobId;
use crate::workers::WorkerState;

impl Scheduler {
    /// Reports an inconsistency, if there is one. Looks at everything, so it is for
    /// tests only.
    ///
    /// # Errors
    ///
    /// The first inconsistency that was found.
    #[doc(hidden)]
    pub fn check_invariants(&self) -> Result<(), String> {
        self.roster.check()?;
        for (&id, job) in &self.jobs {
            if self.workable.contains(&id) != job.has_work() {
                return Err(format!("job {id} has the wrong list entry"));
            }
            let (somewhere, open) = (job.retries.items() + self.outstanding(id), job.chunks.unsettled());
            if somewhere != open {
                return Err(format!("job {id}: {open} items have no outcome, {somewhere} are queued or in workers"));
            }
            if job.is_done() {
                return Err(format!("job {id} is done and still open"));
            }
        }
        if self.waiting != self.jobs.values().map(|job| job.retries.ranges()).sum() {
            return Err("waiting ranges are miscounted".to_owned());
        }
        for (_, worker) in self.roster.workers() {
            if worker.state == WorkerState::Starting && !worker.queue.is_empty() {
                return Err(format!("worker {} is not ready and holds items", worker.id));
            }
            let exclusive = worker.queue.iter().any(|attempt| attempt.mode.is_exclusive());
            if exclusive && worker.queue.len() > 1 {
                return Err(format!("worker {} holds more than an exclusive attempt", worker.id));
            }
        }
        Ok(())
    }

    fn outstanding(&self, job: JobId) -> u64 {
        let attempts = self.roster.workers().flat_map(|(_, worker)| worker.queue.iter());
        attempts
            .filter(|attempt| attempt.job == job && self.wants(attempt))
            .map(|attempt| u64::from(attempt.rest().items))
            .sum()
    }
}
