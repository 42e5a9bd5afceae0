//! A worker's serving loop: hello, then chunks and answers, then farewell.

use super::frame_reader::FrameReader;
use super::frame_writer::FrameWriter;
use super::host::PipeHost;
use super::role::Role;
use super::watchdog_state::{RunningChunk, WatchdogState};
use procession_sys::{Protocol, SetupError};
use procession_task::{Again, Block, BlockTask, Draft, Host as _, Identity, JobLimits, JobSpec, Reply, TaskInfo};
use procession_wire::{ChunkHead, FromWorker, Hello, JobMessage, PROTOCOL, ToWorker};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// Makes the task of a job, or says why it can't be made.
pub(crate) type MakeTask<'a> = dyn Fn(&JobSpec, Identity) -> Result<Box<dyn BlockTask>, String> + 'a;

/// Why a worker could not serve to a regular end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    /// The process could not be made a worker.
    #[error("cannot become a worker: {0}")]
    Setup(#[from] SetupError),
    /// The initializer has failed.
    #[error("{0}")]
    SetUp(String),
    /// The coordinator violated the protocol.
    #[error("the coordinator broke the protocol: {0}")]
    Protocol(#[from] procession_wire::WireError),
    /// The pipe failed.
    #[error("the pipe to the coordinator failed: {0}")]
    Pipe(#[from] io::Error),
}

/// Serves a coordinator until it asks for the end, or is gone. To be called first
/// thing in `main`, before any thread is started. The hello is sent after `set_up`
/// has succeeded.
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
    let state = Arc::new(WatchdogState::new(FrameWriter::new(output)));
    let mut host = PipeHost::new(Arc::clone(&state));
    host.say(&FromWorker::Hello(hello))?;
    host.flush()?;
    let (input, jobs) = (FrameReader::new(input), HashMap::new());
    Serving { host, state, input, jobs, memory_limit: None, identity, make }.run()
}

struct Serving<'a> {
    host: PipeHost,
    state: Arc<WatchdogState>,
    input: FrameReader,
    jobs: HashMap<u64, KnownJob>,
    /// The limit that is in force.
    memory_limit: Option<u64>,
    identity: Identity,
    make: &'a MakeTask<'a>,
}

/// A job that this worker has received.
struct KnownJob {
    task: Box<dyn BlockTask>,
    max_result: usize,
    epoch_ns: u64,
    limits: JobLimits,
    again: Again,
}

impl Serving<'_> {
    fn run(mut self) -> Result<(), ServeError> {
        loop {
            if !self.input.has_message()? {
                // Before waiting, everything that is finished is sent.
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
                let known = KnownJob {
                    task,
                    max_result: spec.max_result,
                    epoch_ns: job.epoch_ns,
                    limits: spec.limits,
                    again: spec.again(),
                };
                self.jobs.insert(job.job, known);
            }
            Err(message) => self.refuse(job.job, message)?,
        }
        Ok(())
    }

    fn make(&mut self, job: &JobSpec) -> Result<Box<dyn BlockTask>, String> {
        self.enforce_limits(&job.limits)?;
        let mut task = (self.make)(job, self.identity.clone())?;
        let host = &mut self.host;
        task.prepare(&mut |text| host.note(text))?;
        host.is_prepared();
        Ok(task)
    }

    /// Reports that this job can't be run here; the coordinator then ends this
    /// worker.
    fn refuse(&mut self, job: u64, message: String) -> Result<(), ServeError> {
        self.jobs.remove(&job);
        self.host.say(&FromWorker::Refused { job, message })?;
        Ok(self.host.flush()?)
    }

    /// Enforces the limits of a job, or returns why they can't be enforced.
    fn enforce_limits(&mut self, limits: &JobLimits) -> Result<(), String> {
        if limits.timeout.is_some() {
            self.host.watch().map_err(|e| format!("no thread to watch the time limit: {e}"))?;
        }
        if self.memory_limit != limits.memory_limit {
            self.state.name_item_on_out_of_memory();
            procession_sys::limit_memory(limits.memory_limit)
                .map_err(|e| format!("the memory limit can't be kept: {e}"))?;
            self.memory_limit = limits.memory_limit;
        }
        Ok(())
    }

    fn run_chunk(&mut self, head: &ChunkHead, bytes: std::ops::Range<usize>) -> Result<(), ServeError> {
        // The job was refused, and the coordinator is about to end this worker.
        let Some(known) = self.jobs.get_mut(&head.job) else { return Ok(()) };
        let KnownJob { max_result, epoch_ns, limits, again, .. } = *known;
        self.host.begin(RunningChunk { attempt: head.attempt, first: head.first, answered: 0, epoch_ns, limits });
        let block = Block {
            first: head.first,
            items: head.items,
            chunk: head.chunk,
            attempt: head.tries,
            log: head.log,
            bytes: self.input.bytes(bytes),
        };
        // The watchdog or the allocator may have to name the running item.
        if limits.are_any() {
            self.state.ask_for_last_lines(known.task.last_lines());
            let mut reply = Reply::shared(&mut self.host, &self.state.draft, head.each, max_result).trying(again);
            let ran = known.task.run(&block, &mut reply);
            reply.finish();
            self.host.end(&Draft::lock(&self.state.draft).answer)?;
            return ran.or_else(|message| self.refuse(head.job, message));
        }
        // No other thread uses the draft: it is locked throughout.
        let mut draft = Draft::lock(&self.state.draft);
        let mut reply = Reply::new(&mut self.host, &mut draft.answer, head.each, max_result).trying(again);
        let ran = known.task.run(&block, &mut reply);
        reply.finish();
        self.host.end(&draft.answer)?;
        drop(draft);
        ran.or_else(|message| self.refuse(head.job, message))
    }
}
