//! What a run needs of a pool; behind a trait, so that studies are tested
//! without a single process.

use crate::configuration::{Configuration, Executor};
use crate::stopper::Request;
use procession::raw::{Builder, Control, Job, JobEnd, Local, MakeLocalTask, Pool};
use procession::{Observer, PoolError};
use std::path::PathBuf;
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
    /// Settings that are the same for every run: time-outs, limits.
    pub settings: Box<dyn Fn(Builder) -> Builder + Send>,
}

impl Workers {
    /// This program, everything as it is by default; what makes the task where
    /// there is no process.
    #[must_use]
    pub fn new(program: PathBuf, local: Arc<MakeLocalTask>) -> Self {
        Self { program, local, most: u32::MAX, settings: Box::new(|builder| builder) }
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
            Executor::Serial => Ok(Box::new(Local::serial(local(), observers))),
            Executor::Threads => Ok(Box::new(Local::threads(configuration.count, local(), observers)?)),
            Executor::Procs => {
                let builder = (self.settings)(Pool::builder(&self.program)).procs(configuration.count.min(self.most));
                let pool = observers.into_iter().fold(builder, Builder::observer).build()?;
                Ok(Box::new(pool))
            }
        }
    }
}

impl Running for Pool {
    fn run(&self, job: Job) -> Result<JobEnd, PoolError> {
        self.start(job)?.wait()
    }

    fn ender(&self) -> Ender {
        let control: Control = self.control();
        Box::new(move |request| match request {
            Request::Stop => control.stop(),
            Request::Kill => control.kill(),
            Request::Pause => control.pause(),
            Request::Resume => control.resume(),
        })
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
