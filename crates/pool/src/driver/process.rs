//! The driver's state of one worker.

use super::inbox::Inbox;
use super::outbox::Outbox;
use crate::observe::{Event, Exit, WorkerRef};
use bytes::Bytes;
use procession_scheduler::{AttemptId, ChunkId, Fault, JobId, Slot};
use procession_sys::{Ended, Signal, Spawned};
use procession_task::JobLimits;
use procession_wire::{Farewell, OUT_OF_MEMORY_STATUS, TIMED_OUT_STATUS, ToWorker, WireError};
use std::collections::{BTreeSet, VecDeque};
use std::io::Read;
use std::time::Duration;

/// How much of the end of a worker's standard error is kept, in bytes.
const STDERR_TAIL_BYTES: usize = 4096;
/// Bytes that are read from a worker's standard error at a time.
const STDERR_ROOM: usize = 16 << 10;

pub(super) struct Process {
    pub(super) who: WorkerRef,
    pub(super) child: Spawned,
    pub(super) phase: ProtocolState,
    pub(super) inbox: Inbox,
    pub(super) assigned: Assignment,
    pub(super) stdout: StreamStatus,
    pub(super) stderr: StreamStatus,
    /// Why the driver ended it, if it did.
    pub(super) ended_by_us: Option<String>,
    pub(super) stderr_tail: Vec<u8>,
    /// The last lines that the program of its item wrote, if it ended within the item.
    pub(super) last_lines: String,
    pub(super) items: u64,
    pub(super) chunks: u64,
    /// The item that it has named as the one that ends it.
    pub(super) named: Option<NamedItem>,
}

/// A worker whose process is still to be spawned.
pub(super) struct PendingWorker {
    pub(super) slot: Slot,
    pub(super) assigned: Assignment,
}

/// What a worker was sent, whether its process exists already or not.
pub(super) struct Assignment {
    pub(super) outbox: Outbox,
    /// Attempts that it has not answered, oldest first.
    pub(super) attempts: VecDeque<SentAttempt>,
    /// The jobs that it knows: before a chunk of another job the job itself has to
    /// be sent.
    pub(super) jobs: BTreeSet<JobId>,
    /// Limits of these jobs, because of which it may end.
    pub(super) limits: JobLimits,
    /// The run's start on the host's clock as of the worker's spawn, which is sent
    /// with each job; it learns of later pauses by signals.
    pub(super) epoch_ns: u64,
    /// Whether the pool asked it to end.
    pub(super) asked: bool,
}

/// The state of the protocol with a worker.
pub(super) enum ProtocolState {
    /// The worker has not sent its hello.
    Silent,
    /// The worker takes chunks.
    Ready,
    /// The worker has sent its farewell, and when that was read.
    Done(Farewell, Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StreamStatus {
    Open,
    Closed,
}

/// An attempt that has not been answered in full.
pub(super) struct SentAttempt {
    pub(super) id: AttemptId,
    pub(super) job: JobId,
    pub(super) chunk: ChunkId,
    /// Where its items begin in the chunk's block.
    pub(super) at: usize,
    /// Index in the input of the first of its items.
    pub(super) first: u64,
    /// Whether the worker answers after each item: then the first that is not answered
    /// is the one that runs.
    pub(super) each: bool,
    /// Index in the input of the first of its items that is not answered.
    pub(super) next: u64,
    /// How many of its items are not answered.
    pub(super) left: u32,
    /// How many times these items were sent, this time included.
    pub(super) tries: u32,
    /// How often its worker may still run an item again; `None`: without limit.
    pub(super) agains: Option<u64>,
    pub(super) sent_at: Duration,
}

/// What is kept of a worker that died, to tell what its items died of.
pub(super) struct Death {
    pub(super) who: WorkerRef,
    pub(super) cause: String,
    pub(super) last_lines: String,
    pub(super) exit: Exit,
    pub(super) fault: Fault,
    pub(super) attempts: VecDeque<SentAttempt>,
    /// The item that the worker has named as the one that ends it.
    pub(super) named: Option<NamedItem>,
    /// The index of the item that was charged with the death, if one was.
    pub(super) charged: Option<u64>,
}

/// The item that a worker names as the one that ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NamedItem {
    /// Its index in the input.
    pub(super) index: u64,
    /// Why it ends the worker.
    pub(super) fault: Fault,
}

impl Assignment {
    pub(super) fn new(epoch_ns: u64) -> Self {
        let (outbox, attempts, jobs) = (Outbox::default(), VecDeque::new(), BTreeSet::new());
        Self { outbox, attempts, jobs, limits: JobLimits::default(), epoch_ns, asked: false }
    }

    /// Queues a message.
    pub(super) fn say(&mut self, message: &ToWorker, block: &Bytes) -> Result<(), WireError> {
        self.outbox.push(message, block)
    }
}

impl SentAttempt {
    /// The event for observers.
    pub(super) fn sent_to(&self, worker: WorkerRef) -> Event {
        let (chunk, attempt) = (self.chunk.0, self.tries);
        Event::ChunkSent { worker, chunk, first: self.next, items: self.left, attempt, at: self.sent_at }
    }
}

impl Process {
    pub(super) fn new(who: WorkerRef, child: Spawned, assigned: Assignment) -> Self {
        Self {
            who,
            child,
            phase: ProtocolState::Silent,
            inbox: Inbox::default(),
            assigned,
            stdout: StreamStatus::Open,
            stderr: StreamStatus::Open,
            ended_by_us: None,
            stderr_tail: Vec::new(),
            last_lines: String::new(),
            named: None,
            items: 0,
            chunks: 0,
        }
    }

