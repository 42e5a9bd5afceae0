//! The same work without processes: on threads of this process, or in a plain
//! loop on one thread.
//!
//! The blocks, the task's code, the order and the events are those of a pool of
//! processes, so that a comparison differs in the boundary between processes and
//! in nothing else. What needs that boundary is not available here: an item that
//! crashes ends the whole program, and no limit can be enforced.

mod notify;
mod running;
mod thread_worker;
mod work_queue;

use crate::events::{Event, Exit, Observer, WorkerExit, WorkerRef};
use crate::limits::{LEAST_WINDOW_BYTES, WINDOW_BYTES};
use crate::raw::{Backend, Control, Job, JobEnd, JobHandle, Request};
use crate::{PoolError, remote};
use notify::Changes;
use procession_sys::FunctionEntry;
use procession_task::{BlockTask, Identity, JobSpec, escape_terminal};
use running::RunningJobs;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use thread_worker::{ThreadUsage, ThreadWorker};
use work_queue::WorkQueue;

/// The stack of the plain loop's thread, in bytes: that of a program's main thread.
const LOOP_STACK_BYTES: usize = 8 << 20;

/// Makes the task of a job on each thread, or says why it can't be made.
pub type MakeLocalTask = dyn Fn(&JobSpec, Identity) -> Result<Box<dyn BlockTask>, String> + Send + Sync;

/// Runs jobs on threads of this process, or in a plain loop.
///
/// Each job has threads of its own, so that a job whose inputs are the outcomes
/// of another one never waits for the threads of that one.
pub struct InProcess {
    make: Arc<MakeLocalTask>,
    /// `None`: a plain loop.
    threads: Option<u32>,
    window: u64,
    epoch_ns: u64,
    observers: Arc<Observers>,
    jobs: Arc<RunningJobs>,
    is_closed: bool,
}

/// Observers that several threads tell of events.
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

/// Time since the backend's creation.
fn since(epoch_ns: u64) -> Duration {
    Duration::from_nanos(procession_sys::running_ns().saturating_sub(epoch_ns))
}

/// Ends the work of one job from elsewhere.
#[derive(Clone, Debug, Default)]
struct JobControl {
    stopped: Arc<AtomicBool>,
    changes: Arc<Changes>,
}

impl JobControl {
    /// Ends the work: no further chunk begins. A chunk that is running runs to
    /// its end, as a thread can't be ended.
    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
        self.changes.notify();
    }
}

impl InProcess {
    /// A plain loop. Its time begins here.
    #[must_use]
    pub fn serial(make: Arc<MakeLocalTask>, observers: Vec<Box<dyn Observer>>) -> Self {
        Self::new(make, observers, None)
    }

    /// So many threads, at least one. Their time begins here.
    #[must_use]
    pub fn threads(threads: u32, make: Arc<MakeLocalTask>, observers: Vec<Box<dyn Observer>>) -> Self {
        Self::new(make, observers, Some(threads.max(1)))
    }

