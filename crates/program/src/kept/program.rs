//! A program that runs: what it is sent, what it says, and its end.
//!
//! Both pipes may be full at once, so nothing here waits for one of them: a
//! write takes what fits, a read what there is, and one wait is for both and
//! for the program's end. After that its pipes are drained ([`Drain`]).

use super::errors::{self, Errors};
use super::lines::{Line, Lines};
use super::suspicion::{is_occupied, waits_for_input};
use crate::drain::{Drain, Progress, ReadEnd, Stream, nanos};
use procession_sys::{Ended, Place, PollSet, Signal, Spawn, Spawned, running_ns};
use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::time::Duration;

/// A program that is to end has so long to do it by itself.
const GRACE: Duration = Duration::from_millis(500);

/// A program that has answered all has so long to wait for more input; after one
/// that did not make it in time, others are given less.
const SETTLING: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(1)];

/// And so much longer while it can be seen to compute or to sleep.
const OCCUPIED: Duration = Duration::from_secs(30);

/// What is written at a time is about so long; more waits in the items.
const OUTGOING_BYTES: usize = 64 * 1024;

/// What to start.
#[derive(Clone, Debug)]
pub(crate) struct Launch {
    /// What it is called in messages.
    pub(crate) name: String,
    /// The program: a path, or a name that is looked up.
    pub(crate) program: OsString,
    /// Its arguments.
    pub(crate) args: Vec<OsString>,
    /// What is set in its environment.
    pub(crate) env: Vec<(OsString, OsString)>,
}

/// A program that runs. Let go of, it is ended.
#[derive(Debug)]
pub(super) struct Program {
    child: Spawned,
    /// What it is to be sent, and how much of that was.
    outgoing: Vec<u8>,
    sent: usize,
    lines: Lines,
    errors: Errors,
    life: Life,
    /// Whether it was seen to wait for input when it was last looked at.
    settles: bool,
    set: PollSet,
}

/// How much of the program is still there.
#[derive(Clone, Copy, Debug)]
enum Life {
    /// As far as is known, all of it.
    Whole,
    /// It reads no more, since then on this process's clock. It should end soon.
    Deaf { since_ns: u64 },
    /// The process has ended; its pipes are being drained.
    Over(Drain),
    /// All that it said was read.
    Drained {
        /// Or more may have been on its way.
        is_cut: bool,
    },
    /// It was reaped.
    Buried { ended: Ended, is_cut: bool },
}

const STDIN: u64 = 0;
const STDOUT: u64 = 1;
const EXIT: u64 = 2;

