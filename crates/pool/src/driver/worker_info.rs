//! What a worker's program says of itself: the tasks that it knows, asked of
//! one process that is started for nothing else.
//!
//! It is started, greeted and ended as the workers of a pool are, by the same
//! driver; so whatever is wrong with it is told in the same words.

use super::process_pool::ProcessPool;
use crate::jobs::{Backend, Batch, Control, Cut, InputBlock, Job, JobHandle, PoolError, Sink, Source, Waker};
use bytes::Bytes;
use procession_task::{Items, JobSpec, TaskInfo};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// A worker that is being asked for the tasks that its program knows.
#[derive(Debug)]
pub struct AskedWorker {
    pool: ProcessPool,
    job: JobHandle,
    told: Receiver<Vec<TaskInfo>>,
}

impl AskedWorker {
    /// Starts it; it may take no longer than `start_timeout` to say hello.
    ///
    /// # Errors
    /// No thread or descriptor for its driver.
    pub fn start(program: impl Into<PathBuf>, start_timeout: Duration) -> Result<Self, PoolError> {
        let (tell, told) = channel();
        let pool = ProcessPool::builder(program).procs(1).start_timeout(start_timeout).telling_tasks(tell).build()?;
        let job = pool.start(pretext())?;
        Ok(Self { pool, job, told })
    }

    /// A way to end it from elsewhere.
    #[must_use]
    pub fn control(&self) -> Control {
        self.pool.control()
    }

    /// Waits for what it says, and ends it.
    ///
    /// # Errors
    /// It can't be started, does not say hello in time, or does not speak this
    /// protocol.
    pub fn tasks(self) -> Result<Vec<TaskInfo>, PoolError> {
        match self.told.recv() {
            // Nothing more is wanted of it: with the pool goes the worker.
            Ok(tasks) => Ok(tasks),
            // The driver has given up, and says why.
            Err(_) => Box::new(self.pool).close().and(self.job.wait()).and(Err(PoolError::Ended)),
        }
    }
}

/// Workers are started when there is work: an item of no task. Whatever the
/// worker makes of it, by then it has said who it is.
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
    fn what_is_no_worker_is_told_as_in_a_run() {
        let refused = AskedWorker::start("/bin/false", Duration::from_secs(4)).unwrap().tasks().unwrap_err();
        assert!(matches!(&refused, PoolError::CannotStart { why, .. } if why.contains("/bin/false")), "{refused}");
    }

    #[test]
    fn nobody_has_to_wait_for_one_that_says_nothing() {
        let asked = AskedWorker::start("/bin/sleep", Duration::from_secs(4000)).unwrap();
        asked.control().stop();
        assert_eq!(asked.tasks(), Err(PoolError::Ended));
    }
}
