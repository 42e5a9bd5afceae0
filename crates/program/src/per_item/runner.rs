//! Runs a process of a program: writes its input and reads its output at the same
//! time, so that neither side ever waits for the other. After the process's end its
//! pipes are drained ([`Drain`]).

use super::ok_statuses::OkStatuses;
use super::program_text::ProgramText;
use crate::drain::{Drain, DrainProgress, OutputStream, ReadOutcome, pass_on};
use crate::environment::inherited;
use crate::shortage::{shortage_note, start_patiently};
use crate::stopped::stopped_item_note;
use crate::template::TemplateError;
use procession_sys::{Ended, LaunchedProgram, Launcher, PollSet, ProgramInput, Signal, StopDetector};
use procession_task::{Cause, Child, Failure, FailureKind, Identity, ItemAttempt, LastLines as _, ToText};
use std::ffi::CString;
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Write};
use std::os::fd::AsFd;
use std::sync::Arc;

/// Environment variables for the program.
const ITEM: &str = "PROCESSION_ITEM";
const ATTEMPT: &str = "PROCESSION_ATTEMPT";
const WORKER: &str = "PROCESSION_WORKER";

/// The maximum size of an argument or variable on Linux, including its final NUL
/// byte.
const ARGUMENT_BYTES: usize = 128 << 10;
/// The size of a read, in bytes: the usual capacity of a pipe.
const READ_BYTES: usize = 64 << 10;

/// Runs the same program again and again.
pub(crate) struct ProgramRunner {
    launcher: Launcher,
    /// The program's name, for messages.
    name: String,
    slot: u32,
    ok: OkStatuses,
    set: PollSet,
    buffer: Vec<u8>,
    /// What the program has written.
    text: Arc<ProgramText>,
    /// The process of the last run.
    child: Child,
    /// Whether the user knows of a shortage.
    knows_shortage: bool,
}

/// One run of the program.
pub(crate) struct ProgramCall<'a> {
    /// The arguments, with the program's name first.
    pub(crate) args: Vec<Vec<u8>>,
    /// The item for the program's environment, if it fits there.
    pub(crate) item: Option<&'a [u8]>,
    /// The program's input in two parts; `None`: empty.
    pub(crate) input: Option<[&'a [u8]; 2]>,
    /// The number of this run.
    pub(crate) attempt: ItemAttempt,
}

/// A program's standard output.
pub(crate) struct ProgramOutput(pub(crate) Vec<u8>);

