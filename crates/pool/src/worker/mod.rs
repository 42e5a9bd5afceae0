//! What a worker's process runs: hello, then chunks and answers, then farewell.
//!
//! The coordinator starts the program with [`ARGUMENT`] first; a program that
//! wants to be a worker looks for it first thing in `main`.

mod host;
mod input;

use host::PipeHost;
use input::Input;
use procession_sys::{Protocol, SetupError};
use procession_task::builtin::find;
use procession_task::{Answer, Block, BlockTask, Identity, Reply, TextOptions};
use procession_wire::{ChunkHead, FromWorker, Hello, Job, PROTOCOL, ToWorker};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io;

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
pub type MakeTask<'a> = dyn Fn(&Job, Identity) -> Result<Box<dyn BlockTask>, String> + 'a;

/// Makes the built-in tasks.
///
/// # Errors
/// There is no such task, or it does not take these settings.
pub fn builtin(job: &Job, identity: Identity) -> Result<Box<dyn BlockTask>, String> {
    let entry = find(&job.task).ok_or_else(|| format!("unknown task '{}'", job.task))?;
    let options = TextOptions { items: job.items, format: job.format, show: job.show, identity };
    entry.task(&job.params, options).map_err(|e| e.to_string())
}

/// Why a worker could not serve to a good end.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The process could not be made a worker.
    #[error("cannot become a worker: {0}")]
    Setup(#[from] SetupError),
    /// The coordinator can't be understood.
    #[error("the coordinator broke the protocol: {0}")]
    Protocol(#[from] procession_wire::WireError),
    /// What it said makes no sense here.
    #[error("the coordinator broke the protocol: {0}")]
    Nonsense(String),
    /// The pipe failed.
    #[error("the pipe to the coordinator failed: {0}")]
    Pipe(#[from] io::Error),
}

/// Serves a coordinator until it says that no more will come, or is gone.
/// Call it first thing in `main`, before any thread is started.
///
/// # Errors
/// A process that can't be made a worker, or a coordinator that can't be understood.
pub fn serve(role: Role, tasks: &[&str], make: &MakeTask<'_>) -> Result<(), ServeError> {
    let Protocol { input, output } = procession_sys::enter_worker(role.coordinator)?;
    let name = procession_sys::hostname();
    let hello = Hello {
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        host: name.clone(),
        tasks: tasks.iter().map(|&task| task.to_owned()).collect(),
    };
    let identity = Identity::new(hello.pid, &name, role.slot);
    let mut host = PipeHost::new(output);
    host.say(&FromWorker::Hello(hello), &[])?;
    host.flush()?;
    Serving { host, input: Input::new(input), jobs: HashMap::new(), answer: Answer::default(), identity, make }.run()
}

struct Serving<'a> {
    host: PipeHost,
    input: Input,
    jobs: HashMap<u64, Known>,
    answer: Answer,
    identity: Identity,
    make: &'a MakeTask<'a>,
}

/// A job that this worker was told of.
struct Known {
    task: Box<dyn BlockTask>,
    max_result: usize,
    epoch_ns: u64,
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
                ToWorker::Ping => {
                    self.host.say(&FromWorker::Alive, &[])?;
                    self.host.flush()?;
                }
                ToWorker::Finish => {
                    let farewell = self.host.farewell();
                    self.host.say(&FromWorker::Farewell(farewell), &[])?;
                    return Ok(self.host.flush()?);
                }
            }
        }
    }

    fn learn(&mut self, job: &Job) -> Result<(), ServeError> {
        match (self.make)(job, self.identity.clone()) {
            Ok(task) => {
                let max_result = usize::try_from(job.max_result).unwrap_or(usize::MAX);
                self.jobs.insert(job.job, Known { task, max_result, epoch_ns: job.epoch_ns });
            }
            Err(message) => {
                self.host.say(&FromWorker::Refused { job: job.job, message }, &[])?;
                self.host.flush()?;
            }
        }
        Ok(())
    }

    fn run_chunk(&mut self, head: &ChunkHead, bytes: std::ops::Range<usize>) -> Result<(), ServeError> {
        // A job that was refused: the coordinator knows, and will end us.
        let Some(known) = self.jobs.get_mut(&head.job) else { return Ok(()) };
        self.host.begin(head.attempt, known.epoch_ns);
        let block = Block {
            first: head.first,
            items: head.items,
            chunk: head.chunk,
            attempt: head.tries,
            log: head.log,
            bytes: self.input.bytes(bytes),
        };
        let mut reply = Reply::new(&mut self.host, &mut self.answer, head.each, known.max_result);
        let ran = known.task.run(&block, &mut reply);
        reply.finish();
        ran.map_err(ServeError::Nonsense)?;
        self.host.end(&self.answer)?;
        Ok(())
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
