//! The end of a process: its exit status and the processor time it used.

use super::strangers::note_reaped;
use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::time::Duration;

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It exited with this status.
    Status(i32),
    /// It was killed by this signal.
    Signal(i32),
    /// Another process reaped it.
    Unknown,
}

/// The processor time that a process or thread used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time in user mode.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
}

impl Usage {
    /// The usage since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self { user: self.user.saturating_sub(before.user), system: self.system.saturating_sub(before.system) }
    }
}

/// The processor time that the calling thread has used so far.
#[must_use]
pub fn thread_usage() -> Usage {
    use nix::sys::resource::{UsageWho, getrusage};
    let duration = |time: nix::sys::time::TimeVal| {
        Duration::from_secs(time.tv_sec().unsigned_abs()) + Duration::from_micros(time.tv_usec().unsigned_abs())
    };
    let usage = getrusage(UsageWho::RUSAGE_THREAD);
    usage.map_or_else(
        |_| Usage::default(),
        |usage| Usage { user: duration(usage.user_time()), system: duration(usage.system_time()) },
    )
}

/// Whether the process has ended, without reaping it.
pub(super) fn has_ended(pid: Pid) -> bool {
    use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    loop {
        match waitid(Id::Pid(pid), flags) {
            Ok(WaitStatus::StillAlive) => return false,
            Err(Errno::EINTR) => {}
            Ok(_) | Err(_) => return true,
        }
    }
}

/// The signal that stopped the process, if it is stopped.
pub(super) fn stopped_by(pid: Pid) -> Option<Signal> {
    use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
    let flags = WaitPidFlag::WSTOPPED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::Pid(pid), flags) {
        Ok(WaitStatus::Stopped(_, signal)) => Some(signal),
        Ok(_) | Err(_) => None,
    }
}

/// `wait4` for this one process; `None` if it has not ended (with `WNOHANG`).
pub(super) fn reap(pid: Pid, flags: i32) -> Option<(Ended, Usage)> {
    let mut status = 0;
    // SAFETY: rusage is plain data for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to locals that outlive the call.
        let result = unsafe { libc::wait4(pid.as_raw(), &raw mut status, flags, &raw mut usage) };
        match result {
            0 => return None,
            -1 if Errno::last() == Errno::EINTR => {}
            // If SIGCHLD is ignored, the kernel reaps the process itself.
            -1 => {
                note_reaped(pid);
                return Some((Ended::Unknown, Usage::default()));
            }
            _ => break,
        }
    }
    note_reaped(pid);
    let ended = if libc::WIFSIGNALED(status) {
        Ended::Signal(libc::WTERMSIG(status))
    } else {
        Ended::Status(libc::WEXITSTATUS(status))
    };
    Some((ended, Usage { user: duration(usage.ru_utime), system: duration(usage.ru_stime) }))
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs())
}
