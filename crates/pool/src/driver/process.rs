//! One worker's process, as the driver holds it.

use super::inbox::Inbox;
use super::outbox::Outbox;
use crate::observe::{Event, Exit, WorkerRef};
use bytes::Bytes;
use procession_scheduler::{AttemptId, ChunkId, JobId, Slot};
use procession_sys::{Ended, Signal, Spawned};
use procession_task::JobLimits;
use procession_wire::{Farewell, OUT_OF_MEMORY_STATUS, TIMED_OUT_STATUS, ToWorker, WireError};
use std::collections::{BTreeSet, VecDeque};
use std::io::Read;
use std::time::Duration;

/// How much of a worker's last words is kept, in bytes.
const STDERR_TAIL_BYTES: usize = 4096;
/// How much is read of a worker's errors at a time.
const STDERR_ROOM: usize = 16 << 10;

pub(super) struct Process {
    pub(super) who: WorkerRef,
    pub(super) child: Spawned,
    pub(super) phase: ProtocolState,
    pub(super) inbox: Inbox,
    pub(super) assigned: Assignment,
    pub(super) stdout: PipeState,
    pub(super) stderr: PipeState,
    /// Why we ended it, if we did.
    pub(super) ended_by_us: Option<String>,
    pub(super) stderr_tail: Vec<u8>,
    pub(super) items: u64,
    pub(super) chunks: u64,
}

/// A worker without a process.
pub(super) struct PendingWorker {
    pub(super) slot: Slot,
    pub(super) assigned: Assignment,
}

/// What a worker was told, whether its process exists already or not.
pub(super) struct Assignment {
    pub(super) outbox: Outbox,
    /// What it was sent and has not answered, oldest first.
    pub(super) attempts: VecDeque<SentAttempt>,
    /// The jobs it was told of and not to forget: chunks of another need its message first.
    pub(super) jobs: BTreeSet<JobId>,
    /// Limits that it was told to keep, and so may end because of.
    pub(super) limits: JobLimits,
    /// The run's start on the host's clock when it was asked for, which is what
    /// it is told; of later pauses it learns by signals.
    pub(super) epoch_ns: u64,
    /// The pool asked for its end.
    pub(super) asked: bool,
}

/// How far the conversation has come.
pub(super) enum ProtocolState {
    /// It has not said hello.
    Silent,
    /// It works.
    Ready,
    /// It has said farewell, and when that was heard.
    Done(Farewell, Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PipeState {
    Open,
    Closed,
}

/// A dispatch that has not been answered in full.
pub(super) struct SentAttempt {
    pub(super) id: AttemptId,
    pub(super) job: JobId,
    pub(super) chunk: ChunkId,
    /// Where its items begin in the chunk's block.
    pub(super) at: usize,
    /// Index in the input of the first of its items that is not answered.
    pub(super) next: u64,
    /// How many of its items are not answered.
    pub(super) left: u32,
    /// How many times these items were sent, this time included.
    pub(super) tries: u32,
    /// How often its worker may still say that it runs an item once more;
    /// `None`: as often as it likes.
    pub(super) agains: Option<u64>,
    pub(super) sent_at: Duration,
}

/// What is remembered of a worker that died, to say what its items died of.
pub(super) struct Death {
    pub(super) who: WorkerRef,
    pub(super) cause: String,
    pub(super) exit: Exit,
    pub(super) attempts: VecDeque<SentAttempt>,
}

impl Assignment {
    pub(super) fn new(epoch_ns: u64) -> Self {
        let (outbox, attempts, jobs) = (Outbox::default(), VecDeque::new(), BTreeSet::new());
        Self { outbox, attempts, jobs, limits: JobLimits::default(), epoch_ns, asked: false }
    }

    /// Puts a message on its way.
    pub(super) fn say(&mut self, message: &ToWorker, block: &Bytes) -> Result<(), WireError> {
        self.outbox.push(message, block)
    }
}

impl SentAttempt {
    /// What observers hear of it.
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
            stdout: PipeState::Open,
            stderr: PipeState::Open,
            ended_by_us: None,
            stderr_tail: Vec::new(),
            items: 0,
            chunks: 0,
        }
    }

    /// Writes what the pipe takes; `false` if it no longer reads. Then it is
    /// dead or as good as dead, and its death, not the pipe, is to be reported.
    pub(super) fn write(&mut self) -> bool {
        let reads = self.assigned.outbox.write_to(&self.child.stdin).is_ok();
        if !reads {
            self.assigned.outbox.clear();
        }
        reads
    }

    /// Kills it, for a reason of ours.
    pub(super) fn end(&mut self, reason: &str) {
        if self.ended_by_us.is_none() && !matches!(self.phase, ProtocolState::Done(..)) {
            self.ended_by_us = Some(reason.to_owned());
        }
        self.child.signal_group(Signal::SIGKILL);
    }

    /// Ends it because of what it said; nothing more of it is heard, or the
    /// rest might be taken for sense.
    pub(super) fn refuse(&mut self, why: &str) {
        self.stdout = PipeState::Closed;
        self.end(why);
    }

    /// As [`Self::refuse`], for what no worker may say.
    pub(super) fn broke_protocol(&mut self, what: impl std::fmt::Display) {
        self.refuse(&format!("its process broke the protocol: {what}"));
    }

    /// How it ended, in words that are the same whenever the same thing happens.
    pub(super) fn cause(&self, exit: Exit) -> String {
        let torn = !self.inbox.unread().is_empty() && self.ended_by_us.is_none() && matches!(exit, Exit::Status(_));
        cause(exit, self.ended_by_us.as_deref(), self.assigned.limits)
            + if torn { " in the middle of a message" } else { "" }
    }

    /// Reads once what it says to people; `None` when there is nothing.
    pub(super) fn read_stderr(&mut self) -> Option<Bytes> {
        let mut buffer = [0; STDERR_ROOM];
        loop {
            let pipe = self.child.stderr.as_mut();
            return match pipe.map_or(Ok(0), |pipe| pipe.read(&mut buffer)) {
                Ok(0) => {
                    self.stderr = PipeState::Closed;
                    None
                }
                Ok(n) => {
                    self.remember(&buffer[..n]);
                    Some(Bytes::copy_from_slice(&buffer[..n]))
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => None,
                Err(_) => {
                    self.stderr = PipeState::Closed;
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

/// Whether a worker with these limits says by its status that it was refused memory.
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
    use procession_sys::{PollSet, Spawn};

    fn process(script: &str) -> Process {
        let args = vec!["-c".into(), script.into()];
        let child = Spawned::start(&Spawn::leader("/bin/sh", args)).unwrap();
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
