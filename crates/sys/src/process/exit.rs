//! The end of a process: its exit status, and the processor time and memory it used.

use super::strangers::note_reaped;
use nix::errno::Errno;
use nix::libc;
use nix::sys::signal::Signal;
use nix::unistd::Pid;
use std::cell::Cell;
use std::sync::atomic::{AtomicU64, Ordering};
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

/// What a process or thread used, with the processes that it has waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time in user mode.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
    /// The largest peak of resident memory of one of the processes, in bytes; 0 for a
    /// thread. A process begins with the peak of the one that started it.
    pub peak_memory: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.user += other.user;
        self.system += other.system;
        self.peak_memory = self.peak_memory.max(other.peak_memory);
    }
}

impl Usage {
    /// The processor time since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        let (user, system) = (self.user.saturating_sub(before.user), self.system.saturating_sub(before.system));
        Self { user, system, ..self }
    }
}

thread_local! {
    /// The processor time of the user's programs that this thread has reaped.
    static PROGRAMS: Cell<Usage> =
        const { Cell::new(Usage { user: Duration::ZERO, system: Duration::ZERO, peak_memory: 0 }) };
}

/// The peak memory of the user's programs that this process has reaped, in bytes.
static PEAK_OF_PROGRAMS: AtomicU64 = AtomicU64::new(0);

/// The largest peak memory of a user's program that this process has reaped, or of a
/// process that such a program waited for, in bytes; 0 for none.
pub(crate) fn peak_of_programs() -> u64 {
    PEAK_OF_PROGRAMS.load(Ordering::Relaxed)
}

/// Waits for the end of a user's program and counts what it used.
pub(super) fn reap_program(pid: Pid) -> Ended {
    let Some((ended, used)) = reap(pid, 0) else { return Ended::Unknown };
    PEAK_OF_PROGRAMS.fetch_max(used.peak_memory, Ordering::Relaxed);
    PROGRAMS.with(|programs| {
        let mut sum = programs.get();
        sum += used;
        programs.set(sum);
    });
    ended
}

/// The processor time that the calling thread has used so far, with that of the user's
/// programs that it has reaped.
#[must_use]
pub fn thread_usage() -> Usage {
    use nix::sys::resource::{UsageWho, getrusage};
    let duration = |time: nix::sys::time::TimeVal| {
        Duration::from_secs(time.tv_sec().unsigned_abs()) + Duration::from_micros(time.tv_usec().unsigned_abs())
    };
    let usage = getrusage(UsageWho::RUSAGE_THREAD);
    let mut used = usage.map_or_else(
        |_| Usage::default(),
        |usage| Usage { user: duration(usage.user_time()), system: duration(usage.system_time()), peak_memory: 0 },
    );
    used += Usage { peak_memory: 0, ..PROGRAMS.get() };
    used
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
    // Linux counts memory in KiB.
    let peak_memory = usage.ru_maxrss.unsigned_abs() * 1024;
    Some((ended, Usage { user: duration(usage.ru_utime), system: duration(usage.ru_stime), peak_memory }))
}

fn duration(time: libc::timeval) -> Duration {
    Duration::from_secs(time.tv_sec.unsigned_abs()) + Duration::from_micros(time.tv_usec.unsigned_abs())
}
