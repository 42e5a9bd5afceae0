//! The pool of processes: a handle to the driver's thread.

use super::clock::Clock;
use super::event_loop::{Driver, DriverSettings};
use super::mailbox::{DriverCommand, Mailbox};
use crate::jobs::{
    Backend, Control, Job, JobHandle, LEAST_WINDOW_BYTES, PoolError, Request, WINDOW_BYTES, encode_address,
};
use crate::observe::{DriverPhase, DriverWatch, Observer};
use procession_scheduler::PoolOptions;
use procession_sys::start_thread;
use procession_task::{TaskInfo, library_threads};
use procession_wire::check_job;
use std::ffi::OsString;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Worker processes, ready for jobs.
///
/// The driver runs on a thread of its own, which is also the one that spawns
/// the workers: they die with it. Dropping a pool ends and reaps its workers.
/// Signal handlers, masks and limits of the program are left alone.
#[derive(Debug)]
pub struct ProcessPool {
    mailbox: Arc<Mailbox>,
    driver: Option<JoinHandle<Result<Duration, PoolError>>>,
}

/// How long a caller waits for the driver to pause.
const PAUSE_TIME: Duration = Duration::from_secs(1);

/// The longest start timeout, so that times can be added without overflow.
const FOR_EVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// The settings of a [`ProcessPool`].
pub struct ProcessPoolBuilder {
    options: PoolOptions,
    worker: PathBuf,
    arguments: Vec<OsString>,
    library_threads: Option<u32>,
    variables: Vec<(&'static str, String)>,
    window: u64,
    tasks: Option<Sender<Vec<TaskInfo>>>,
    observers: Vec<Box<dyn Observer>>,
}

impl ProcessPool {
    /// A pool of processes of the program `worker`, which must serve as
    /// [`crate::worker::serve`] does.
    pub fn builder(worker: impl Into<PathBuf>) -> ProcessPoolBuilder {
        ProcessPoolBuilder {
            options: PoolOptions::default(),
            worker: worker.into(),
            arguments: Vec::new(),
            library_threads: None,
            variables: Vec::new(),
            window: WINDOW_BYTES,
            tasks: None,
            observers: Vec::new(),
        }
    }

    fn join(&mut self) -> Result<Duration, PoolError> {
        let Some(driver) = self.driver.take() else { return Err(PoolError::Ended) };
        driver.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }
}

impl Drop for ProcessPool {
    fn drop(&mut self) {
        if self.driver.is_some() {
            self.mailbox.send(DriverCommand::Kill);
            // A panicking thread does not wait.
            if !std::thread::panicking() {
                let _ = self.join();
            }
        }
    }
}

impl Backend for ProcessPool {
    /// Starts a job. Several may run at once; the oldest goes first. Settings that are
    /// too large for a message are refused here; an item or block that is, ends its
    /// job after the results before it.
    fn start(&self, mut job: Job) -> Result<JobHandle, PoolError> {
        if let Some(entry) = job.entry {
            let address = entry.address().map_err(|e| PoolError::NotSendable(e.to_string()))?;
            job.spec.arguments.insert(0, encode_address(address));
        }
        check_job(&job.spec).map_err(|error| PoolError::NotSendable(format!("the settings of the job: {error}")))?;
        let (report, end) = channel();
        let id = self.mailbox.start(Box::new(job), report)?;
        let mailbox = Arc::clone(&self.mailbox);
        Ok(JobHandle::new(end, move || {
            mailbox.send(DriverCommand::Cancel(id));
        }))
    }

    fn control(&self) -> Control {
        let mailbox = Arc::clone(&self.mailbox);
        Control::new(move |request| {
            let (command, paused) = match request {
                Request::Stop => (DriverCommand::Stop, None),
                Request::Kill => (DriverCommand::Kill, None),
                Request::Resume => (DriverCommand::Resume, None),
                Request::Pause => {
                    let (tell, told) = channel();
                    (DriverCommand::Pause(tell), Some(told))
                }
            };
            if let (true, Some(paused)) = (mailbox.send(command), paused) {
                // A driver that has ended drops the sender.
                let _ = paused.recv_timeout(PAUSE_TIME);
            }
        })
    }

    fn close(mut self: Box<Self>) -> Result<Duration, PoolError> {
        self.mailbox.send(DriverCommand::Close);
        self.join()
    }
}

impl ProcessPoolBuilder {
    /// How many workers, at least one.
    #[must_use]
    pub fn procs(mut self, procs: u32) -> Self {
        let previous = std::mem::take(&mut self.options);
        let fresh = PoolOptions::new(procs);
        self.options = PoolOptions { slots: fresh.slots, start_failures: fresh.start_failures, ..previous };
        self
    }