impl Program {
    /// Starts it.
    ///
    /// # Errors
    /// Why it can't be started, in a sentence.
    pub(super) fn start(launch: &Launch) -> Result<Self, String> {
        let Launch { name, program, args, env } = launch.clone();
        let spawn = Spawn { program: program.into(), args, env, place: Place::CallersGroup };
        let mut child = Spawned::start(&spawn).map_err(|error| {
            format!("{name}: {} {error}: is it installed, and can it be executed?", spawn.program.display())
        })?;
        let errors = match child.stderr.take().map(Errors::forward) {
            Some(Ok(errors)) => errors,
            Some(Err(error)) => return Err(format!("{name}: its errors can't be read: {error}")),
            None => Errors::Drained(None),
        };
        let (lines, set) = (Lines::new(usize::MAX), PollSet::default());
        Ok(Self { child, outgoing: Vec::new(), sent: 0, lines, errors, life: Life::Whole, settles: true, set })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// How long a line may be from now on.
    pub(super) fn limit_lines(&mut self, longest: usize) {
        self.lines.limit(longest);
    }

    /// Where to put what it is to be sent, unless it has enough of that.
    pub(super) fn outgoing(&mut self) -> Option<&mut Vec<u8>> {
        let waits = self.outgoing.len() - self.sent;
        if waits >= OUTGOING_BYTES {
            return None;
        }
        if self.sent >= OUTGOING_BYTES {
            self.outgoing.drain(..self.sent);
            self.sent = 0;
        }
        Some(&mut self.outgoing)
    }

    /// Whether it is to be sent something that is not in its pipe yet.
    pub(super) fn has_unsent(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// How much of what it was sent it has not read.
    pub(super) fn unread(&self) -> usize {
        let in_pipe = procession_sys::unread_bytes(&self.child.stdin).unwrap_or(usize::MAX);
        in_pipe.saturating_add(self.outgoing.len() - self.sent)
    }

    /// Sends as much as its pipe takes.
    pub(super) fn send(&mut self) {
        while !self.outgoing.is_empty() {
            match self.child.stdin.write(&self.outgoing[self.sent..]) {
                Ok(bytes) => self.sent += bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    // What it has read it may still answer.
                    if matches!(self.life, Life::Whole) {
                        self.life = Life::Deaf { since_ns: running_ns() };
                    }
                    self.sent = self.outgoing.len();
                }
            }
            if self.sent == self.outgoing.len() {
                self.outgoing.clear();
                self.outgoing.shrink_to(4 * OUTGOING_BYTES);
                self.sent = 0;
            }
        }
    }

    /// Waits until it can be sent more, says something, or ends; no longer than
    /// this. Sends and reads what it can then.
    pub(super) fn wait(&mut self, timeout: Option<Duration>) -> ReadEnd {
        let timeout = match self.life {
            Life::Whole => timeout,
            Life::Deaf { .. } => Some(timeout.map_or(GRACE, |timeout| timeout.min(GRACE))),
            Life::Over(_) | Life::Drained { .. } | Life::Buried { .. } => return self.read(),
        };
        self.poll(timeout);
        let is_ready = |key| self.set.ready().any(|ready| ready.key == key);
        let (writes, reads, is_over) = (is_ready(STDIN), is_ready(STDOUT), is_ready(EXIT));
        if writes {
            self.send();
        }
        if is_over {
            self.begin_drain();
        }
        if reads || is_over {
            return self.read();
        }
        match self.life {
            // It could have answered all this time.
            Life::Deaf { since_ns } if running_ns().saturating_sub(since_ns) >= nanos(GRACE) => ReadEnd::End,
            _ => ReadEnd::Nothing,
        }
    }

    /// The process has ended.
    fn begin_drain(&mut self) {
        self.errors.stop();
        self.life = Life::Over(Drain::begin());
    }

    /// Goes on to drain its pipes: waits for more, but not without a bound.
    fn drain(&mut self, mut drain: Drain) -> ReadEnd {
        let Self { child, lines, errors, set, .. } = self;
        let (mut heard, mut buffer) = (ReadEnd::Nothing, vec![0; errors::READ_BYTES]);
        let progress = drain.step(set, [Some(&child.stdout), errors.pipe()], |stream, pipe| {
            let read = match stream {
                Stream::Output => (lines.read(pipe), 0),
                Stream::Errors => errors::read(pipe, &mut buffer),
            };
            if (stream, read.0) == (Stream::Output, ReadEnd::Some) {
                heard = ReadEnd::Some;
            }
            Ok::<_, Infallible>(read)
        });
        let Ok(progress) = progress;
        self.life = match progress {
            Progress::Open => Life::Over(drain),
            Progress::Over { is_cut } => Life::Drained { is_cut },
        };
        match (heard, progress) {
            (ReadEnd::Some, _) => ReadEnd::Some,
            (_, Progress::Open) => ReadEnd::Nothing,
            (_, Progress::Over { .. }) => ReadEnd::End,
        }
    }

    /// Whether more of what it said may have been on its way when its pipes
    /// were given up.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self.life, Life::Drained { is_cut: true } | Life::Buried { is_cut: true, .. })
    }

    fn poll(&mut self, timeout: Option<Duration>) {
        self.set.clear();
        if !self.outgoing.is_empty() {
            self.set.add(self.child.stdin.as_fd(), STDIN, true);
        }
        self.set.add(self.child.stdout.as_fd(), STDOUT, false);
        self.set.add(self.child.exit_fd(), EXIT, false);
        // A wait that fails is one that is over: whoever called comes again.
        let _ = self.set.wait(timeout);
    }

    /// Reads what it has said, without waiting but for what comes after its end.
    pub(super) fn read(&mut self) -> ReadEnd {
        match self.life {
            Life::Whole | Life::Deaf { .. } => self.lines.read(&self.child.stdout),
            Life::Over(drain) => self.drain(drain),
            Life::Drained { .. } | Life::Buried { .. } => ReadEnd::End,
        }
    }

