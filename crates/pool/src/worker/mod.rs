//! What a worker's process runs: hello, then chunks and answers, then farewell.
//!
//! The coordinator starts the program with [`ARGUMENT`] first; a program that
//! wants to be a worker looks for it first thing in `main`.

mod estate;
mod host;
mod input;
mod outlet;
mod tasks;
mod watchdog;

use estate::{Dispatch, Estate};
use host::PipeHost;
use input::Input;
use outlet::Outlet;
use procession_sys::{Protocol, SetupError};
use procession_task::builtin::TaskEntry;
use procession_task::{
    Again, Block, BlockTask, Draft, Host as _, Identity, JobLimits, JobSpec, Reply, TaskInfo, TextOptions,
};
use procession_wire::{ChunkHead, FromWorker, Hello, JobMessage, PROTOCOL, ToWorker};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::sync::Arc;

/// An allocator by which a worker can name the item that wants more memory than
/// `--memory-limit` allows; to be installed by a worker's program as its
/// `#[global_allocator]`. Without it such an item is found as one that crashes
/// its process.
pub use procession_sys::WorkerAllocator;
pub use procession_task::{Items, ParamSpec, Params};
pub use tasks::{Tasks, serve};

/// The first argument of a program that is to be a worker; the coordinator's
/// process id and the worker's slot follow.
pub const ARGUMENT: &str = "procession-worker";

/// The arguments with which a worker is started.
pub(crate) fn arguments(slot: u32) -> Vec<OsString> {
    let pid = std::process::id().to_string();
    vec![ARGUMENT.into(), pid.into(), slot.to_string().into()]
}

/// What a program was started for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Role {
    /// The coordinator's process id.
    pub coordinator: u32,
    /// The place in the pool, from 0.
    pub slot: u32,
}

impl Role {
    /// Reads a program's arguments, its own name left out; `None` if it was not
    /// started by a coordinator.
    pub fn from_args(mut args: impl Iterator<Item = OsString>) -> Option<Self> {
        if args.next()? != ARGUMENT {
            return None;
        }
        let mut number = || args.next()?.to_str()?.parse().ok();
        Some(Self { coordinator: number()?, slot: number()? })
    }
}

/// Makes the task of a job, or says why it can't be made.
pub(crate) type MakeTask<'a> = dyn Fn(&JobSpec, Identity) -> Result<Box<dyn BlockTask>, String> + 'a;

/// Makes the tasks of a list; its error is that there is no such task, or that it
/// does not take these settings.
pub fn listed(
    list: &'static [&'static TaskEntry],
) -> impl Fn(&JobSpec, Identity) -> Result<Box<dyn BlockTask>, String> + Copy + Send + Sync {
    move |job, identity| {
        let entry = list.iter().find(|entry| entry.name == job.task);
        let entry = entry.ok_or_else(|| format!("unknown task '{}'", job.task))?;
        let options = TextOptions { items: job.items, format: job.format, show: job.show, identity };
        entry.task(&job.params, &job.arguments, options).map_err(|e| e.to_string())
    }
}

