//! The builder of a [`Pool`].

use super::init::no_task;
use super::initializer::Initializer;
use super::observers::{LivePids, WorkerOutput};
use super::pool::{Pool, PoolSettings};
use super::work::Work;
use crate::driver::{ProcessPool, ProcessPoolBuilder};
use crate::in_process::{InProcess, MakeThreadTask};
use crate::jobs::{PoolError, WINDOW_BYTES};
use crate::observe::{Event, Observer};
use crate::worker::check;
use procession_scheduler::ChunkSize;
use procession_task::FailureKind;
use procession_task::{JobLimits, JobSpec};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

/// The largest value of `max_message`, in bytes: what the codec takes.
const MOST_MAX_MESSAGE: usize = 64 << 20;

/// The settings of a [`Pool`]. The defaults are those of the command line.
#[must_use = "a builder does nothing before `build`"]
pub struct PoolBuilder {
    kind: WorkerKind,
    start_timeout: Duration,
    max_tasks_per_worker: Option<u64>,
    initializer: Option<Result<Initializer, String>>,
    observers: Vec<Box<dyn Observer>>,
    shows_errors: bool,
    settings: PoolSettings,
}

#[derive(Clone, Copy)]
enum WorkerKind {
    Procs(Option<u32>),
    Threads(u32),
    Serial,
}

impl Default for PoolBuilder {
    fn default() -> Self {
        Self {
            kind: WorkerKind::Procs(None),
            start_timeout: Duration::from_secs(4),
            max_tasks_per_worker: None,
            initializer: None,
            observers: Vec::new(),
            shows_errors: true,
            settings: PoolSettings { spec: JobSpec::new(""), window: WINDOW_BYTES },
        }
    }
}

impl PoolBuilder {
    /// Uses `procs` worker processes, at least one (default: the number of
    /// processors that this process may use, by affinity and quota).
    pub fn procs(mut self, procs: u32) -> Self {
        self.kind = WorkerKind::Procs(Some(procs));
        self
    }

    /// Uses `threads` threads of this process instead, at least one: the same work,
    /// blocks and order, without a boundary. An item that crashes ends the whole
    /// program, and no limit can be enforced. Each call has threads of its own.
    pub fn threads(mut self, threads: u32) -> Self {
        self.kind = WorkerKind::Threads(threads);
        self
    }

    /// Uses a plain loop on one thread instead.
    pub fn serial(mut self) -> Self {
        self.kind = WorkerKind::Serial;
        self
    }

    /// Sends `items` items in a message, at least one (default: adapts so that a
    /// message takes a few milliseconds).
    pub fn chunk(mut self, items: u32) -> Self {
        self.settings.spec.chunk = ChunkSize::Fixed(NonZeroU32::new(items).unwrap_or(NonZeroU32::MIN));
        self
    }

    /// How often an item is tried again whose outcome is one of
    /// [`PoolBuilder::retry_on`] (default: 2); `None`: until it succeeds.
    pub fn retries(mut self, retries: impl Into<Option<u32>>) -> Self {
        self.settings.spec.retry.retries = retries.into();
        self
    }

    /// Which outcomes are tried again (default: [`crate::RETRY_ON`]).
    pub fn retry_on(mut self, kinds: impl IntoIterator<Item = FailureKind>) -> Self {
        self.settings.spec.retry.retry_on = kinds.into_iter().collect();
        self
    }

    /// How long one item may run, from its own start (default: no limit). A timeout
    /// ends that item only, not its neighbours.
    pub fn timeout(mut self, timeout: impl Into<Option<Duration>>) -> Self {
        self.settings.spec.limits.timeout = timeout.into();
        self
    }

    /// How much memory each worker may have, in bytes (default: no limit). In a
    /// program whose `#[global_allocator]` is [`crate::worker::WorkerAllocator`] an item
    /// that wants more is [`crate::ItemError::OutOfMemory`]; in others it crashes.
    pub fn memory_limit(mut self, bytes: impl Into<Option<u64>>) -> Self {
        self.settings.spec.limits.memory_limit = bytes.into();
        self
    }

    /// What an item may use, all limits at once (default: no limits).
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let limits = procession::JobLimits { timeout: Some(Duration::from_secs(5)), memory_limit: Some(1 << 30) };
    ///     let pool = procession::Pool::builder().procs(1).limits(limits).build()?;
    ///     assert_eq!(pool.submit(f64::sqrt, &4.0).wait()?, 2.0);
    ///     Ok(())
    /// }
    /// ```
    pub fn limits(mut self, limits: JobLimits) -> Self {
        self.settings.spec.limits = limits;
        self
    }

    /// After how many items a worker is replaced by a new process, at least one
    /// (default: never). For work that leaks memory.
    pub fn max_tasks_per_worker(mut self, items: impl Into<Option<u64>>) -> Self {
        self.max_tasks_per_worker = items.into();
        self
    }

    /// Longest item or result, in bytes, once encoded (default: 16 MiB, at most
    /// 64 MiB). A longer one is that item's failure.
    pub fn max_message(mut self, bytes: usize) -> Self {
        self.settings.spec.max_result = bytes.min(MOST_MAX_MESSAGE);
        self
    }

    /// How many bytes each call may hold of inputs that were sent and of results
    /// that were not taken (default: 16 MiB). When the window is full no further
    /// item starts until results are taken.
    pub fn window(mut self, bytes: u64) -> Self {
        self.settings.window = bytes;
        self
    }

    /// How long a worker may take to start, its initializer included (default: 4 s).
    pub fn start_timeout(mut self, timeout: Duration) -> Self {
        self.start_timeout = timeout;
        self
    }