    /// Writes what the pipe takes; `false` if the worker has closed it. The worker
    /// is then about to exit, and its exit, not the pipe's error, is reported.
    pub(super) fn write(&mut self) -> bool {
        let reads = self.assigned.outbox.write_to(&self.child.stdin).is_ok();
        if !reads {
            self.assigned.outbox.clear();
        }
        reads
    }

    /// Kills it for a reason of the driver's.
    pub(super) fn end(&mut self, reason: &str) {
        if self.ended_by_us.is_none() && !matches!(self.phase, ProtocolState::Done(..)) {
            self.ended_by_us = Some(reason.to_owned());
        }
        self.child.signal_group(Signal::SIGKILL);
    }

    /// Kills it because of a message. Nothing more is read from it: the rest might
    /// look like valid frames.
    pub(super) fn refuse(&mut self, why: &str) {
        self.stdout = StreamStatus::Closed;
        self.end(why);
    }

    /// As [`Self::refuse`], for a violation of the protocol.
    pub(super) fn broke_protocol(&mut self, what: impl std::fmt::Display) {
        self.refuse(&format!("its process broke the protocol: {what}"));
    }

    /// How it ended, in a text that is the same whenever the same thing happens.
    pub(super) fn cause(&self, exit: Exit) -> String {
        let torn = !self.inbox.unread().is_empty() && self.ended_by_us.is_none() && matches!(exit, Exit::Status(_));
        cause(exit, self.ended_by_us.as_deref(), self.assigned.limits)
            + if torn { " in the middle of a message" } else { "" }
    }

    /// Reads once from its standard error; `None` when there is nothing.
    pub(super) fn read_stderr(&mut self) -> Option<Bytes> {
        let mut buffer = [0; STDERR_ROOM];
        loop {
            let pipe = self.child.stderr.as_mut();
            return match pipe.map_or(Ok(0), |pipe| pipe.read(&mut buffer)) {
                Ok(0) => {
                    self.stderr = StreamStatus::Closed;
                    None
                }
                Ok(n) => {
                    self.remember(&buffer[..n]);
                    Some(Bytes::copy_from_slice(&buffer[..n]))
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => None,
                Err(_) => {
                    self.stderr = StreamStatus::Closed;
                    None
                }
            };
        }
    }

    fn remember(&mut self, bytes: &[u8]) {
        self.stderr_tail.extend_from_slice(bytes);
        let excess = self.stderr_tail.len().saturating_sub(STDERR_TAIL_BYTES);
        self.stderr_tail.drain(..excess);
    }
}

fn cause(exit: Exit, ended_by_us: Option<&str>, limits: JobLimits) -> String {
    match (ended_by_us, exit) {
        (Some(reason), _) => reason.to_owned(),
        (None, exit) if is_out_of_memory(limits, exit) => "its process wanted more memory than it may have".to_owned(),
        (None, Exit::Status(TIMED_OUT_STATUS)) if limits.timeout.is_some() => {
            "its process ended because an item ran for too long".to_owned()
        }
        (None, Exit::Status(status)) => format!("its process exited with status {status}"),
        (None, Exit::Signal(signal)) => match Signal::try_from(signal) {
            Ok(Signal::SIGKILL) => "its process was killed by SIGKILL (out of memory?)".to_owned(),
            Ok(known) => format!("its process was killed by {}", known.as_str()),
            Err(_) => format!("its process was killed by signal {signal}"),
        },
    }
}

/// Whether this exit status tells that a worker with these limits was refused
/// memory.
pub(super) fn is_out_of_memory(limits: JobLimits, exit: Exit) -> bool {
    limits.memory_limit.is_some() && exit == Exit::Status(OUT_OF_MEMORY_STATUS)
}

pub(super) fn exit(ended: Ended) -> Exit {
    match ended {
        Ended::Status(status) => Exit::Status(status),
        Ended::Signal(signal) => Exit::Signal(signal),
        Ended::Unknown => Exit::Status(-1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_sys::PollSet;

    fn process(script: &str) -> Process {
        let args = ["-c".into(), script.into()];
        let child = Spawned::start("/bin/sh".as_ref(), &args, &[]).unwrap();
        Process::new(WorkerRef { slot: 0, nth: 0, pid: child.pid() }, child, Assignment::new(0))
    }

    fn wait(fd: std::os::fd::BorrowedFd<'_>) {
        let mut set = PollSet::default();
        set.add(fd, 0, false);
        set.wait(None).unwrap();
    }

    #[test]
    fn a_death_is_told_and_not_the_pipe_that_broke_with_it() {
        let mut process = process("exit 3");
        wait(process.child.exit_fd());
        process.assigned.say(&ToWorker::Ping, &Bytes::new()).unwrap();
        assert!(!process.write());
        assert!(process.assigned.outbox.is_empty());
        let (ended, _) = process.child.try_reap().unwrap();
        assert_eq!(process.cause(exit(ended)), "its process exited with status 3");
        process.inbox.read_from(&b"\xA9pw"[..]).unwrap();
        assert_eq!(process.cause(exit(ended)), "its process exited with status 3 in the middle of a message");
        let killed = process.cause(Exit::Signal(9));
        assert!(!killed.contains("message"), "who is killed is so anywhere: {killed}");
    }
}
