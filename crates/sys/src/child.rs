//! A child process as its parent sees it: spawned with pipes, watched by a
//! descriptor, signalled, reaped by name.
//!
//! A worker has a group of its own. It is spawned through the standard library's
//! posix_spawn path: nothing runs between fork and exec (that would lose it),
//! hence no `pre_exec`; what a worker has to set for itself it sets first thing
//! (see [`crate::enter_worker`]). A program that a worker runs for the user stays
//! in the worker's group, so that it ends with it, and can't be asked to set
//! anything: the parent-death signal is set for it, on its way.
//!
//! The parent-death signal follows the *thread* that spawns, so that thread
//! must live as long as the children may.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, pipe2};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// What a data pipe is asked to hold. Only asked: the system's budget for a
/// user runs out near 32 workers, and then a pipe holds less.
const PIPE_BYTES: i32 = 1 << 20;

/// What to start.
#[derive(Clone, Debug)]
pub struct Spawn {
    /// Absolute path of the program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<OsString>,
    /// What is set in its environment, beside what it inherits.
    pub env: Vec<(OsString, OsString)>,
    /// Where it belongs.
    pub place: Place,
}

impl Spawn {
    /// A program that leads a group of its own, as workers do.
    #[must_use]
    pub fn leader(program: impl Into<PathBuf>, args: Vec<OsString>) -> Self {
        Self { program: program.into(), args, env: Vec::new(), place: Place::OwnGroup }
    }
}

/// Where a child belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// It leads a group of its own, which ends with it.
    OwnGroup,
    /// It stays in the caller's group and is killed when the calling thread ends.
    CallersGroup,
}

/// A process and the parent's ends of its pipes, all non-blocking.
#[derive(Debug)]
pub struct Spawned {
    pid: Pid,
    place: Place,
    /// Readable once the process has ended.
    exit: OwnedFd,
    /// Writes to its standard input.
    pub stdin: File,
    /// Reads its standard output.
    pub stdout: File,
    /// Reads its standard error, until somebody takes that.
    pub stderr: Option<File>,
    reaped: bool,
}

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct SpawnError {
    what: &'static str,
    source: io::Error,
}

impl SpawnError {
    pub(crate) fn new(what: &'static str, source: io::Error) -> Self {
        Self { what, source }
    }

    /// Whether trying again could help: the system was out of processes,
    /// descriptors or memory for the moment.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        matches!(
            self.source.raw_os_error().map(Errno::from_raw),
            Some(Errno::EAGAIN | Errno::EMFILE | Errno::ENFILE | Errno::ENOMEM | Errno::EINTR)
        )
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// Somebody else reaped it.
    Unknown,
}

/// What a process used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time in user mode.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
}

impl Usage {
    /// What was used since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self { user: self.user.saturating_sub(before.user), system: self.system.saturating_sub(before.system) }
    }
}

/// What the calling thread has used so far.
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

impl Spawned {
    /// Starts a process.
    ///
    /// # Errors
    /// Whatever kept it from starting; nothing is left behind.
    pub fn start(spawn: &Spawn) -> Result<Self, SpawnError> {
        let pipe = |what| pipe2(OFlag::O_CLOEXEC).map_err(|e| SpawnError { what, source: e.into() });
        let (in_read, in_write) = pipe("no pipe for its input")?;
        let (out_read, out_write) = pipe("no pipe for its output")?;
        let (err_read, err_write) = pipe("no pipe for its errors")?;
        for end in [&in_write, &out_read, &err_read] {
            set_nonblocking(end).map_err(|source| SpawnError { what: "no non-blocking pipe", source })?;
        }
        let mut command = Command::new(&spawn.program);
        command.args(&spawn.args).envs(spawn.env.iter().map(|(key, value)| (key, value)));
        command.stdin(Stdio::from(in_read)).stdout(Stdio::from(out_write)).stderr(Stdio::from(err_write));
        match spawn.place {
            Place::OwnGroup => {
                for end in [&in_write, &out_read] {
                    // Asked for, never relied on.
                    let _ = fcntl(end, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
                }
                command.process_group(0);
            }
            Place::CallersGroup => dies_with_its_parent(&mut command),
        }
        let child = command.spawn().map_err(|source| SpawnError { what: "cannot be started", source })?;
        let pid = Pid::from_raw(child.id().cast_signed());
        // From here on the process is ours to reap by its pid; the standard
        // library's handle neither kills nor reaps on drop.
        drop(child);
        let exit = match pidfd_open(pid) {
            Ok(fd) => fd,
            Err(source) => {
                signal(pid, spawn.place, Signal::SIGKILL);
                let _ = reap(pid, 0);
                return Err(SpawnError { what: "its end cannot be watched (pidfd_open)", source });
            }
        };
        let (stdin, stdout, stderr) = (File::from(in_write), File::from(out_read), Some(File::from(err_read)));
        Ok(Self { pid, place: spawn.place, exit, stdin, stdout, stderr, reaped: false })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid.as_raw().unsigned_abs()
    }

    pub(crate) fn is_reaped(&self) -> bool {
        self.reaped
    }

    /// A descriptor that is readable once the process has ended.
    #[must_use]
    pub fn exit_fd(&self) -> BorrowedFd<'_> {
        self.exit.as_fd()
    }