    /// Whether it has ended, though nothing was asked of it.
    pub(super) fn is_gone(&mut self) -> bool {
        self.poll(Some(Duration::ZERO));
        let is_ready = |key| self.set.ready().any(|ready| ready.key == key);
        let (reads, is_over) = (is_ready(STDOUT), is_ready(EXIT));
        if is_over && matches!(self.life, Life::Whole | Life::Deaf { .. }) {
            self.begin_drain();
        }
        while (reads || is_over) && !self.has_rest() {
            match self.read() {
                ReadEnd::End => return true,
                ReadEnd::Nothing if !is_over => return false,
                ReadEnd::Nothing | ReadEnd::Some => {}
            }
        }
        false
    }

    /// It has answered all that it was asked: waits until it waits for more, and
    /// so has said what it will say. A line too many that were still on its way
    /// would be taken for the next item's answer.
    ///
    /// No event tells that a process waits, so it is looked at, again and again,
    /// if it is not there yet. One that never seems to wait does not cost much.
    pub(super) fn settle(&mut self) {
        let patience = SETTLING[usize::from(!self.settles)];
        let until_ns = running_ns() + nanos(patience);
        let mut pause = Duration::from_micros(10);
        loop {
            // In this order: what it said before it waited is in its pipe.
            let waits = self.unread() == 0 && self.is_seen_waiting();
            if self.read() != ReadEnd::Nothing || waits {
                self.settles = true;
                return;
            }
            let now_ns = running_ns();
            let is_late = now_ns >= until_ns && !(self.settles && is_occupied(self.pid()));
            if is_late || now_ns >= until_ns + nanos(OCCUPIED) {
                self.settles = false;
                return;
            }
            self.poll(Some(pause));
            pause = (pause * 2).min(Duration::from_millis(1));
        }
    }

    /// Whether it waits for input now, and a moment later: between two looks at
    /// one thing and another it may have gone on.
    fn is_seen_waiting(&mut self) -> bool {
        waits_for_input(self.pid()) && {
            self.poll(Some(Duration::from_micros(10)));
            self.unread() == 0 && waits_for_input(self.pid())
        }
    }

    /// The next line that it has said.
    pub(super) fn line(&mut self) -> Option<Line<'_>> {
        self.lines.next()
    }

    /// Whether there is more of what it has said than the lines that were taken.
    pub(super) fn has_rest(&self) -> bool {
        self.lines.has_rest()
    }

    /// Ends it: its input ends, and if that is not its end it is killed. What it
    /// still says is read, and nobody's.
    pub(super) fn end(&mut self) -> Ended {
        if let Life::Buried { ended, .. } = self.life {
            return ended;
        }
        // In place of its pipe. Where there is not even this, there is no grace.
        let closed = File::open("/dev/null").map(|null| self.child.stdin = null);
        self.lines.limit(0);
        if let Life::Whole | Life::Deaf { .. } = self.life {
            self.wait_for_exit(closed.map_or(Duration::ZERO, |()| GRACE));
            self.begin_drain();
        }
        while self.read() != ReadEnd::End {
            while self.lines.next().is_some() {}
        }
        let is_cut = self.is_cut();
        loop {
            if let Some((ended, _)) = self.child.try_reap() {
                self.life = Life::Buried { ended, is_cut };
                return ended;
            }
        }
    }

    /// Waits until its process has ended, which is killed after so long.
    fn wait_for_exit(&mut self, grace: Duration) {
        let until_ns = running_ns() + nanos(grace);
        let mut is_open = true;
        loop {
            let left = until_ns.saturating_sub(running_ns());
            if left == 0 {
                self.child.signal_group(Signal::SIGKILL);
            }
            self.set.clear();
            if is_open && left > 0 {
                self.set.add(self.child.stdout.as_fd(), STDOUT, false);
            }
            self.set.add(self.child.exit_fd(), EXIT, false);
            let _ = self.set.wait((left > 0).then(|| Duration::from_nanos(left)));
            let is_ready = |key| self.set.ready().any(|ready| ready.key == key);
            let (reads, is_over) = (is_ready(STDOUT), is_ready(EXIT));
            if is_over {
                return;
            }
            if reads {
                // It may have to get rid of something before it can end.
                is_open = self.lines.read(&self.child.stdout) != ReadEnd::End;
                while self.lines.next().is_some() {}
            }
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Nobody is left to be told how.
        self.end();
    }
}