impl ToText for ProgramOutput {
    fn is_json(&self) -> bool {
        false
    }
    fn write_text(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

/// The descriptors of a wait.
#[derive(Clone, Copy)]
enum Key {
    Input,
    Output,
    Errors,
    Exit,
}

impl ProgramRunner {
    /// For this worker. Exit statuses in `ok` are a success.
    ///
    /// # Errors
    /// The program's name holds a NUL byte, or no file descriptor is left.
    pub(crate) fn new(program: &[u8], identity: &Identity, ok: OkStatuses) -> io::Result<Self> {
        Ok(Self {
            launcher: Launcher::new(program, inherited(&[ITEM, ATTEMPT, WORKER]))?,
            name: String::from_utf8_lossy(program).into_owned(),
            slot: identity.slot(),
            ok,
            set: PollSet::default(),
            buffer: vec![0; READ_BYTES],
            text: Arc::default(),
            child: Child::default(),
            knows_shortage: false,
        })
    }

    /// The process of the last run; without an id if it could not be started.
    pub(crate) fn child(&self) -> Child {
        self.child
    }

    /// What the program of the current run has written.
    pub(crate) fn text(&self) -> Arc<ProgramText> {
        Arc::clone(&self.text)
    }

    /// Runs the program to its end; returns its standard output. `note` sends a message
    /// to the user.
    ///
    /// # Errors
    /// The program could not be started, failed, or wrote more than a result may hold.
    pub(crate) fn run(&mut self, call: &ProgramCall<'_>, note: &mut dyn FnMut(&str)) -> Result<Vec<u8>, Failure> {
        self.child = Child::default();
        self.text.clear();
        let mut program = self.start(call, note)?;
        self.child.pid = Some(program.pid());
        let mut conversation = Conversation {
            feed: call.input.unwrap_or_default(),
            // One more byte, which may be the last line feed.
            most: call.attempt.max_result.saturating_add(1),
            text: &self.text,
            buffer: &mut self.buffer,
        };
        let mut on_stop = |pid, signal| note(&stopped_item_note(call.attempt.index, pid, signal));
        conversation.run(&mut program, &mut self.set, &mut on_stop)?;
        self.child.is_output_cut = conversation.drain(&mut program, &mut self.set)?;
        match program.reap() {
            Ended::Status(status) if self.ok.include(status) => Ok(self.text.take_output()),
            ended => Err(failure(ended, &self.text.take())),
        }
    }

    fn start(&mut self, call: &ProgramCall<'_>, note: &mut dyn FnMut(&str)) -> Result<LaunchedProgram, Failure> {
        let args = call.args.iter().map(|arg| CString::new(arg.as_slice())).collect::<Result<Vec<_>, _>>();
        let args = args.map_err(|_| Failure::new(FailureKind::Invalid, TemplateError::Nul.to_string()))?;
        let variables = variables(call, self.slot);
        let input = if call.input.is_some() { ProgramInput::Piped } else { ProgramInput::Empty };
        let Self { launcher, name, knows_shortage, .. } = self;
        let on_shortage = |error: &_| {
            if !std::mem::replace(knows_shortage, true) {
                note(&shortage_note(format_args!("'{name}'"), error));
            }
        };
        let started = start_patiently(|| launcher.start(&args, &variables, input), on_shortage);
        started.map_err(|error| failed(format!("'{name}' {error}")))
    }
}

fn variables(call: &ProgramCall<'_>, slot: u32) -> Vec<CString> {
    let attempt = format!("{ATTEMPT}={}", call.attempt.number);
    let worker = format!("{WORKER}={slot}");
    let item = call.item.map(|item| [ITEM.as_bytes(), b"=", item].concat());
    let item = item.filter(|variable| variable.len() < ARGUMENT_BYTES);
    let all = [Some(attempt.into_bytes()), Some(worker.into_bytes()), item];
    // A variable cannot hold an item with a NUL byte.
    all.into_iter().flatten().filter_map(|variable| CString::new(variable).ok()).collect()
}

/// The input and output of a running program.
struct Conversation<'a> {
    /// The input that was not written yet.
    feed: [&'a [u8]; 2],
    /// The maximum size of the output, in bytes.
    most: usize,
    text: &'a ProgramText,
    buffer: &'a mut [u8],
}

impl Conversation<'_> {
    /// Writes and reads until the program has ended. `on_stop` receives the program's
    /// process id and the signal if it is stopped.
    fn run(
        &mut self,
        program: &mut LaunchedProgram,
        set: &mut PollSet,
        on_stop: &mut dyn FnMut(u32, Signal),
    ) -> Result<(), Failure> {
        loop {
            self.write(&mut program.stdin);
            set.clear();
            set.add(program.exit_fd(), Key::Exit as u64, false);
            set.add(program.stdout.as_fd(), Key::Output as u64, false);
            set.add(program.stderr.as_fd(), Key::Errors as u64, false);
            if let Some(stdin) = &program.stdin {
                set.add(stdin.as_fd(), Key::Input as u64, true);
            }
            let waited = set.wait(Some(StopDetector::LOOK_EVERY));
            waited.map_err(|error| failed(format!("its program can't be waited for: {error}")))?;
            let has_news = |key: Key| set.ready().any(|ready| ready.key == key as u64);
            if has_news(Key::Exit) {
                return Ok(());
            }
            if has_news(Key::Output) {
                self.read(OutputStream::Output, &program.stdout)?;
            }
            if has_news(Key::Errors) {
                self.read(OutputStream::Errors, &program.stderr)?;
            }
            if let Some(signal) = program.reports_stop() {
                on_stop(program.pid(), signal);
            }
        }
    }

    /// Reads the rest of an ended program's output; returns whether it may be
    /// incomplete.
    fn drain(&mut self, program: &mut LaunchedProgram, set: &mut PollSet) -> Result<bool, Failure> {
        program.let_outputs_end();
        let (mut drain, pipes) = (Drain::begin(), [Some(&program.stdout), Some(&program.stderr)]);
        loop {
            if let DrainProgress::Over { is_cut } = drain.step(set, pipes, |stream, pipe| self.read(stream, pipe))? {
                return Ok(is_cut);
            }
        }
    }

    /// Writes what fits into the program's input; closes it after the last byte.
    fn write(&mut self, stdin: &mut Option<File>) {
        let Some(pipe) = stdin else { return };
        let [first, second] = &mut self.feed;
        while !(first.is_empty() && second.is_empty()) {
            match pipe.write_vectored(&[IoSlice::new(first), IoSlice::new(second)]) {
                Ok(count) => {
                    let of_first = count.min(first.len());
                    *first = &first[of_first..];
                    *second = &second[count - of_first..];
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                // The program has closed its input, which it may do.
                Err(_) => break,
            }
        }
        *stdin = None;
    }

    /// Reads once. Standard error is passed on, and its end is kept. Also returns the
    /// number of bytes that were passed on.
    fn read(&mut self, stream: OutputStream, pipe: &File) -> Result<(ReadOutcome, usize), Failure> {
        let read = ReadOutcome::of(pipe, self.buffer);
        let (end, bytes) = read.map_err(|error| failed(format!("its program's output can't be read: {error}")))?;
        let said = &self.buffer[..bytes];
        match stream {
            OutputStream::Output if self.text.push_output(said) > self.most => {
                let most = self.most - 1;
                Err(failed(format!("the result is longer than the {most} bytes a message may carry")))
            }
            OutputStream::Output => Ok((end, 0)),
            OutputStream::Errors => {
                self.text.push_errors(said);
                pass_on(said);
                Ok((end, bytes))
            }
        }
    }
}

fn failed(message: String) -> Failure {
    Failure::new(FailureKind::Failed, message)
}

/// The failure of a program that ended in another way than it should. `words` are the
/// last lines that it wrote.
fn failure(ended: Ended, words: &str) -> Failure {
    match ended {
        Ended::Status(status) => {
            let colon = if words.is_empty() { "" } else { ": " };
            failed(format!("exited with status {status}{colon}{words}")).because(Some(Cause::Status(status)))
        }
        Ended::Signal(signal) => {
            let message = match Signal::try_from(signal) {
                Ok(Signal::SIGKILL) => "its program was killed by SIGKILL (out of memory?)".to_owned(),
                Ok(known) => format!("its program was killed by {}", known.as_str()),
                Err(_) => format!("its program was killed by signal {signal}"),
            };
            Failure::new(FailureKind::Crashed, message).because(Some(Cause::Signal(signal)))
        }
        Ended::Unknown => failed(
            "the exit status of its program is unknown: SIGCHLD was ignored when the worker was started".to_owned(),
        ),
    }
}
