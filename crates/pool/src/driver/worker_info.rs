//! Asks a worker's program for its tasks, by starting one process of it for nothing
//! else.
//!
//! The process is started and ended by the same driver as the workers of a pool, so
//! errors have the same texts.

use super::process_pool::ProcessPool;
use crate::jobs::{Backend, Batch, Control, Cut, InputBlock, Job, JobHandle, PoolError, Sink, Source, Waker};
use bytes::Bytes;
use procession_task::{Items, JobSpec, TaskInfo};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A worker that is being asked for its program's tasks.
#[derive(Debug)]
pub struct AskedWorker {
    pool: ProcessPool,
    job: JobHandle,
    told: Receiver<Vec<TaskInfo>>,
}

impl AskedWorker {
    /// Starts the worker; its hello must come within `start_timeout`.
    ///
    /// # Errors
    /// No thread or descriptor for its driver.
    pub fn start(program: impl Into<PathBuf>, start_timeout: Duration) -> Result<Self, PoolError> {
        let (tell, told) = channel();
        let pool = ProcessPool::builder(program).procs(1).start_timeout(start_timeout).telling_tasks(tell).build()?;
        let job = pool.start(pretext())?;
        Ok(Self { pool, job, told })
    }

    /// Ends the worker from elsewhere.
    #[must_use]
    pub fn control(&self) -> Control {
        self.pool.control()
    }

    /// Waits for the worker's hello, and ends it.
    ///
    /// # Errors
    /// The worker can't be started, sends no hello in time, or has another
    /// protocol.
    pub fn tasks(self) -> Result<Vec<TaskInfo>, PoolError> {
        match self.told.recv() {
            // Dropping the pool ends the worker.
            Ok(tasks) => Ok(tasks),
            // The driver has given up; its error tells why.
            Err(_) => Box::new(self.pool).close().and(self.job.wait()).and(Err(PoolError::Ended)),
        }
    }
}

/// Workers are started only for work: an item of no task. Its answer does not
/// matter, because the hello comes before it.
fn pretext() -> Job {
    let spec = JobSpec { items: Items::Whole, ..JobSpec::new("") };
    Job::new(spec, Box::new(OneItem { is_given: false }), Box::new(Nowhere))
}

struct OneItem {
    is_given: bool,
}

impl Source for OneItem {
    fn cut(&mut self, _: u32, _: usize) -> Cut {
        if std::mem::replace(&mut self.is_given, true) {
            return Cut::End;
        }
        Cut::Block(InputBlock { bytes: Bytes::from_static(b"\n"), items: 1, first: 0, place: None })
    }

    fn wake_with(&mut self, _: Waker) {}
}

struct Nowhere;

impl Sink for Nowhere {
    fn deliver(&mut self, _: Batch) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_no_worker_is_reported_as_in_a_run() {
        let refused = AskedWorker::start("/bin/false", Duration::from_secs(4)).unwrap().tasks().unwrap_err();
        assert!(matches!(&refused, PoolError::CannotStart { why, .. } if why.contains("/bin/false")), "{refused}");
    }

    #[test]
    fn a_worker_that_sends_no_hello_can_be_stopped() {
        let asked = AskedWorker::start("/bin/sleep", Duration::from_secs(4000)).unwrap();
        asked.control().stop();
        assert_eq!(asked.tasks(), Err(PoolError::Ended));
    }
}