    /// Runs `work` with `argument` in every worker before anything else: to open a
    /// database, read a table into a `static`, or seed a generator. If it panics or
    /// returns an error, the worker counts as not started. On threads and in the
    /// loop it runs once, because there is one process.
    ///
    /// ```
    /// use std::sync::OnceLock;
    ///
    /// static FACTOR: OnceLock<u64> = OnceLock::new();
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let set = |factor: u64| FACTOR.set(factor).unwrap();
    ///     let pool = procession::Pool::builder().procs(2).initializer(set, &10).build()?;
    ///     let outcomes = pool.map(|x: u64| x * FACTOR.get().unwrap(), [1, 2]);
    ///     assert_eq!(outcomes.collect::<Result<Vec<_>, _>>()?, [10, 20]);
    ///     Ok(())
    /// }
    /// ```
    pub fn initializer<W: Work<M>, M: 'static>(mut self, work: W, argument: &W::Input) -> Self {
        self.initializer = Some(Initializer::new(&work, argument));
        self
    }

    /// Adds an observer of events: workers, chunks, failures.
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Whether what workers print appears on this program's standard error
    /// (default: yes). Observers receive it in any case.
    pub fn show_worker_output(mut self, shows: bool) -> Self {
        self.shows_errors = shows;
        self
    }

    /// Creates the pool; its time begins here. Processes start in the background:
    /// if they can't be started, the first outcome tells.
    ///
    /// # Errors
    /// A pool of processes in a program that has not called [`crate::init`], or in
    /// a worker; a limit that threads can't enforce; an initializer that can't be
    /// sent or, without processes, has failed; the system has no resources for the
    /// driver.
    pub fn build(self) -> Result<Pool, PoolError> {
        let initializer = self.initializer.transpose().map_err(PoolError::NotSendable)?;
        let threads = match self.kind {
            WorkerKind::Procs(procs) => {
                let builder = ProcessPool::builder("/proc/self/exe")
                    .start_timeout(self.start_timeout)
                    .window(self.settings.window)
                    .max_tasks_per_worker(self.max_tasks_per_worker);
                let procs = procs.unwrap_or_else(available).max(1);
                return on_procs(procs, builder, initializer, self.observers, self.shows_errors, self.settings);
            }
            _ if self.settings.spec.limits.are_any() || self.max_tasks_per_worker.is_some() => {
                let why = "no limit of time, memory or items can be kept without processes";
                return Err(PoolError::Refused(why.to_owned()));
            }
            WorkerKind::Threads(threads) => Some(threads.max(1)),
            WorkerKind::Serial => None,
        };
        if let Some(initializer) = &initializer {
            let failed = |what| PoolError::Refused(format!("the initializer failed: {what}"));
            initializer.run().map_err(failed)?;
        }
        // Jobs carry their code: no task is made by its name alone.
        let make: Arc<MakeThreadTask> = Arc::new(|job, _| Err(no_task(&job.task)));
        let backend = match threads {
            Some(threads) => InProcess::threads(threads, make, self.observers),
            None => InProcess::serial(make, self.observers),
        };
        let backend = backend.window(self.settings.window);
        let live_pids = LivePids::of_threads(threads.unwrap_or(1));
        Ok(Pool::of(Box::new(backend), threads.unwrap_or(1), self.settings, live_pids))
    }
}

impl Pool {
    /// A pool with a worker for each processor that this process may use.
    ///
    /// ```
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let pool = procession::Pool::new()?;
    ///     let roots: Result<Vec<f64>, _> = pool.map(f64::sqrt, [1.0, 4.0]).collect();
    ///     assert_eq!(roots?, [1.0, 2.0]);
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    /// As those of [`PoolBuilder::build`].
    pub fn new() -> Result<Self, PoolError> {
        Self::builder().build()
    }

    /// The builder of a pool with other settings.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// fn main() -> Result<(), Box<dyn std::error::Error>> {
    ///     procession::init();
    ///     let builder = procession::Pool::builder().procs(2).chunk(1).timeout(Duration::from_secs(5));
    ///     let pool = builder.build()?;
    ///     assert_eq!(pool.submit(u64::count_ones, &7).wait()?, 3);
    ///     Ok(())
    /// }
    /// ```
    pub fn builder() -> PoolBuilder {
        PoolBuilder::default()
    }
}

fn on_procs(
    procs: u32,
    mut builder: ProcessPoolBuilder,
    initializer: Option<Initializer>,
    observers: Vec<Box<dyn Observer>>,
    shows_errors: bool,
    settings: PoolSettings,
) -> Result<Pool, PoolError> {
    check()?;
    if let Some(initializer) = initializer {
        builder = builder.arguments(initializer.arguments().map_err(PoolError::NotSendable)?);
    }
    let live_pids = LivePids::of_procs(procs);
    builder = builder.procs(procs).observer(Box::new(live_pids.clone()));
    if shows_errors {
        let errors = WorkerOutput::start().map_err(|e| PoolError::system("no thread for what workers print", &e))?;
        builder = builder.observer(Box::new(errors));
    }
    for observer in observers {
        builder = builder.observer(observer);
    }
    Ok(Pool::of(Box::new(builder.build()?), procs, settings, live_pids))
}

/// How many processors this process may use.
fn available() -> u32 {
    std::thread::available_parallelism().map_or(1, |count| u32::try_from(count.get()).unwrap_or(u32::MAX))
}

/// A function of an event is an observer.
impl<F: FnMut(&Event) + Send> Observer for F {
    fn on_event(&mut self, event: &Event) {
        self(event);
    }
}