    /// Sends a signal to the group that it leads, and to itself if it has left
    /// that or leads none. After it was reaped, nothing happens: its id may
    /// belong to someone else by then.
    pub fn signal_group(&self, name: Signal) {
        if !self.reaped {
            signal(self.pid, self.place, name);
        }
    }

    /// Reaps it if it has ended. What is left of its group is killed first,
    /// while its id is still its own.
    pub fn try_reap(&mut self) -> Option<(Ended, Usage)> {
        if self.reaped {
            return None;
        }
        if !has_ended(self.pid) {
            return None;
        }
        self.signal_group(Signal::SIGKILL);
        let result = reap(self.pid, libc::WNOHANG)?;
        self.reaped = true;
        Some(result)
    }
}

impl Drop for Spawned {
    /// A child is never left behind: whoever lets go of a living one ends it.
    fn drop(&mut self) {
        if !self.reaped {
            self.signal_group(Signal::SIGKILL);
            let _ = reap(self.pid, 0);
        }
    }
}

fn signal(pid: Pid, place: Place, signal: Signal) {
    if place != Place::OwnGroup || killpg(pid, signal).is_err() {
        // It may have ended already.
        let _ = kill(pid, signal);
    }
}

/// Has the child killed when the thread dies that spawns it, also if that is so
/// early that the child has not begun.
fn dies_with_its_parent(command: &mut Command) {
    let parent = std::process::id().cast_signed();
    let bind = move || {
        // SAFETY: both calls are system calls that take and give plain numbers.
        let (asked, is_orphan) =
            unsafe { (libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL), libc::getppid() != parent) };
        match () {
            () if asked < 0 => Err(io::Error::last_os_error()),
            () if is_orphan => Err(io::Error::from_raw_os_error(libc::ESRCH)),
            () => Ok(()),
        }
    };
    // SAFETY: what runs between fork and exec makes two system calls and
    // allocates nothing.
    unsafe { command.pre_exec(bind) };
}

