//! Creates what runs a job, by its configuration; behind a trait, so that studies
//! are tested without a single process.

use super::stopper::Stopper;
use procession::raw::{AskedWorker, Backend, Builder, InProcess, MakeLocalTask, Pool};
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

/// What the executors are and how they are set up.
pub struct ExecutorSetup {
    /// The worker processes' program.
    pub program: PathBuf,
    /// Makes the task where there is no process: on threads and in the plain loop.
    pub local: Arc<MakeLocalTask>,
    /// How many run at a time at most, however many are asked for.
    pub most: u32,
    /// What a run may hold of items under way and of results that wait, in bytes.
    pub window: u64,
    /// Settings that are the same for every run: time-outs, limits.
    pub settings: Box<dyn Fn(Builder) -> Builder + Send>,
}

impl ExecutorSetup {
    /// This program, everything as it is by default; what makes the task where
    /// there is no process.
    #[must_use]
    pub fn new(program: PathBuf, local: Arc<MakeLocalTask>) -> Self {
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
                let builder = (self.settings)(Pool::builder(&self.program))
                    .procs(configuration.count.min(self.most))
                    .window(self.window);
                let pool = observers.into_iter().fold(builder, Builder::observer).build()?;
                Ok(Box::new(pool))
            }
        }
    }
}

/// Asks a worker's program for the tasks that it knows, unless it is stopped.
///
/// # Errors
/// Whatever keeps workers from starting, or the end by the stopper.
pub fn worker_tasks(program: &Path, start_timeout: Duration, stopper: &Stopper) -> Result<Vec<TaskInfo>, PoolError> {
    let asked = AskedWorker::start(program, start_timeout)?;
    let control = asked.control();
    let _held = stopper.hold(move |request| control.ask(request));
    asked.tasks()
}
