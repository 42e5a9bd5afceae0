//! Creates the backend that runs a job, according to its configuration. A
//! trait, so that studies can be tested without processes.

use super::stopper::Stopper;
use procession::raw::{AskedWorker, Backend, InProcess, MakeThreadTask, ProcessPool, ProcessPoolBuilder};
use procession::{Observer, PoolError};
use procession_task::{Configuration, Executor, TaskInfo};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Creates backends.
pub(crate) trait Launch {
    /// A backend for this configuration; its time begins here.
    fn launch(
        &self,
        configuration: &Configuration,
        observers: Vec<Box<dyn Observer>>,
    ) -> Result<Box<dyn Backend>, PoolError>;
}

/// The executors and their settings.
pub struct ExecutorSetup {
    /// The program of the worker processes.
    pub program: PathBuf,
    /// Makes the task for threads and for the serial loop.
    pub local: Arc<MakeThreadTask>,
    /// The limit of worker processes, whatever the count asks for.
    pub most: u32,
    /// The memory window of a run in bytes: unfinished items and results that
    /// wait.
    pub window: u64,
    /// Settings that are the same for every run: timeouts, limits.
    pub settings: Box<dyn Fn(ProcessPoolBuilder) -> ProcessPoolBuilder + Send>,
}

impl ExecutorSetup {
    /// Default settings for this program; `local` makes the task for threads
    /// and for the serial loop.
    #[must_use]
    pub fn new(program: PathBuf, local: Arc<MakeThreadTask>) -> Self {
        Self {
            program,
            local,
            most: u32::MAX,
            window: procession::raw::WINDOW_BYTES,
            settings: Box::new(|builder| builder),
        }
    }
}

impl Launch for ExecutorSetup {
    fn launch(
        &self,
        configuration: &Configuration,
        observers: Vec<Box<dyn Observer>>,
    ) -> Result<Box<dyn Backend>, PoolError> {
        let local = || Arc::clone(&self.local);
        match configuration.executor {
            Executor::Serial => Ok(Box::new(InProcess::serial(local(), observers).window(self.window))),
            Executor::Threads => {
                Ok(Box::new(InProcess::threads(configuration.count, local(), observers).window(self.window)))
            }
            Executor::Procs => {
                let builder = (self.settings)(ProcessPool::builder(&self.program))
                    .procs(configuration.count.min(self.most))
                    .window(self.window);
                let pool = observers.into_iter().fold(builder, ProcessPoolBuilder::observer).build()?;
                Ok(Box::new(pool))
            }
        }
    }
}

/// Asks a worker program for its tasks, unless the stopper is used.
///
/// # Errors
/// The worker can't be started, or the stopper was used.
pub fn worker_tasks(program: &Path, start_timeout: Duration, stopper: &Stopper) -> Result<Vec<TaskInfo>, PoolError> {
    let asked = AskedWorker::start(program, start_timeout)?;
    let _held = stopper.hold(asked.control());
    asked.tasks()
}
