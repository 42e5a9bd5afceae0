//! One run of the coordinator, from its start to its exit status.

use super::plan::{Feed, Log, Output, RoundPlan};
use super::work::TaskKind;
use crate::cargo::shown;
use crate::process::all_pids;
use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The round's files, and the programs.
pub(crate) struct Stage {
    pub(crate) coordinator: PathBuf,
    pub(crate) folder: PathBuf,
    /// The value of `--retries`.
    pub(crate) retries: &'static str,
    /// The items as they are, for standard input.
    pub(crate) input: Vec<u8>,
}

impl Stage {
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// A coordinator that was started.
pub(crate) struct Call {
    child: Child,
    /// Says once that it has ended; it is not reaped before we do, so its id
    /// stays its own.
    ended: Receiver<()>,
    feeder: Option<JoinHandle<()>>,
    /// Processes that were there before it, and can't be its workers.
    pub(crate) bystanders: HashSet<u32>,
    /// How often the coordinator was started before in this round.
    pub(crate) nth: usize,
    pub(crate) command: String,
}

/// How it ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CallEnding {
    Status(i32),
    Signal(i32),
}

impl Call {
    /// Starts the coordinator, for the `nth` time in its round.
    pub(crate) fn start(plan: &RoundPlan, stage: &Stage, nth: usize) -> Result<Self> {
        let mut command = command(plan, stage, nth);
        let line = shown(&command);
        if plan.feed == Feed::Stdin {
            command.stdin(Stdio::piped());
        } else {
            command.stdin(Stdio::null());
        }
        let bystanders = all_pids().collect();
        command.stdout(File::create(stage.file("stdout"))?).stderr(File::create(stage.file(&errors(nth)))?);
        let mut child = command.spawn().context("the coordinator can't be started")?;
        let feeder = child.stdin.take().map(|mut stdin| {
            let input = stage.input.clone();
            // The coordinator may end before it has read all of it.
            std::thread::spawn(move || drop(stdin.write_all(&input)))
        });
        let ended = watch(child.id());
        Ok(Self { child, ended, feeder, bystanders, nth, command: line })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end, but no longer than this; whether it has ended.
    pub(crate) fn has_ended_within(&self, most: Duration) -> bool {
        !matches!(self.ended.recv_timeout(most), Err(RecvTimeoutError::Timeout))
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&self) {
        // Not reaped yet, so nobody else has its id.
        let _ = kill(Pid::from_raw(self.pid().cast_signed()), Signal::SIGKILL);
    }

    /// Reaps it; what it said on standard error is kept in the round's folder.
    pub(crate) fn end(mut self, stage: &Stage) -> Result<(CallEnding, String)> {
        let status = self.child.wait()?;
        if let Some(feeder) = self.feeder.take() {
            let _ = feeder.join();
        }
        let said = fs::read(stage.file(&errors(self.nth)))?;
        Ok((ending(status), String::from_utf8_lossy(&said).into_owned()))
    }
}

/// Tells when a child has ended, and leaves it to be reaped.
fn watch(pid: u32) -> Receiver<()> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        let _ = waitid(Id::Pid(Pid::from_raw(pid.cast_signed())), WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT);
        let _ = sender.send(());
    });
    receiver
}

fn ending(status: ExitStatus) -> CallEnding {
    match status.code() {
        Some(code) => CallEnding::Status(code),
        None => CallEnding::Signal(status.signal().unwrap_or(0)),
    }
}

fn errors(nth: usize) -> String {
    format!("stderr-{nth}")
}

/// The log's folder of a call.
pub(crate) fn log_folder(folder: &Path, nth: usize) -> PathBuf {
    folder.join(format!("log-{nth}"))
}

fn command(plan: &RoundPlan, stage: &Stage, nth: usize) -> Command {
    let mut command = Command::new(&stage.coordinator);
    let task = plan.work.task;
    command.args(["--task", task.name()]).current_dir(&stage.folder);
    if task != TaskKind::Pipe {
        command.args(["--format", plan.format.name()]);
    }
    command.args(["--procs", &plan.procs.to_string(), "--retries", stage.retries]);
    if let Some(chunk) = plan.chunk {
        command.args(["--chunk", &chunk.to_string()]);
    }
    match (plan.feed, plan.work.range()) {
        (_, Some(range)) => command.args(["--range", &range]),
        (Feed::Stdin, None) => command.args(["--input", "-"]),
        (Feed::File | Feed::Gzip | Feed::Range, None) => command.arg("--input").arg(stage.file("input")),
    };
    if plan.output == Output::File {
        command.arg("--output").arg(stage.file("output"));
        if nth > 0 {
            command.arg("--resume");
        }
    }
    command.args(["--log", plan.log.name()]);
    if plan.log != Log::Off {
        command.arg("--log-dir").arg(log_folder(&stage.folder, nth));
    }
    let words = task.words();
    if !words.is_empty() {
        command.arg("--").args(words);
    }
    command
}
