//! Reaping processes that are not ours. Whoever loses its parent becomes a child of
//! process 1 of its PID namespace, or of a subreaper. If that is this process, as in
//! a container without an init, nobody else can reap them, and their ids and their
//! places in the limit of processes stay taken.
//!
//! Only strangers are reaped, one by one, after a look at who has ended. The exit
//! status of a process that was started here is for its owner alone. Therefore every
//! start and every reaping in this crate is noted here.

use nix::errno::Errno;
use nix::sys::prctl::get_child_subreaper;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{Pid, getpid};
use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Whether strangers are reaped. Otherwise nothing is noted.
static IS_REAPING: AtomicBool = AtomicBool::new(false);
/// The processes that were started here and are not reaped.
static OWN: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());
/// Notified whenever `OWN` has changed.
static CHANGED: Condvar = Condvar::new();
/// Without any child, strangers are looked for in this interval: their arrival is no
/// event.
const NO_CHILD: Duration = Duration::from_secs(1);

/// While it lives, a process is being started.
pub(super) struct Starting(Option<MutexGuard<'static, BTreeSet<Pid>>>);

/// A process is about to be started. Nobody is reaped until it is known.
pub(super) fn starting() -> Starting {
    Starting(IS_REAPING.load(Ordering::Acquire).then(own))
}

impl Starting {
    /// This process was started, and will be reaped here.
    pub(super) fn started(mut self, pid: Pid) {
        if let Some(own) = &mut self.0 {
            own.insert(pid);
            CHANGED.notify_all();
        }
    }
}

/// A process that was started here was reaped.
pub(super) fn note_reaped(pid: Pid) {
    if IS_REAPING.load(Ordering::Acquire) && own().remove(&pid) {
        CHANGED.notify_all();
    }
}

fn own() -> MutexGuard<'static, BTreeSet<Pid>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// From now on reaps processes that were not started here, if this process is the one
/// that inherits them: process 1 of its PID namespace, or a subreaper. Returns whether
/// it is.
///
/// For programs that own their process, and start processes by this crate only. Call it
/// before any process is started.
///
/// # Errors
/// No thread can be started.
pub fn reap_strangers() -> io::Result<bool> {
    if getpid() != Pid::from_raw(1) && !get_child_subreaper()? {
        return Ok(false);
    }
    IS_REAPING.store(true, Ordering::Release);
    std::thread::Builder::new().name("reaper".to_owned()).spawn(reap_all)?;
    Ok(true)
}

fn reap_all() {
    loop {
        match waitid(Id::All, WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT) {
            Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..)) => reap_or_leave(pid),
            Ok(_) | Err(Errno::EINTR) => {}
            // There is no child at all.
            Err(_) => drop(CHANGED.wait_timeout(own(), NO_CHILD)),
        }
    }
}

/// Reaps a process that has ended, or waits until its owner has.
fn reap_or_leave(pid: Pid) {
    let own = own();
    if own.contains(&pid) {
        drop(CHANGED.wait_while(own, |own| own.contains(&pid)));
    } else {
        // It may be gone: a start that fails is reaped by the standard library.
        let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
    }
}
