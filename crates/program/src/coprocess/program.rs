//! A running coprocess: what it is sent, what it writes, and its end.
//!
//! Both pipes may be full at the same time, so nothing here waits for one of them:
//! a write takes what fits, a read takes what there is, and one wait covers both
//! pipes and the program's end. After that the pipes are drained ([`Drain`]).

use super::buffering_detector::{is_occupied, waits_for_input};
use super::command::CoprocessCommand;
use super::line_buffer::{LineBuffer, OutputLine};
use super::stderr_forwarder::{self, StderrForwarder};
use crate::drain::{Drain, DrainProgress, OutputStream, ReadOutcome, frozen_ns, nanos};
use procession_sys::{Ended, LaunchedProgram, PollSet, Signal, SpawnError, StopDetector, running_ns};
use std::convert::Infallible;
use std::io::{ErrorKind, Write};
use std::os::fd::AsFd;
use std::time::Duration;

/// The time in which a program may end by itself.
const GRACE: Duration = Duration::from_millis(500);

/// The time in which a program that has answered everything should wait for more
/// input. After it missed that once, it gets the shorter time.
const SETTLING: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(1)];

/// The additional time while the program can be seen to compute or to sleep.
const OCCUPIED: Duration = Duration::from_secs(30);

/// The approximate size of a write, in bytes.
const OUTGOING_BYTES: usize = 64 * 1024;

/// A running coprocess. Dropping it ends the program.
#[derive(Debug)]
pub(super) struct Coprocess {
    child: LaunchedProgram,
    /// The bytes to send, and how many of them were sent.
    outgoing: Vec<u8>,
    sent: usize,
    lines: LineBuffer,
    errors: StderrForwarder,
    state: CoprocessState,
    /// Whether the program was waiting for input when it was last checked.
    settles: bool,
    set: PollSet,
}

/// The state of the program.
#[derive(Clone, Copy, Debug)]
enum CoprocessState {
    /// It runs, as far as is known.
    Running,
    /// It reads no more input since this time, on this process's clock. It should end
    /// soon.
    InputClosed { since_ns: u64 },
    /// The process has ended; its pipes are being drained.
    Exited(Drain),
    /// All its output was read.
    Drained {
        /// Whether the output may be incomplete.
        is_cut: bool,
    },
    /// It was reaped.
    Reaped { ended: Ended, is_cut: bool },
}

const STDIN: u64 = 0;
const STDOUT: u64 = 1;
const EXIT: u64 = 2;

