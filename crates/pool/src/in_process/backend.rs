//! The backend without processes.

use super::job_control::JobControl;
use super::job_run::{JobRun, MakeThreadTask};
use super::observers::{Observers, since};
use super::running_jobs::RunningJobs;
use crate::jobs::{Backend, Control, Job, JobHandle, LEAST_WINDOW_BYTES, PoolError, Request, WINDOW_BYTES};
use crate::observe::{Event, Observer};
use procession_sys::{is_temporary, retry_while_short, start_thread};
use std::io;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The stack of the plain loop's thread, in bytes: as large as a main thread's
/// stack usually is.
const LOOP_STACK_BYTES: usize = 8 << 20;

/// Runs jobs on threads of this process, or in a plain loop.
///
/// Each job has threads of its own, so that a job whose inputs are the outcomes
/// of another one never waits for the threads of that one.
pub struct InProcess {
    make: Arc<MakeThreadTask>,
    /// `None`: a plain loop.
    threads: Option<u32>,
    window: u64,
    epoch_ns: u64,
    observers: Arc<Observers>,
    jobs: Arc<RunningJobs>,
    is_closed: bool,
}

impl InProcess {
    /// A plain loop. Its time begins here.
    #[must_use]
    pub fn serial(make: Arc<MakeThreadTask>, observers: Vec<Box<dyn Observer>>) -> Self {
        Self::new(make, observers, None)
    }

    /// A backend with `threads` threads for each job, at least one. Its time begins
    /// here.
    #[must_use]
    pub fn threads(threads: u32, make: Arc<MakeThreadTask>, observers: Vec<Box<dyn Observer>>) -> Self {
        Self::new(make, observers, Some(threads.max(1)))
    }

    fn new(make: Arc<MakeThreadTask>, observers: Vec<Box<dyn Observer>>, threads: Option<u32>) -> Self {
        let epoch_ns = procession_sys::running_ns();
        let observers = Arc::new(Observers(Mutex::new(observers)));
        observers.tell(&Event::RunStarted { slots: threads.unwrap_or(1) });
        let jobs = Arc::default();
        Self { make, threads, window: WINDOW_BYTES, epoch_ns, observers, jobs, is_closed: false }
    }

    /// How many bytes a job may hold of items that are under way and of results
    /// that wait for their turn (default 16 MiB, at least 1 MiB).
    #[must_use]
    pub fn window(mut self, bytes: u64) -> Self {
        self.window = bytes.max(LEAST_WINDOW_BYTES);
        self
    }

    /// Tells observers of the end, once; returns the time since the creation.
    fn end(&mut self) -> Duration {
        let at = since(self.epoch_ns);
        if !std::mem::replace(&mut self.is_closed, true) {
            self.observers.tell(&Event::RunEnded { at, driver: None });
        }
        at
    }
}

impl Backend for InProcess {
    fn start(&self, job: Job) -> Result<JobHandle, PoolError> {
        if job.spec.limits.are_any() {
            let why = "no limit of time or memory can be kept without processes";
            return Err(PoolError::Refused(why.to_owned()));
        }
        let control = JobControl::default();
        let no_room = |why: String| PoolError::System { what: "threads can't be started", why };
        let threads = self.threads.map(thread_pool).transpose().map_err(no_room)?;
        let id = self.jobs.begin(control.clone()).ok_or(PoolError::Ended)?;
        let run = JobRun {
            nth: u32::try_from(id).unwrap_or(u32::MAX),
            make: Arc::clone(&self.make),
            threads,
            slots: self.threads.unwrap_or(1),
            window: self.window,
            epoch_ns: self.epoch_ns,
            observers: Arc::clone(&self.observers),
            control: control.clone(),
        };
        let jobs = Arc::clone(&self.jobs);
        let (tell, end) = channel();
        let work = move || {
            let ended = run.run(job);
            // The threads have ended before the job's end is reported.
            drop(run);
            jobs.finish(id);
            // Whoever started the job may have stopped listening.
            let _ = tell.send(ended);
        };
        if let Err(error) = start_thread("run", Some(LOOP_STACK_BYTES), work) {
            self.jobs.finish(id);
            return Err(PoolError::system("no thread for the work", &error));
        }
        Ok(JobHandle::new(end, move || control.stop()))
    }

    fn control(&self) -> Control {
        let jobs = Arc::clone(&self.jobs);
        Control::new(move |request| match request {
            // A thread can't be ended by force, so a kill is a stop.
            Request::Stop | Request::Kill => jobs.stop(),
            // Threads are suspended with their process.
            Request::Pause | Request::Resume => {}
        })
    }

    fn close(mut self: Box<Self>) -> Result<Duration, PoolError> {
        self.jobs.wait();
        Ok(self.end())
    }
}

impl Drop for InProcess {
    fn drop(&mut self) {
        self.jobs.stop();
        // A panicking thread does not wait.
        if !std::thread::panicking() {
            self.jobs.wait();
            self.end();
        }
    }
}

fn thread_pool(threads: u32) -> Result<rayon::ThreadPool, String> {
    let build = || {
        let builder = rayon::ThreadPoolBuilder::new().num_threads(threads as usize);
        builder.thread_name(|slot| format!("worker {slot}")).build().map_err(|error| system_error(&error))
    };
    retry_while_short(build, is_temporary, |_| ()).map_err(|error| error.to_string())
}

/// The system's error because of which threads can't be started.
fn system_error(error: &rayon::ThreadPoolBuildError) -> io::Error {
    let cause = std::error::Error::source(error).and_then(|cause| cause.downcast_ref::<io::Error>());
    let code = cause.and_then(io::Error::raw_os_error);
    code.map_or_else(|| io::Error::other(error.to_string()), io::Error::from_raw_os_error)
}
