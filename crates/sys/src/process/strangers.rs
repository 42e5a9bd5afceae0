//! Children that were not started here. Whoever loses its parent becomes a child of
//! process 1 of its PID namespace, or of a subreaper. If that is this process, as in
//! a container without an init, or while programs of the user run (see
//! `containment.rs`), nobody else can reap them, and their ids and their places in
//! the limit of processes stay taken.
//!
//! Only strangers are reaped, one by one, after a look at who has ended. The exit
//! status of a process that was started here is for its owner alone. Therefore every
//! start and every reaping of this project is noted here.

use nix::errno::Errno;
use nix::sys::prctl::get_child_subreaper;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid};
use nix::unistd::{Pid, getpid};
use std::collections::BTreeSet;
use std::io;
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

/// The processes that were started here and are not reaped.
static OWN: Mutex<BTreeSet<Pid>> = Mutex::new(BTreeSet::new());
/// Notified whenever `OWN` has changed.
static CHANGED: Condvar = Condvar::new();
/// Held shared while a process is started and not yet in `OWN`; nobody is reaped then.
static STARTS: RwLock<()> = RwLock::new(());
/// Without any child, strangers are looked for in this interval: their arrival is no
/// event.
const NO_CHILD: Duration = Duration::from_secs(1);

/// While it lives, a process is being started.
pub(super) struct Starting(RwLockReadGuard<'static, ()>);

/// A process is about to be started. Nobody is reaped until it is known.
pub(super) fn starting() -> Starting {
    Starting(STARTS.read().unwrap_or_else(PoisonError::into_inner))
}

impl Starting {
    /// This process was started, and will be reaped here.
    pub(super) fn started(self, pid: Pid) {
        own().insert(pid);
        CHANGED.notify_all();
        drop(self.0);
    }
}

/// A process that was started here was reaped.
pub(super) fn note_reaped(pid: Pid) {
    own().remove(&pid);
    CHANGED.notify_all();
}

/// Whether this process was started here.
pub(super) fn is_own(pid: Pid) -> bool {
    own().contains(&pid)
}

fn own() -> MutexGuard<'static, BTreeSet<Pid>> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A process that is started and reaped through the standard library. Whoever reaps
/// strangers leaves it alone.
#[derive(Debug)]
pub struct OwnChild(Child);

impl OwnChild {
    /// Starts it.
    ///
    /// # Errors
    /// Those of [`Command::spawn`].
    pub fn start(command: &mut Command) -> io::Result<Self> {
        let starting = starting();
        let child = command.spawn()?;
        starting.started(Pid::from_raw(child.id().cast_signed()));
        Ok(Self(child))
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Its piped standard input and output, once.
    pub fn take_pipes(&mut self) -> Option<(ChildStdin, ChildStdout)> {
        self.0.stdin.take().zip(self.0.stdout.take())
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// Those of [`Child::wait`].
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.0.wait();
        note_reaped(Pid::from_raw(self.0.id().cast_signed()));
        status
    }

    /// Kills it, unless it has ended.
    pub fn kill(&mut self) {
        // An error means that it has ended.
        let _ = self.0.kill();
    }
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
    // Whoever is being started is known afterwards.
    drop(STARTS.write().unwrap_or_else(PoisonError::into_inner));
    let own = own();
    if own.contains(&pid) {
        drop(CHANGED.wait_while(own, |own| own.contains(&pid)));
    } else {
        // It may be gone: a start that fails is reaped by the standard library.
        let _ = waitpid(pid, Some(WaitPidFlag::WNOHANG));
    }
}

/// Reaps the strangers that have ended. Stops at a process of our own that has ended,
/// and does nothing while one is being started: the next call goes on.
pub(super) fn reap_ended() {
    let Ok(_starts) = STARTS.try_write() else { return };
    let own = own();
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    while let Ok(WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, ..)) = waitid(Id::All, flags) {
        if own.contains(&pid) || waitpid(pid, Some(WaitPidFlag::WNOHANG)).is_err() {
            return;
        }
    }
}