fn set_nonblocking(fd: &OwnedFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

fn pidfd_open(pid: Pid) -> io::Result<OwnedFd> {
    // SAFETY: the call takes a process id and flags and touches no memory of ours.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    let Some(fd) = i32::try_from(fd).ok().filter(|&fd| fd >= 0) else {
        return Err(io::Error::last_os_error());
    };
    // SAFETY: the call has just made this descriptor (close-on-exec) and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Whether the process has ended, without reaping it.
fn has_ended(pid: Pid) -> bool {
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

/// `wait4` for this one process; `None` if it has not ended (with `WNOHANG`).
pub(crate) fn reap(pid: Pid, flags: i32) -> Option<(Ended, Usage)> {
    let mut status = 0;
    // SAFETY: rusage is plain data for which all zeroes is a value.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to locals that outlive the call.
        let result = unsafe { libc::wait4(pid.as_raw(), &raw mut status, flags, &raw mut usage) };
        match result {
            0 => return None,
            -1 if Errno::last() == Errno::EINTR => {}
            // With an ignored SIGCHLD the kernel reaps by itself.
            -1 => return Some((Ended::Unknown, Usage::default())),
            _ => break,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PollSet;
    use std::io::{Read, Write};

    fn start(program: &str, args: &[&str]) -> Spawned {
        let args = args.iter().map(OsString::from).collect();
        Spawned::start(&Spawn::leader(program, args)).unwrap()
    }

    fn wait(child: &mut Spawned) -> Ended {
        let mut set = PollSet::default();
        set.add(child.exit_fd(), 0, false);
        set.wait(None).unwrap();
        child.try_reap().unwrap().0
    }

    #[test]
    fn statuses_and_signals_are_told_apart() {
        assert_eq!(wait(&mut start("/bin/sh", &["-c", "exit 3"])), Ended::Status(3));
        assert_eq!(wait(&mut start("/bin/sh", &["-c", "kill -SEGV $$"])), Ended::Signal(11));
    }

    #[test]
    fn pipes_carry_data_and_do_not_block() {
        let mut cat = start("/bin/cat", &[]);
        let mut buffer = [0; 16];
        assert_eq!(cat.stdout.read(&mut buffer).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        cat.stdin.write_all(b"hello").unwrap();
        let mut set = PollSet::default();
        set.add(cat.stdout.as_fd(), 0, false);
        set.wait(None).unwrap();
        assert_eq!(cat.stdout.read(&mut buffer).unwrap(), 5);
        assert!(cat.try_reap().is_none());
        cat.signal_group(Signal::SIGTERM);
        assert_eq!(wait(&mut cat), Ended::Signal(15));
    }

    #[test]
    fn the_group_dies_with_its_leader() {
        let mut shell = start("/bin/sh", &["-c", "sleep 1000 & echo $!; exec sleep 1000"]);
        let mut set = PollSet::default();
        set.add(shell.stdout.as_fd(), 0, false);
        set.wait(None).unwrap();
        shell.signal_group(Signal::SIGKILL);
        assert_eq!(wait(&mut shell), Ended::Signal(9));
        // The grandchild held the pipe open: its end is the pipe's end.
        let mut set = PollSet::default();
        let mut rest = Vec::new();
        loop {
            set.clear();
            set.add(shell.stdout.as_fd(), 0, false);
            set.wait(None).unwrap();
            if shell.stdout.read_to_end(&mut rest).is_ok() {
                break;
            }
        }
    }

    /// Leaves its group for its parent's, and stays.
    #[test]
    #[ignore = "the process of the test below"]
    fn leave_the_group() {
        use nix::unistd::{getpgid, getppid, setpgid};
        let theirs = getpgid(Some(getppid())).unwrap();
        setpgid(Pid::from_raw(0), theirs).unwrap();
        loop {
            std::thread::park();
        }
    }

    #[test]
    fn who_left_its_group_is_reached_all_the_same() {
        let args = ["--exact", "child::tests::leave_the_group", "--ignored"];
        let mut child = start(std::env::current_exe().unwrap().to_str().unwrap(), &args);
        while nix::unistd::getpgid(Some(child.pid)) == Ok(child.pid) {
            std::thread::yield_now();
        }
        child.signal_group(Signal::SIGKILL);
        let mut set = PollSet::default();
        set.add(child.exit_fd(), 0, false);
        set.wait(Some(Duration::from_secs(5))).unwrap();
        let ended = child.try_reap();
        if ended.is_none() {
            // So that the failure comes to an end, too.
            kill(child.pid, Signal::SIGKILL).unwrap();
        }
        assert_eq!(ended.unwrap().0, Ended::Signal(9));
    }

    #[test]
    fn a_program_of_a_worker_s_stays_in_its_group_and_dies_with_the_thread() {
        use nix::unistd::{getpgid, getpgrp};
        let spawn = || {
            let args = ["-c", "echo $KEY; echo oops >&2; exec sleep 1000"].map(OsString::from).to_vec();
            let env = vec![("KEY".into(), "value".into())];
            let program = "/bin/sh".into();
            Spawned::start(&Spawn { program, args, env, place: Place::CallersGroup }).unwrap()
        };
        // On a thread of its own, whose end is the end of the program.
        let mut child = std::thread::spawn(move || {
            let child = spawn();
            let mut set = PollSet::default();
            set.add(child.stdout.as_fd(), 0, false);
            set.wait(None).unwrap();
            let mut said = [0; 16];
            assert_eq!((&child.stdout).read(&mut said).unwrap(), 6);
            assert_eq!(&said[..6], b"value\n");
            assert_eq!(getpgid(Some(child.pid)), Ok(getpgrp()));
            child
        })
        .join()
        .unwrap();
        assert_eq!(wait(&mut child), Ended::Signal(9));
        let mut said = [0; 16];
        assert_eq!(child.stderr.take().unwrap().read(&mut said).unwrap(), 5);
        assert_eq!(&said[..5], b"oops\n");
    }

    #[test]
    fn what_cannot_start_says_why() {
        let missing = Spawned::start(&Spawn::leader("/no/such/program", vec![])).unwrap_err();
        assert!(!missing.is_temporary());
        assert!(missing.to_string().contains("cannot be started"), "{missing}");
    }
}