    /// Arguments that follow those of every worker (default: none).
    #[must_use]
    pub fn arguments(mut self, arguments: Vec<OsString>) -> Self {
        self.arguments = arguments;
        self
    }

    /// How many threads libraries in a worker should use (default: the CPUs divided by
    /// the number of workers, at least one). Workers find it in `OMP_NUM_THREADS`,
    /// `OPENBLAS_NUM_THREADS` and `MKL_NUM_THREADS`, except those that this process
    /// has in its environment.
    #[must_use]
    pub fn library_threads(mut self, threads: u32) -> Self {
        self.library_threads = Some(threads);
        self
    }

    /// Sets an environment variable of the workers.
    #[must_use]
    pub fn variable(mut self, name: &'static str, value: String) -> Self {
        self.variables.push((name, value));
        self
    }

    /// How long a worker may take to say hello (default 4 s).
    #[must_use]
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.options.start_timeout = timeout.min(FOR_EVER);
        self
    }

    /// After how many items a worker is replaced by a new process, at least one
    /// (default: never). For tasks that leak memory.
    #[must_use]
    pub fn max_tasks_per_worker(mut self, items: Option<u64>) -> Self {
        self.options.max_tasks_per_worker = items;
        self
    }

    /// How many bytes a job may hold of blocks that may have to be sent again and
    /// of results that are not written (default: 16 MiB, at least 1 MiB).
    #[must_use]
    pub fn window(mut self, bytes: u64) -> Self {
        self.window = bytes.max(LEAST_WINDOW_BYTES);
        self
    }

    /// Receives the tasks in each worker's hello.
    pub(crate) fn telling_tasks(mut self, tasks: Sender<Vec<TaskInfo>>) -> Self {
        self.tasks = Some(tasks);
        self
    }

    /// Adds an observer of events.
    #[must_use]
    pub fn observer(mut self, observer: Box<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// Creates the pool; its time begins here. Workers start in the background:
    /// one that can't be started shows in the first job, or in [`ProcessPool::close`].
    ///
    /// # Errors
    /// No thread or descriptor for the driver.
    pub fn build(self) -> Result<ProcessPool, PoolError> {
        let mailbox = Mailbox::new().map_err(|e| PoolError::system("no descriptor for the pool", &e))?;
        let mailbox = Arc::new(mailbox);
        let share = || {
            let cpus = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
            library_threads::share(u32::try_from(cpus).unwrap_or(u32::MAX), self.options.slots)
        };
        let mut variables = library_threads::variables(self.library_threads.unwrap_or_else(share));
        variables.extend(self.variables);
        let settings = DriverSettings {
            variables,
            options: self.options,
            program: self.worker,
            arguments: self.arguments,
            window: self.window,
            tasks: self.tasks,
            observers: self.observers,
            clock: Clock::start(),
            watch: DriverWatch::start(DriverPhase::Waiting),
        };
        let theirs = Arc::clone(&mailbox);
        let driver = start_thread("driver", None, move || Driver::new(settings, theirs).run())
            .map_err(|e| PoolError::system("no thread for the pool", &e))?;
        Ok(ProcessPool { mailbox, driver: Some(driver) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jobs::{Batch, Cut, Sink, Source, Waker};
    use crate::observe::Event;
    use procession_task::JobSpec;

    struct Nothing;

    impl Source for Nothing {
        fn cut(&mut self, _: u32, _: usize) -> Cut {
            Cut::End
        }
        fn wake_with(&mut self, _: Waker) {}
    }

    impl Sink for Nothing {
        fn deliver(&mut self, _: Batch) {}
    }

    struct Panics;

    impl Observer for Panics {
        fn on_event(&mut self, _: &Event) {
            panic!("an observer of the program's own");
        }
    }

    fn job() -> Job {
        Job::new(JobSpec::new("null"), Box::new(Nothing), Box::new(Nothing))
    }

    #[test]
    fn nobody_waits_for_a_driver_that_is_gone() {
        let pool = ProcessPool::builder("/bin/false").observer(Box::new(Panics)).build().unwrap();
        let (tell, told) = channel();
        let jobs: Vec<_> = (0..2).map(|_| pool.start(job())).collect();
        std::thread::spawn(move || {
            let ends: Vec<_> = jobs.into_iter().map(|job| job.and_then(JobHandle::wait)).collect();
            tell.send(ends)
        });
        let ended = || Err(PoolError::Ended);
        assert_eq!(told.recv_timeout(Duration::from_secs(10)), Ok(vec![ended(), ended()]));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| Box::new(pool).close())).is_err());
    }
}