    fn new(make: Arc<MakeLocalTask>, observers: Vec<Box<dyn Observer>>, threads: Option<u32>) -> Self {
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

    /// Ends once: tells observers, and says how long it lived.
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
            // The threads are gone before anybody hears of the end.
            drop(run);
            jobs.finish(id);
            // Whoever started the job may have stopped listening.
            let _ = tell.send(ended);
        };
        let builder = std::thread::Builder::new().name("run".to_owned()).stack_size(LOOP_STACK_BYTES);
        if let Err(error) = builder.spawn(work) {
            self.jobs.finish(id);
            return Err(PoolError::system("no thread for the work", &error));
        }
        Ok(JobHandle::new(end, move || control.stop()))
    }

    fn control(&self) -> Control {
        let jobs = Arc::clone(&self.jobs);
        Control::new(move |request| match request {
            // However hard it is asked: a thread can't be ended.
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
        // Nobody waits for anything in a panic.
        if !std::thread::panicking() {
            self.jobs.wait();
            self.end();
        }
    }
}

fn thread_pool(threads: u32) -> Result<rayon::ThreadPool, String> {
    let builder =
        rayon::ThreadPoolBuilder::new().num_threads(threads as usize).thread_name(|slot| format!("worker {slot}"));
    builder.build().map_err(|error| error.to_string())
}

/// One job, on threads of its own.
struct JobRun {
    /// Which job of its backend it is, from 0.
    nth: u32,
    make: Arc<MakeLocalTask>,
    /// `None`: a plain loop.
    threads: Option<rayon::ThreadPool>,
    slots: u32,
    window: u64,
    epoch_ns: u64,
    observers: Arc<Observers>,
    control: JobControl,
}

impl JobRun {
    /// Runs the job to its end.
    fn run(&self, job: Job) -> Result<JobEnd, PoolError> {
        for slot in 0..self.slots {
            self.observers.tell(&Event::WorkerSpawned { worker: self.worker(slot), at: since(self.epoch_ns) });
        }
        let (spec, entry) = (job.spec.clone(), job.entry);
        let queue = WorkQueue::new(job, self.slots, self.window, &self.control);
        let host = procession_sys::hostname();
        let used = Mutex::new(vec![ThreadUsage::default(); self.slots as usize]);
        let work = |slot: u32| {
            let work = || self.work(slot, &spec, entry, &queue, &host);
            // The others would wait for ever for the chunk that a panic leaves behind.
            let ran = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(what_panicked(&*panic)));
            // Whatever went wrong on one thread ends the others.
            ran.inspect_err(|_| self.control.stop()).map(|usage| {
                if let Some(own) = used.lock().unwrap_or_else(PoisonError::into_inner).get_mut(slot as usize) {
                    *own = usage;
                }
            })
        };
        let ran: Result<(), String> = match &self.threads {
            None => work(0),
            Some(pool) => {
                let ran = pool.broadcast(|context| work(u32::try_from(context.index()).unwrap_or(u32::MAX)));
                ran.into_iter().collect()
            }
        };
        let is_complete = queue.is_complete();
        drop(queue);
        self.tell_exits(used.into_inner().unwrap_or_else(PoisonError::into_inner));
        ran.map_err(PoolError::Refused)?;
        Ok(if is_complete { JobEnd::Complete } else { JobEnd::Stopped })
    }

    /// What one thread does: makes the task and runs it on chunk after chunk.
    fn work(
        &self,
        slot: u32,
        spec: &JobSpec,
        entry: Option<&'static FunctionEntry>,
        queue: &WorkQueue,
        host: &str,
    ) -> Result<ThreadUsage, String> {
        let worker = self.worker(slot);
        let mut task = match entry {
            Some(entry) => remote::prepare(entry, spec.arguments.first().map_or(&[][..], Vec::as_slice))?,
            None => (self.make)(spec, Identity::new(worker.pid, host, slot))?,
        };
        task.prepare(&mut |text| {
            let (text, at) = (escape_terminal(text.as_bytes()), since(self.epoch_ns));
            self.observers.tell(&Event::Note { worker, text, at });
        })?;
        let (host, at) = (host.to_owned(), since(self.epoch_ns));
        self.observers.tell(&Event::WorkerReady { worker, host, at });
        let thread = ThreadWorker {
            queue,
            observers: &self.observers,
            who: worker,
            epoch_ns: self.epoch_ns,
            max_result: spec.max_result,
            again: spec.again(),
        };
        thread.run(&mut *task)
    }

    fn tell_exits(&self, all: Vec<ThreadUsage>) {
        // Whoever was done before the others has waited for them.
        let told_ns = procession_sys::running_ns();
        for (slot, used) in (0..).zip(all) {
            let used = used.waiting_until(told_ns);
            let told_at = (used.until_ns > 0).then(|| Duration::from_nanos(told_ns.saturating_sub(self.epoch_ns)));
            self.observers.tell(&Event::WorkerExited(WorkerExit {
                worker: self.worker(slot),
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
    }

    fn worker(&self, slot: u32) -> WorkerRef {
        WorkerRef { slot, nth: self.nth, pid: std::process::id() }
    }
}

fn what_panicked(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("it panicked: {}", words.unwrap_or("(no message)"))
}

#[cfg(test)]
mod tests;