impl Coprocess {
    /// Starts the program.
    ///
    /// # Errors
    /// The program could not be started. Nothing is left behind.
    pub(super) fn start(command: &CoprocessCommand) -> Result<Self, SpawnError> {
        let mut child = command.launch()?;
        // A program that closes its output answers no more, even if it keeps running.
        child.let_outputs_end();
        let errors = child.stderr.try_clone().and_then(StderrForwarder::forward);
        let errors = errors.map_err(|error| SpawnError::new("has nobody to read its standard error", error))?;
        let (lines, set) = (LineBuffer::new(usize::MAX), PollSet::default());
        Ok(Self {
            child,
            outgoing: Vec::new(),
            sent: 0,
            lines,
            errors,
            state: CoprocessState::Running,
            settles: true,
            set,
        })
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// The signal that stopped the program, once it has been stopped for a second.
    pub(super) fn reports_stop(&mut self) -> Option<Signal> {
        self.child.reports_stop()
    }

    /// Sets the maximum length of a line.
    pub(super) fn limit_lines(&mut self, longest: usize) {
        self.lines.limit(longest);
    }

    /// The buffer for bytes to send, unless it is full.
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

    /// Whether there are bytes to send that are not in the pipe yet.
    pub(super) fn has_unsent(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// The number of bytes that the program has not read.
    pub(super) fn unread(&self) -> usize {
        let in_pipe = self.child.stdin.as_ref().and_then(|pipe| procession_sys::unread_bytes(pipe).ok());
        in_pipe.unwrap_or(usize::MAX).saturating_add(self.outgoing.len() - self.sent)
    }

    /// Sends as much as the pipe takes.
    pub(super) fn send(&mut self) {
        let Some(stdin) = &mut self.child.stdin else { return };
        while !self.outgoing.is_empty() {
            match stdin.write(&self.outgoing[self.sent..]) {
                Ok(bytes) => self.sent += bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(_) => {
                    // The program may still answer what it has read.
                    if matches!(self.state, CoprocessState::Running) {
                        self.state = CoprocessState::InputClosed { since_ns: running_ns() };
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

    /// Waits until the program takes input, writes something, or ends, but no longer
    /// than `timeout`, nor longer than a stop of the program may go unnoticed. Then sends
    /// and reads what is possible.
    pub(super) fn wait(&mut self, timeout: Option<Duration>) -> ReadOutcome {
        let timeout = timeout.map_or(StopDetector::LOOK_EVERY, |timeout| timeout.min(StopDetector::LOOK_EVERY));
        match self.state {
            CoprocessState::Running | CoprocessState::InputClosed { .. } => {}
            CoprocessState::Exited(_) | CoprocessState::Drained { .. } | CoprocessState::Reaped { .. } => {
                return self.read();
            }
        }
        let frozen_ns = self.poll(timeout);
        if let CoprocessState::InputClosed { since_ns } = &mut self.state {
            *since_ns += frozen_ns;
        }
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
        match self.state {
            // The program had the whole time to answer.
            CoprocessState::InputClosed { since_ns } if running_ns().saturating_sub(since_ns) >= nanos(GRACE) => {
                ReadOutcome::End
            }
            _ => ReadOutcome::Nothing,
        }
    }

    /// The process has ended.
    fn begin_drain(&mut self) {
        self.errors.stop();
        self.state = CoprocessState::Exited(Drain::begin());
    }

    /// Continues to drain the pipes; waits for more bytes for a limited time.
    fn drain(&mut self, mut drain: Drain) -> ReadOutcome {
        let Self { child, lines, errors, set, .. } = self;
        let (mut outcome, mut buffer) = (ReadOutcome::Nothing, vec![0; stderr_forwarder::READ_BYTES]);
        let progress = drain.step(set, [Some(&child.stdout), errors.pipe()], |stream, pipe| {
            let read = match stream {
                OutputStream::Output => (lines.read(pipe), 0),
                OutputStream::Errors => stderr_forwarder::read(pipe, &mut buffer),
            };
            if (stream, read.0) == (OutputStream::Output, ReadOutcome::Some) {
                outcome = ReadOutcome::Some;
            }
            Ok::<_, Infallible>(read)
        });
        let Ok(progress) = progress;
        self.state = match progress {
            DrainProgress::Open => CoprocessState::Exited(drain),
            DrainProgress::Over { is_cut } => CoprocessState::Drained { is_cut },
        };
        match (outcome, progress) {
            (ReadOutcome::Some, _) => ReadOutcome::Some,
            (_, DrainProgress::Open) => ReadOutcome::Nothing,
            (_, DrainProgress::Over { .. }) => ReadOutcome::End,
        }
    }

    /// Whether the output may be incomplete.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self.state, CoprocessState::Drained { is_cut: true } | CoprocessState::Reaped { is_cut: true, .. })
    }

    /// Waits; returns for how many nanoseconds this process was frozen meanwhile. Its
    /// program may have been frozen, too.
    fn poll(&mut self, timeout: Duration) -> u64 {
        self.set.clear();
        if let Some(stdin) = self.child.stdin.as_ref().filter(|_| !self.outgoing.is_empty()) {
            self.set.add(stdin.as_fd(), STDIN, true);
        }
        self.set.add(self.child.stdout.as_fd(), STDOUT, false);
        self.set.add(self.child.exit_fd(), EXIT, false);
        let begun_ns = running_ns();
        // A failed wait counts as finished: the caller tries again.
        let _ = self.set.wait(Some(timeout));
        frozen_ns(begun_ns, timeout)
    }

    /// Reads what the program has written; waits only after the program's end.
    pub(super) fn read(&mut self) -> ReadOutcome {
        match self.state {
            CoprocessState::Running | CoprocessState::InputClosed { .. } => self.lines.read(&self.child.stdout),
            CoprocessState::Exited(drain) => self.drain(drain),
            CoprocessState::Drained { .. } | CoprocessState::Reaped { .. } => ReadOutcome::End,
        }
    }

    /// Whether the program has ended without being asked anything.
    pub(super) fn is_gone(&mut self) -> bool {
        self.poll(Duration::ZERO);
        let is_ready = |key| self.set.ready().any(|ready| ready.key == key);
        let (reads, is_over) = (is_ready(STDOUT), is_ready(EXIT));
        if is_over && matches!(self.state, CoprocessState::Running | CoprocessState::InputClosed { .. }) {
            self.begin_drain();
        }
        while (reads || is_over) && !self.has_rest() {
            match self.read() {
                ReadOutcome::End => return true,
                ReadOutcome::Nothing if !is_over => return false,
                ReadOutcome::Nothing | ReadOutcome::Some => {}
            }
        }
        false
    }

    /// The program has answered everything. Waits until it waits for more input and so
    /// has written all that it will write. A surplus line that came later would be
    /// taken for the next item's answer.
    ///
    /// No event reports that a process waits, so its state is checked repeatedly. A
    /// program that never seems to wait costs little time.
    pub(super) fn settle(&mut self) {
        let patience = SETTLING[usize::from(!self.settles)];
        let mut until_ns = running_ns() + nanos(patience);
        let mut pause = Duration::from_micros(10);
        loop {
            // The order matters: what the program wrote before it waited is in the pipe.
            let waits = self.unread() == 0 && self.is_seen_waiting();
            if self.read() != ReadOutcome::Nothing || waits {
                self.settles = true;
                return;
            }
            let now_ns = running_ns();
            let is_late = now_ns >= until_ns && !(self.settles && is_occupied(self.pid()));
            if is_late || now_ns >= until_ns + nanos(OCCUPIED) {
                self.settles = false;
                return;
            }
            until_ns += self.poll(pause);
            pause = (pause * 2).min(Duration::from_millis(1));
        }
    }

    /// Whether the program waits for input at two moments: between the check of the
    /// pipe and the check of the process it may have continued.
    fn is_seen_waiting(&mut self) -> bool {
        waits_for_input(self.pid()) && {
            self.poll(Duration::from_micros(10));
            self.unread() == 0 && waits_for_input(self.pid())
        }
    }

    /// The next line of output.
    pub(super) fn line(&mut self) -> Option<OutputLine<'_>> {
        self.lines.next()
    }

    /// Whether there is output besides the lines that were taken.
    pub(super) fn has_rest(&self) -> bool {
        self.lines.has_rest()
    }

    /// Ends the program: closes its input and, if it does not end by that, kills it.
    /// Further output is read and dropped.
    pub(super) fn end(&mut self) -> Ended {
        if let CoprocessState::Reaped { ended, .. } = self.state {
            return ended;
        }
        self.child.stdin = None;
        self.lines.limit(0);
        if let CoprocessState::Running | CoprocessState::InputClosed { .. } = self.state {
            self.wait_for_exit(GRACE);
            self.begin_drain();
        }
        while self.read() != ReadOutcome::End {
            while self.lines.next().is_some() {}
        }
        let is_cut = self.is_cut();
        let ended = self.child.reap();
        self.state = CoprocessState::Reaped { ended, is_cut };
        ended
    }

    /// Waits until the process has ended; kills it after the grace period.
    fn wait_for_exit(&mut self, grace: Duration) {
        let mut until_ns = running_ns() + nanos(grace);
        let mut is_open = true;
        loop {
            let begun_ns = running_ns();
            let left = until_ns.saturating_sub(begun_ns);
            if left == 0 {
                self.child.kill();
            }
            self.set.clear();
            if is_open && left > 0 {
                self.set.add(self.child.stdout.as_fd(), STDOUT, false);
            }
            self.set.add(self.child.exit_fd(), EXIT, false);
            // In short waits: of one in which this process was frozen, all counts.
            let wait = Duration::from_nanos(left).min(StopDetector::LOOK_EVERY);
            let _ = self.set.wait((left > 0).then_some(wait));
            until_ns += frozen_ns(begun_ns, wait);
            let is_ready = |key| self.set.ready().any(|ready| ready.key == key);
            let (reads, is_over) = (is_ready(STDOUT), is_ready(EXIT));
            if is_over {
                return;
            }
            if reads {
                // The program may have to write something before it can end.
                is_open = self.lines.read(&self.child.stdout) != ReadOutcome::End;
                while self.lines.next().is_some() {}
            }
        }
    }
}

impl Drop for Coprocess {
    fn drop(&mut self) {
        // Nobody needs the exit status.
        self.end();
    }
}

/// How a program ended, as a phrase after its name.
pub(super) fn describe(ended: Ended) -> String {
    match ended {
        Ended::Status(status) => format!("ended with status {status}"),
        Ended::Signal(signal) => match Signal::try_from(signal) {
            Ok(signal) => format!("was killed by {signal}"),
            Err(_) => format!("was killed by signal {signal}"),
        },
        Ended::Unknown => "ended with an unknown status".to_owned(),
    }
}
