//! Checks that no process is left after a coordinator has ended.
//!
//! This process is the subreaper of its descendants: a worker, or a process that
//! a worker had started, becomes a child of this process when its coordinator
//! ends. So none is overlooked, and this process can wait for each.

use crate::process::{all_pids, command_line, is_living_child, parent_of};
use anyhow::{Context as _, Result, bail};
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

/// All must have ended by then.
const GRACE: Duration = Duration::from_secs(2);

/// Makes this process the subreaper of its descendants.
pub(crate) fn adopt() -> Result<()> {
    set_child_subreaper(true).context("can't become the parent of orphans")
}

/// Waits until nothing of an ended coordinator is left, and fails if that
/// takes too long; then ends what was left. Those that we hold go on first.
pub(crate) fn await_end(held: &[u32]) -> Result<()> {
    held.iter().for_each(|&pid| send(pid, Signal::SIGCONT));
    let left: Vec<u32> = all_pids().filter(|&pid| parent_of(pid) == Some(std::process::id())).collect();
    if left.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = left.iter().map(|&pid| format!("{pid} ({})", command_line(pid))).collect();
    let deadline = Instant::now() + GRACE;
    let (sender, receiver) = channel();
    for &pid in &left {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let _ = waitpid(Pid::from_raw(pid.cast_signed()), None);
            let _ = sender.send(());
        });
    }
    for _ in &left {
        if receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_err() {
            left.iter().for_each(|&pid| send(pid, Signal::SIGKILL));
            bail!("of these processes some live on after {GRACE:?}: {}", names.join(", "));
        }
    }
    // A grandchild may have become ours only now.
    await_end(&[])
}

/// Signals a process if it is ours by now.
fn send(pid: u32, signal: Signal) {
    if is_living_child(pid, std::process::id()) {
        // It may have ended in between.
        let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
    }
}
