//! The same work without processes: on threads of this process, or in a plain
//! loop on the caller's.
//!
//! The blocks, the task's code, the order and the events are those of a pool of
//! processes, so that what differs in a comparison is the boundary between
//! processes and nothing else. What a boundary is needed for is not to be had
//! here: an item that crashes takes everything with it, and no limit can be
//! enforced.

mod gate;
mod lane;
mod line;

use crate::PoolError;
use crate::driver::describe;
use crate::events::{Event, Exit, Observer, WorkerExit, WorkerRef};
use crate::limits::{LEAST_WINDOW_BYTES, WINDOW_BYTES};
use crate::raw::{Job, JobEnd, JobMessage};
use gate::Gate;
use lane::{Lane, Used};
use line::Line;
use procession_task::{BlockTask, Identity, escape_terminal};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Makes the task of a job in each lane, or says why it can't be made.
pub type MakeLocalTask = dyn Fn(&JobMessage, Identity) -> Result<Box<dyn BlockTask>, String> + Send + Sync;

/// Runs jobs on threads, or on the caller's thread.
pub struct Local {
    make: Arc<MakeLocalTask>,
    /// `None`: a plain loop.
    threads: Option<rayon::ThreadPool>,
    lanes: u32,
    epoch_ns: u64,
    window: u64,
    observers: Observers,
    used: Mutex<Vec<Used>>,
    /// Whether it ever had a job.
    begun: AtomicBool,
    control: LocalControl,
}

/// Ends the work of a [`Local`] from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct LocalControl {
    stopped: Arc<AtomicBool>,
    gate: Arc<Gate>,
}

/// Observers that several threads tell of events.
#[derive(Default)]
struct Observers(Mutex<Vec<Box<dyn Observer>>>);

impl Observers {
    fn tell(&self, event: &Event) {
        let mut observers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for observer in observers.iter_mut() {
            observer.on_event(event);
            observer.flush();
        }
    }
}

/// Time since the run's start.
fn since(epoch_ns: u64) -> Duration {
    Duration::from_nanos(procession_sys::running_ns().saturating_sub(epoch_ns))
}

impl LocalControl {
    /// Ends the work: no chunk is begun any more. A chunk that is running runs
    /// to its end, as a thread can't be ended.
    pub fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.gate.notify();
    }
}

impl Local {
    /// A plain loop on the thread that calls [`Self::run`]. Its time begins here.
    #[must_use]
    pub fn serial(make: Arc<MakeLocalTask>, observers: Vec<Box<dyn Observer>>) -> Self {
        Self::new(make, observers, procession_sys::running_ns(), None, 1)
    }

    /// So many threads, at least one. Their time begins here.
    ///
    /// # Errors
    /// The system has no room for them.
    pub fn threads(
        threads: u32,
        make: Arc<MakeLocalTask>,
        observers: Vec<Box<dyn Observer>>,
    ) -> Result<Self, PoolError> {
        let epoch_ns = procession_sys::running_ns();
        let lanes = threads.max(1);
        let builder =
            rayon::ThreadPoolBuilder::new().num_threads(lanes as usize).thread_name(|lane| format!("worker {lane}"));
        let pool = builder
            .build()
            .map_err(|error| PoolError::System { what: "threads can't be started", why: error.to_string() })?;
        Ok(Self::new(make, observers, epoch_ns, Some(pool), lanes))
    }

    fn new(
        make: Arc<MakeLocalTask>,
        observers: Vec<Box<dyn Observer>>,
        epoch_ns: u64,
        threads: Option<rayon::ThreadPool>,
        lanes: u32,
    ) -> Self {
        let observers = Observers(Mutex::new(observers));
        observers.tell(&Event::RunStarted { slots: lanes });
        let local = Self {
            make,
            threads,
            lanes,
            epoch_ns,
            window: WINDOW_BYTES,
            observers,
            used: Mutex::new(vec![Used::default(); lanes as usize]),
            begun: AtomicBool::new(false),
            control: LocalControl::default(),
        };
        for slot in 0..lanes {
            local.observers.tell(&Event::WorkerSpawned { worker: who(slot), at: since(epoch_ns) });
        }
        local
    }

