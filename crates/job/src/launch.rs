//! What a run needs of a pool; behind a trait, so that studies are tested
//! without a single process.

use crate::configuration::{Configuration, Executor};
use crate::study::stopper::{Request, Stopper};
use procession::raw::{AskedWorker, Builder, Control, Job, JobEnd, Local, MakeLocalTask, Pool};
use procession::{Observer, PoolError};
use procession_task::TaskInfo;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Creates pools.
pub(crate) trait Launch {
    /// A pool for this configuration; its time begins here.
    fn launch(
        &self,
        configuration: &Configuration,
        observers: Vec<Box<dyn Observer>>,
    ) -> Result<Box<dyn Running>, PoolError>;
}

/// Ends or pauses a pool's work; callable from every thread.
pub(crate) type Ender = Box<dyn Fn(Request) + Send + Sync>;

/// A pool that was created.
pub(crate) trait Running {
    /// Runs a job to its end.
    fn run(&self, job: Job) -> Result<JobEnd, PoolError>;
    /// What ends or pauses its work.
    fn ender(&self) -> Ender;
    /// Waits for the last worker's exit; the time since its creation.
    fn close(self: Box<Self>) -> Result<Duration, PoolError>;
}

/// What the executors are and how they are set up.
pub struct Workers {
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

impl Workers {
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

impl Launch for Workers {
    fn launch(
        &self,
        configuration: &Configuration,
        observers: Vec<Box<dyn Observer>>,
    ) -> Result<Box<dyn Running>, PoolError> {
        let local = || Arc::clone(&self.local);
        match configuration.executor {
            Executor::Serial => Ok(Box::new(Local::serial(local(), observers).window(self.window))),
            Executor::Threads => {
                let threads = Local::threads(configuration.count, local(), observers)?;
                Ok(Box::new(threads.window(self.window)))
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
    let _held = stopper.hold(ender(asked.control()));
    asked.tasks()
}

fn ender(control: Control) -> Ender {
    Box::new(move |request| match request {
        Request::Stop => control.stop(),
        Request::Kill => control.kill(),
        Request::Pause => control.pause(),
        Request::Resume => control.resume(),
    })
}

impl Running for Pool {
    fn run(&self, job: Job) -> Result<JobEnd, PoolError> {
        self.start(job)?.wait()
    }

    fn ender(&self) -> Ender {
        ender(self.control())
    }

    fn close(self: Box<Self>) -> Result<Duration, PoolError> {
        Self::close(*self)
    }
}

impl Running for Local {
    fn run(&self, job: Job) -> Result<JobEnd, PoolError> {
        Self::run(self, job)
    }

    fn ender(&self) -> Ender {
        let control = self.control();
        Box::new(move |request| match request {
            // However hard it is asked: a thread can't be ended.
            Request::Stop | Request::Kill => control.stop(),
            // Threads are held with their process.
            Request::Pause | Request::Resume => {}
        })
    }

    fn close(self: Box<Self>) -> Result<Duration, PoolError> {
        Ok(Self::close(*self))
    }
}
