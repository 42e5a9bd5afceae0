//! What runs jobs, whatever it is made of: worker processes, threads of this
//! process, or a plain loop.

use super::error::PoolError;
use super::job::{Job, JobEnd};
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Duration;

/// Runs jobs. Dropping it ends all its jobs and workers.
pub trait Backend: Send + Sync {
    /// Starts a job. Several may run at once.
    ///
    /// # Errors
    /// The backend has ended, with the reason if it failed; or it can't run this job.
    fn start(&self, job: Job) -> Result<JobHandle, PoolError>;

    /// What ends or pauses the work from elsewhere.
    fn control(&self) -> Control;

    /// Waits for the jobs that were started, then for the end of the last
    /// worker. Returns the time since the backend's creation.
    ///
    /// # Errors
    /// What the backend failed of.
    fn close(self: Box<Self>) -> Result<Duration, PoolError>;
}

/// A job that was started. Dropping it leaves the job to run to its end.
pub struct JobHandle {
    end: Receiver<Result<JobEnd, PoolError>>,
    cancel: Box<dyn Fn() + Send + Sync>,
}

impl JobHandle {
    /// A job whose end comes through this channel and that `cancel` cancels.
    #[must_use]
    pub fn new(end: Receiver<Result<JobEnd, PoolError>>, cancel: impl Fn() + Send + Sync + 'static) -> Self {
        Self { end, cancel: Box::new(cancel) }
    }

    /// Drops what is left of the job: no further part of it begins, and what is
    /// running comes to its end without being delivered. Other jobs go on.
    pub fn cancel(&self) {
        (self.cancel)();
    }

    /// Waits for the job's end.
    ///
    /// # Errors
    /// What the backend failed of.
    pub fn wait(self) -> Result<JobEnd, PoolError> {
        self.end.recv().unwrap_or(Err(PoolError::Ended))
    }
}

impl fmt::Debug for JobHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JobHandle")
    }
}

/// What a [`Control`] asks of a backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// End all jobs and all workers: politely, and by force after a short grace.
    Stop,
    /// End all jobs and all workers by force.
    Kill,
    /// Suspend all workers and the run's clock; done when the call returns.
    Pause,
    /// Let the workers and the clock go on.
    Resume,
}

/// Ends or pauses a backend's work from elsewhere: from the thread that handles
/// signals, for example. Cheap to clone.
#[derive(Clone)]
pub struct Control(Arc<dyn Fn(Request) + Send + Sync>);

impl Control {
    /// A control that passes requests to this function.
    #[must_use]
    pub fn new(ask: impl Fn(Request) + Send + Sync + 'static) -> Self {
        Self(Arc::new(ask))
    }

    /// Passes on a request.
    pub fn ask(&self, request: Request) {
        (self.0)(request);
    }

    /// Ends all jobs and all workers: politely, and by force after a short grace.
    pub fn stop(&self) {
        self.ask(Request::Stop);
    }

    /// Ends all jobs and all workers by force. (A thread can't be ended by force:
    /// it runs its items to the end of their block.)
    pub fn kill(&self) {
        self.ask(Request::Kill);
    }

    /// Suspends all worker processes, with the processes that they have started
    /// in their groups, and the run's clock: the pause is excluded from all times
    /// and timeouts. Returns when the workers are suspended, so that the program
    /// may stop itself next. (Threads are suspended with their process.)
    ///
    /// [`Control::stop`] and [`Control::kill`] end a pause.
    pub fn pause(&self) {
        self.ask(Request::Pause);
    }

    /// Lets the workers go on after [`Control::pause`].
    pub fn resume(&self) {
        self.ask(Request::Resume);
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Control")
    }
}