    /// How many bytes a job may hold of items that are under way and of results
    /// that wait for their turn (default 16 MiB, at least 1 MiB).
    #[must_use]
    pub fn window(mut self, bytes: u64) -> Self {
        self.window = bytes.max(LEAST_WINDOW_BYTES);
        self
    }

    /// A way to end the work from elsewhere.
    #[must_use]
    pub fn control(&self) -> LocalControl {
        self.control.clone()
    }

    /// Runs a job to its end.
    ///
    /// # Errors
    /// A task that can't be made, or that does not understand its items.
    pub fn run(&self, job: Job) -> Result<JobEnd, PoolError> {
        if job.timeout.is_some() || job.memory_limit.is_some() {
            let why = "no limit of time or memory can be kept without processes";
            return Err(PoolError::Refused(why.to_owned()));
        }
        let message = describe(&job, 0, self.epoch_ns);
        let (max_result, again) = (job.max_result, job.again());
        let line = Line::new(job, self.lanes, self.window, &self.control.gate, &self.control.stopped);
        let host = procession_sys::hostname();
        let is_first = !self.begun.swap(true, Ordering::SeqCst);
        let lane = |slot: u32| {
            let worker = who(slot);
            let identity = Identity::new(worker.pid, &host, slot);
            let lane = Lane {
                line: &line,
                observers: &self.observers,
                who: worker,
                epoch_ns: self.epoch_ns,
                max_result,
                again,
            };
            // The others would wait for ever for the chunk that a panic leaves behind.
            let ready = || {
                if is_first {
                    // Not when it was started: until there is a job it waits for one.
                    self.observers.tell(&Event::WorkerReady { worker, host: host.clone(), at: since(self.epoch_ns) });
                }
            };
            let run = |mut task: Box<dyn BlockTask>| {
                ready();
                lane.run(&mut *task)
            };
            let make = || {
                let mut task = (self.make)(&message, identity)?;
                let mut note = |text: &str| {
                    let (text, at) = (escape_terminal(text.as_bytes()), since(self.epoch_ns));
                    self.observers.tell(&Event::Note { worker, text, at });
                };
                task.prepare(&mut note).map(|()| task)
            };
            let work = || make().and_then(run);
            let ran = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(what_panicked(&*panic)));
            // Whatever went wrong in one lane ends the others.
            ran.inspect_err(|_| self.control.stop()).map(|used| self.note(slot, used))
        };
        let ran: Result<(), String> = match &self.threads {
            None => lane(0),
            Some(pool) => {
                let lanes = pool.broadcast(|context| lane(u32::try_from(context.index()).unwrap_or(u32::MAX)));
                lanes.into_iter().collect()
            }
        };
        ran.map_err(PoolError::Refused)?;
        Ok(if line.is_complete() { JobEnd::Complete } else { JobEnd::Stopped })
    }

    fn note(&self, slot: u32, used: Used) {
        let mut all = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sum) = all.get_mut(slot as usize) {
            *sum = sum.and(&used);
        }
    }

    /// Ends the lanes; returns the time since the creation.
    #[must_use]
    pub fn close(self) -> Duration {
        let all = self.used.into_inner().unwrap_or_else(PoisonError::into_inner);
        // Whoever was done before the others has waited for them.
        let told_ns = procession_sys::running_ns();
        drop(self.threads);
        for (slot, used) in (0..).zip(all) {
            let used = used.waiting_until(told_ns);
            let told_at = (used.until_ns > 0).then(|| Duration::from_nanos(told_ns.saturating_sub(self.epoch_ns)));
            self.observers.tell(&Event::WorkerExited(WorkerExit {
                worker: who(slot),
                exit: Exit::Status(0),
                asked: true,
                cpu_user: used.cpu.user,
                cpu_system: used.cpu.system,
                peak_memory: None,
                times: Some(used.times),
                told_at,
                items: used.items,
                chunks: used.chunks,
                at: since(self.epoch_ns),
            }));
        }
        let at = since(self.epoch_ns);
        self.observers.tell(&Event::RunEnded { at, driver: None });
        at
    }
}

fn what_panicked(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("it panicked: {}", words.unwrap_or("(no message)"))
}

fn who(slot: u32) -> WorkerRef {
    WorkerRef { slot, nth: 0, pid: std::process::id() }
}

#[cfg(test)]
mod tests;
