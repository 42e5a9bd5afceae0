//! Nothing that a program of the user starts outlives its worker's death.
//!
//! Whoever starts programs is a child subreaper, so that descendants whose parents
//! have ended become its children, whatever process group or session they made. So:
//!
//! - A worker whose coordinator dies ends its children until it has none, then itself.
//!   It learns of the death by SIGCONT, the parent-death signal that it requests
//!   instead of SIGKILL; this signal wakes a stopped process, too.
//! - When a worker dies, what was below it becomes the coordinator's, who ends it. What
//!   a worker that ended regularly has left in a session or group of its own (a daemon)
//!   stays.
//!
//! If coordinator and worker are killed at the same moment, the watcher is left
//! (`watcher.rs`).

use super::children::{await_end, each_child, end_children, is_living};
use super::exit::Ended;
use super::strangers::{is_own, reap_ended};
use nix::libc::pid_t;
use nix::sys::prctl::{set_child_subreaper, set_pdeathsig};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpgid, getpid, getppid};
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a dying worker goes on to end its children.
const LAST_PATIENCE: Duration = Duration::from_secs(5);
/// How long the end of a dead worker's descendants is waited for.
const PATIENCE: Duration = Duration::from_millis(500);

/// The process whose worker this process is; 0: it is none.
static COORDINATOR: AtomicI32 = AtomicI32::new(0);
/// Whether this process is a subreaper because of its programs.
static IS_CONTAINING: AtomicBool = AtomicBool::new(false);
/// What regularly ended workers have left.
static LEFT: Mutex<BTreeSet<pid_t>> = Mutex::new(BTreeSet::new());

/// This process is a worker of this one.
pub(crate) fn note_coordinator(coordinator: u32) {
    COORDINATOR.store(coordinator.cast_signed(), Ordering::Relaxed);
}

/// From now on this process inherits what its programs leave, and can end it. For a
/// coordinator that owns its process, before it starts programs or workers.
///
/// # Errors
/// The system refused it.
pub fn contain_programs() -> io::Result<()> {
    set_child_subreaper(true)?;
    IS_CONTAINING.store(true, Ordering::Release);
    Ok(())
}

/// A program of the user is about to be started. In a worker, which starts the first
/// one on its main thread, that thread's parent-death signal becomes SIGCONT.
pub(super) fn before_program() -> io::Result<()> {
    if COORDINATOR.load(Ordering::Relaxed) != 0 && !IS_CONTAINING.load(Ordering::Acquire) {
        contain_programs()?;
        set_pdeathsig(Signal::SIGCONT)?;
        // It may have died just before the request.
        end_if_orphan();
    }
    reap_ended_strangers();
    Ok(())
}

/// Ends this worker and all its descendants if its coordinator is gone. Called by the
/// handler of SIGCONT.
pub(crate) fn end_if_orphan() {
    let coordinator = COORDINATOR.load(Ordering::Relaxed);
    if IS_CONTAINING.load(Ordering::Acquire) && getppid() != Pid::from_raw(coordinator) && coordinator != 0 {
        end_children(&|_| false, LAST_PATIENCE);
        let _ = kill(getpid(), Signal::SIGKILL);
    }
}

/// Kills all children of this process and what is below them, its workers included.
pub fn end_programs() {
    if IS_CONTAINING.load(Ordering::Acquire) {
        end_children(&|_| false, LAST_PATIENCE);
    }
}

/// A worker, which led this process group, was reaped, and the rest of its group was
/// killed.
pub(super) fn on_worker_reaped(group: Pid, ended: Ended) {
    if !IS_CONTAINING.load(Ordering::Acquire) {
        return;
    }
    let is_own = |pid| is_own(Pid::from_raw(pid));
    if ended == Ended::Status(0) {
        each_child(|pid| match getpgid(Some(Pid::from_raw(pid))) {
            _ if is_own(pid) => {}
            // It was killed with its group, so that nobody counts it as left.
            Ok(its) if its == group => await_end(pid, PATIENCE),
            _ => drop(left().insert(pid)),
        });
    } else {
        end_children(&|pid| is_own(pid) || left().contains(&pid), PATIENCE);
    }
    reap_ended();
    left().retain(|&pid| kill(Pid::from_raw(pid), None).is_ok());
}

/// Reaps what the programs have left and what has ended since. Each start of a program
/// does; to be called now and then while a program runs for long.
pub fn reap_ended_strangers() {
    if IS_CONTAINING.load(Ordering::Acquire) {
        reap_ended();
    }
}

/// The processes that programs of the user have left and that still run, by id.
#[must_use]
pub fn processes_left() -> Vec<u32> {
    let mut found = Vec::new();
    if IS_CONTAINING.load(Ordering::Acquire) {
        each_child(|pid| {
            if !is_own(Pid::from_raw(pid)) && is_living(pid) {
                found.push(pid.unsigned_abs());
            }
        });
    }
    found
}

fn left() -> MutexGuard<'static, BTreeSet<pid_t>> {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner)
}
