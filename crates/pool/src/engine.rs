//! What a typed pool runs on: processes, threads or a plain loop. A job is the
//! same for all of them.

use crate::events::{Event, Observer};
use crate::raw::{self, Job, JobEnd, JobHandle, Local, LocalControl};
use crate::{PoolError, remote};
use procession_sys::FunctionEntry;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(crate) enum Engine {
    Procs(raw::Pool),
    Local(Lanes),
}

/// Threads, or the loop. Each job has its own, so that one whose inputs are the
/// outcomes of another never waits for the threads that this one has.
pub(crate) struct Lanes {
    /// `None`: a plain loop.
    pub(crate) threads: Option<u32>,
    pub(crate) window: u64,
    pub(crate) observers: Shared,
    pub(crate) begun: Instant,
    pub(crate) jobs: Arc<Jobs>,
}

/// The jobs that run on threads at the moment.
#[derive(Default)]
pub(crate) struct Jobs {
    state: Mutex<Live>,
    changed: Condvar,
}

#[derive(Default)]
struct Live {
    next: u64,
    controls: BTreeMap<u64, LocalControl>,
    /// No more jobs are taken.
    closed: bool,
}

/// Observers that several runs tell of events.
#[derive(Clone, Default)]
pub(crate) struct Shared(pub(crate) Arc<Mutex<Vec<Box<dyn Observer>>>>);

impl Observer for Shared {
    fn on_event(&mut self, event: &Event) {
        for observer in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            observer.on_event(event);
        }
    }

    fn flush(&mut self) {
        for observer in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            observer.flush();
        }
    }
}

/// A job that was started.
pub(crate) enum Running {
    Procs(JobHandle),
    Local(Receiver<Result<JobEnd, PoolError>>),
}

impl Running {
    /// Drops what is left of it. (Threads find the end of their input.)
    pub(crate) fn cancel(&self) {
        if let Self::Procs(job) = self {
            job.cancel();
        }
    }

    pub(crate) fn wait(self) -> Result<JobEnd, PoolError> {
        match self {
            Self::Procs(job) => job.wait(),
            Self::Local(end) => end.recv().unwrap_or(Err(PoolError::Ended)),
        }
    }
}

impl Engine {
    /// Starts a job whose task this entry makes.
    pub(crate) fn start(&self, entry: &'static FunctionEntry, mut job: Job) -> Result<Running, PoolError> {
        match self {
            Self::Procs(pool) => {
                let address = entry.address().map_err(|e| PoolError::NotSendable(e.to_string()))?;
                job.arguments.insert(0, remote::encode_address(address));
                pool.start(job).map(Running::Procs)
            }
            Self::Local(lanes) => lanes.start(entry, job),
        }
    }

    /// Waits for all jobs and says how long the pool lived.
    pub(crate) fn close(self) -> Result<Duration, PoolError> {
        match self {
            Self::Procs(pool) => pool.close(),
            Self::Local(lanes) => Ok(lanes.close()),
        }
    }

    pub(crate) fn control(&self) -> Control {
        match self {
            Self::Procs(pool) => Control::Procs(pool.control()),
            Self::Local(lanes) => Control::Local(Arc::clone(&lanes.jobs)),
        }
    }
}

#[derive(Clone)]
pub(crate) enum Control {
    Procs(raw::Control),
    Local(Arc<Jobs>),
}

impl Lanes {
    fn start(&self, entry: &'static FunctionEntry, job: Job) -> Result<Running, PoolError> {
        let make: Arc<raw::MakeLocalTask> =
            Arc::new(move |job, _| remote::prepare(entry, job.arguments.first().map_or(&[][..], Vec::as_slice)));
        let observers: Vec<Box<dyn Observer>> = vec![Box::new(self.observers.clone())];
        let local = match self.threads {
            Some(threads) => Local::threads(threads, make, observers)?,
            None => Local::serial(make, observers),
        }
        .window(self.window);
        let id = self.jobs.begin(local.control()).ok_or(PoolError::Ended)?;
        let (tell, end) = channel();
        let jobs = Arc::clone(&self.jobs);
        let run = move || {
            let ended = local.run(job);
            let _ = local.close();
            jobs.finish(id);
            // Whoever started the job may have stopped listening.
            let _ = tell.send(ended);
        };
        match std::thread::Builder::new().name("run".to_owned()).spawn(run) {
            Ok(_) => Ok(Running::Local(end)),
            Err(error) => {
                self.jobs.finish(id);
                Err(PoolError::system("no thread for the work", &error))
            }
        }
    }

    fn close(&self) -> Duration {
        self.jobs.wait();
        self.begun.elapsed()
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        self.jobs.stop();
        // Nobody waits for anything in a panic.
        if !std::thread::panicking() {
            self.jobs.wait();
        }
    }
}

impl Jobs {
    fn begin(&self, control: LocalControl) -> Option<u64> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.closed {
            return None;
        }
        let id = state.next;
        state.next += 1;
        state.controls.insert(id, control);
        Some(id)
    }

    fn finish(&self, id: u64) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).controls.remove(&id);
        self.changed.notify_all();
    }

    /// Ends all jobs, each after the block that is running, and takes no more.
    pub(crate) fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.closed = true;
        state.controls.values().for_each(LocalControl::stop);
    }

    fn wait(&self) {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_while(state, |state| !state.controls.is_empty());
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}
