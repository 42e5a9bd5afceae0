//! One job without processes: on threads of its own, or in a plain loop.

use super::job_control::JobControl;
use super::observers::{Observers, since};
use super::thread_worker::{ThreadUsage, ThreadWorker};
use super::work_queue::WorkQueue;
use crate::jobs::{Job, JobEnd, PoolError, prepare};
use crate::observe::{Event, Exit, WorkerExit, WorkerRef};
use procession_sys::FunctionEntry;
use procession_task::{BlockTask, Identity, JobSpec, escape_terminal};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Makes the task of a job on each thread, or says why it can't be made.
pub type MakeThreadTask = dyn Fn(&JobSpec, Identity) -> Result<Box<dyn BlockTask>, String> + Send + Sync;

/// One job, on threads of its own.
pub(super) struct JobRun {
    /// Which job of its backend it is, from 0.
    pub(super) nth: u32,
    pub(super) make: Arc<MakeThreadTask>,
    /// `None`: a plain loop.
    pub(super) threads: Option<rayon::ThreadPool>,
    pub(super) slots: u32,
    pub(super) window: u64,
    pub(super) epoch_ns: u64,
    pub(super) observers: Arc<Observers>,
    pub(super) control: JobControl,
}

impl JobRun {
    /// Runs the job to its end.
    pub(super) fn run(&self, job: Job) -> Result<JobEnd, PoolError> {
        for slot in 0..self.slots {
            self.observers.tell(&Event::WorkerSpawned { worker: self.worker(slot), at: since(self.epoch_ns) });
        }
        let (spec, entry) = (job.spec.clone(), job.entry);
        let queue = WorkQueue::new(job, self.slots, self.window, &self.control);
        let host = procession_sys::hostname();
        let used = Mutex::new(vec![ThreadUsage::default(); self.slots as usize]);
        let work = |slot: u32| {
            let work = || self.work(slot, &spec, entry, &queue, &host);
            // Without the results of the chunk that panicked the other threads
            // would wait for ever.
            let ran = catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| Err(what_panicked(&*panic)));
            // An error on one thread ends the others.
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
        let before = procession_sys::thread_usage();
        let worker = self.worker(slot);
        let mut task = match entry {
            Some(entry) => prepare(entry, spec.arguments.first().map_or(&[][..], Vec::as_slice))?,
            None => (self.make)(spec, Identity::new(worker.pid, host, slot))?,
        };
        task.prepare(&mut |text| {
            let (text, at) = (escape_terminal(text.as_bytes()), since(self.epoch_ns));
            self.observers.tell(&Event::Note { worker, text, is_warning: false, at });
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
        let mut used = thread.run(&mut *task)?;
        // The programs of the task end with it.
        drop(task);
        used.cpu = procession_sys::thread_usage().since(before);
        Ok(used)
    }

    fn tell_exits(&self, all: Vec<ThreadUsage>) {
        // A thread that ended early has waited for the others since then.
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