/// Why a worker could not serve to a good end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// The process could not be made a worker.
    #[error("cannot become a worker: {0}")]
    Setup(#[from] SetupError),
    /// What was to be done first has failed.
    #[error("{0}")]
    SetUp(String),
    /// The coordinator can't be understood.
    #[error("the coordinator broke the protocol: {0}")]
    Protocol(#[from] procession_wire::WireError),
    /// The pipe failed.
    #[error("the pipe to the coordinator failed: {0}")]
    Pipe(#[from] io::Error),
}

/// Serves a coordinator until it says that no more will come, or is gone; first
/// thing in `main`, before any thread is started. It is told that this worker is
/// there once that is set up.
pub(crate) fn serve_role(
    role: Role,
    tasks: Vec<TaskInfo>,
    make: &MakeTask<'_>,
    set_up: impl FnOnce() -> Result<(), String>,
) -> Result<(), ServeError> {
    let Protocol { input, output } = procession_sys::enter_worker(role.coordinator)?;
    set_up().map_err(ServeError::SetUp)?;
    let name = procession_sys::hostname();
    let hello = Hello {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        host: name.clone(),
        tasks,
    };
    let identity = Identity::new(hello.pid, &name, role.slot);
    let estate = Arc::new(Estate::new(Outlet::new(output)));
    let mut host = PipeHost::new(Arc::clone(&estate));
    host.say(&FromWorker::Hello(hello))?;
    host.flush()?;
    let (input, jobs) = (Input::new(input), HashMap::new());
    Serving { host, estate, input, jobs, memory_limit: None, identity, make }.run()
}

struct Serving<'a> {
    host: PipeHost,
    estate: Arc<Estate>,
    input: Input,
    jobs: HashMap<u64, Known>,
    /// The limit that is in force.
    memory_limit: Option<u64>,
    identity: Identity,
    make: &'a MakeTask<'a>,
}

/// A job that this worker was told of.
struct Known {
    task: Box<dyn BlockTask>,
    max_result: usize,
    epoch_ns: u64,
    timeout_ns: Option<u64>,
    again: Again,
    /// Whether somebody may have to name the item that runs.
    is_watched: bool,
}

impl Serving<'_> {
    fn run(mut self) -> Result<(), ServeError> {
        loop {
            if !self.input.has_message()? {
                // About to wait: nothing that is finished may wait as well.
                self.host.flush()?;
                if !self.host.wait(&mut self.input)? {
                    return Ok(());
                }
                continue;
            }
            let (message, block) = self.input.take()?;
            match message {
                ToWorker::Job(job) => self.learn(&job)?,
                ToWorker::Chunk(head) => self.run_chunk(&head, block)?,
                ToWorker::Forget { job } => drop(self.jobs.remove(&job)),
                ToWorker::Ping => {
                    self.host.say(&FromWorker::Alive)?;
                    self.host.flush()?;
                }
                ToWorker::Finish => {
                    let farewell = self.host.farewell();
                    self.host.say(&FromWorker::Farewell(farewell))?;
                    return Ok(self.host.flush()?);
                }
            }
        }
    }

    fn learn(&mut self, job: &JobMessage) -> Result<(), ServeError> {
        let spec = &job.spec;
        match self.make(spec) {
            Ok(task) => {
                let known = Known {
                    task,
                    max_result: spec.max_result,
                    epoch_ns: job.epoch_ns,
                    timeout_ns: spec
                        .limits
                        .timeout
                        .map(|timeout| u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX)),
                    again: spec.again(),
                    is_watched: spec.limits.are_any(),
                };
                self.jobs.insert(job.job, known);
            }
            Err(message) => self.refuse(job.job, message)?,
        }
        Ok(())
    }

    fn make(&mut self, job: &JobSpec) -> Result<Box<dyn BlockTask>, String> {
        self.keep_limits(&job.limits)?;
        let mut task = (self.make)(job, self.identity.clone())?;
        let host = &mut self.host;
        task.prepare(&mut |text| host.note(text))?;
        host.is_prepared();
        Ok(task)
    }

    /// Nothing of this job can be run here, now or any more: the coordinator
    /// will end us.
    fn refuse(&mut self, job: u64, message: String) -> Result<(), ServeError> {
        self.jobs.remove(&job);
        self.host.say(&FromWorker::Refused { job, message })?;
        Ok(self.host.flush()?)
    }

    /// Sees to it that the limits of a job are kept; says why they can't be.
    fn keep_limits(&mut self, limits: &JobLimits) -> Result<(), String> {
        if limits.timeout.is_some() {
            self.host.watch().map_err(|e| format!("no thread to watch the time limit: {e}"))?;
        }
        if self.memory_limit != limits.memory_limit {
            self.estate.name_who_wants_too_much();
            procession_sys::limit_memory(limits.memory_limit)
                .map_err(|e| format!("the memory limit can't be kept: {e}"))?;
            self.memory_limit = limits.memory_limit;
        }
        Ok(())
    }

    fn run_chunk(&mut self, head: &ChunkHead, bytes: std::ops::Range<usize>) -> Result<(), ServeError> {
        // A job that was refused: the coordinator knows, and will end us.
        let Some(known) = self.jobs.get_mut(&head.job) else { return Ok(()) };
        let Known { max_result, epoch_ns, timeout_ns, again, is_watched, .. } = *known;
        self.host.begin(Dispatch { attempt: head.attempt, first: head.first, epoch_ns, timeout_ns });
        let block = Block {
            first: head.first,
            items: head.items,
            chunk: head.chunk,
            attempt: head.tries,
            log: head.log,
            bytes: self.input.bytes(bytes),
        };
        if is_watched {
            let mut reply = Reply::shared(&mut self.host, &self.estate.draft, head.each, max_result).trying(again);
            let ran = known.task.run(&block, &mut reply);
            reply.finish();
            self.host.end(&Draft::lock(&self.estate.draft).answer)?;
            return ran.or_else(|message| self.refuse(head.job, message));
        }
        // Nobody else looks: the draft is held throughout.
        let mut draft = Draft::lock(&self.estate.draft);
        let mut reply = Reply::new(&mut self.host, &mut draft.answer, head.each, max_result).trying(again);
        let ran = known.task.run(&block, &mut reply);
        reply.finish();
        self.host.end(&draft.answer)?;
        drop(draft);
        ran.or_else(|message| self.refuse(head.job, message))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_read_from_arguments() {
        let role = Role::from_args(arguments(3).into_iter());
        assert_eq!(role, Some(Role { coordinator: std::process::id(), slot: 3 }));
        for args in [&[][..], &["--help"], &[ARGUMENT], &[ARGUMENT, "x", "1"], &[ARGUMENT, "1"]] {
            assert_eq!(Role::from_args(args.iter().map(OsString::from)), None, "{args:?}");
        }
    }
}
