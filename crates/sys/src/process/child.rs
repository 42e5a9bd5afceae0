//! A worker process as its parent sees it: spawned with pipes, watched through
//! a pidfd, signalled, and reaped by process id.
//!
//! The process leads a process group of its own. It is spawned through the
//! standard library's `posix_spawn` path. That path allows no code between fork
//! and exec, so there is no `pre_exec`: whatever a worker must set for itself,
//! it sets first in `main` (see [`crate::enter_worker`]).

use super::children::pidfd_open;
use super::containment::on_worker_reaped;
use super::exit::{Ended, Usage, has_ended, reap};
use super::spawn_error::SpawnError;
use super::stop_detector::StopDetector;
use super::strangers::starting;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, pipe2};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// The requested capacity of a data pipe, in bytes. The kernel's budget per user
/// is used up at about 32 workers; a later pipe holds less.
const PIPE_BYTES: i32 = 1 << 20;

/// A process and the parent's ends of its pipes, all non-blocking.
#[derive(Debug)]
pub struct Spawned {
    pid: Pid,
    /// Readable once the process has ended.
    exit: OwnedFd,
    /// Writes to the process's standard input.
    pub stdin: File,
    /// Reads the process's standard output.
    pub stdout: File,
    /// Reads the process's standard error, until the caller takes it.
    pub stderr: Option<File>,
    reaped: bool,
    stops: StopDetector,
}

impl Spawned {
    /// Starts the program at this absolute path as the leader of a process group
    /// of its own.
    ///
    /// # Errors
    /// The process could not be started. Nothing is left behind.
    pub fn start(program: &Path, args: &[OsString], variables: &[(&str, String)]) -> Result<Self, SpawnError> {
        let pipe = |what| pipe2(OFlag::O_CLOEXEC).map_err(|e| SpawnError::new(what, e.into()));
        let (in_read, in_write) = pipe("no pipe for its standard input")?;
        let (out_read, out_write) = pipe("no pipe for its standard output")?;
        let (err_read, err_write) = pipe("no pipe for its standard error")?;
        for end in [&in_write, &out_read, &err_read] {
            set_nonblocking(end).map_err(|source| SpawnError::new("no non-blocking pipe", source))?;
        }
        for end in [&in_write, &out_read] {
            // A pipe that stays smaller works, too.
            let _ = fcntl(end, FcntlArg::F_SETPIPE_SZ(PIPE_BYTES));
        }
        let mut command = Command::new(program);
        command.args(args).envs(variables.iter().map(|(name, value)| (name, value))).process_group(0);
        command.stdin(Stdio::from(in_read)).stdout(Stdio::from(out_write)).stderr(Stdio::from(err_write));
        let starting = starting();
        let child = command.spawn().map_err(|source| SpawnError::new("cannot be started", source))?;
        let pid = Pid::from_raw(child.id().cast_signed());
        starting.started(pid);
        // From here on this code reaps the process by its id. The standard
        // library's handle neither kills nor reaps on drop.
        drop(child);
        let exit = match pidfd_open(pid) {
            Ok(fd) => fd,
            Err(source) => {
                signal(pid, Signal::SIGKILL);
                let _ = reap(pid, 0);
                return Err(SpawnError::new("its end cannot be watched (pidfd_open)", source));
            }
        };
        let (stdin, stdout, stderr) = (File::from(in_write), File::from(out_read), Some(File::from(err_read)));
        Ok(Self { pid, exit, stdin, stdout, stderr, reaped: false, stops: StopDetector::default() })
    }

    /// The process id.
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

    /// The signal that stopped the process, once it has been stopped for 1 s in which
    /// the caller was running. Each stop is reported once. Call this at least every
    /// [`StopDetector::LOOK_EVERY`].
    pub fn reports_stop(&mut self) -> Option<Signal> {
        if self.reaped { None } else { self.stops.look(self.pid) }
    }

    /// Sends a signal to the process's group, or to the process alone if it has
    /// left that group. Does nothing after the process was reaped: its id may
    /// belong to another process by then.
    pub fn signal_group(&self, name: Signal) {
        if !self.reaped {
            signal(self.pid, name);
        }
    }

    /// Reaps the process if it has ended. The rest of its group is killed first,
    /// while the group id cannot belong to other processes.
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
        on_worker_reaped(self.pid, result.0);
        Some(result)
    }
}

impl Drop for Spawned {
    /// Kills and reaps a process that is still alive.
    fn drop(&mut self) {
        if !self.reaped {
            self.signal_group(Signal::SIGKILL);
            let _ = reap(self.pid, 0);
            on_worker_reaped(self.pid, Ended::Unknown);
        }
    }
}

fn signal(pid: Pid, signal: Signal) {
    if killpg(pid, signal).is_err() {
        // An error means that the process has ended already.
        let _ = kill(pid, signal);
    }
}

fn set_nonblocking(fd: &OwnedFd) -> io::Result<()> {
    let flags = OFlag::from_bits_retain(fcntl(fd, FcntlArg::F_GETFL)?);
    fcntl(fd, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PollSet;
    use std::io::{Read, Write};
    use std::time::Duration;

    fn start(program: &str, args: &[&str]) -> Spawned {
        let args: Vec<_> = args.iter().map(OsString::from).collect();
        Spawned::start(program.as_ref(), &args, &[]).unwrap()
    }

    fn wait(child: &mut Spawned) -> Ended {
        let mut set = PollSet::default();
        set.add(child.exit_fd(), 0, false);
        set.wait(None).unwrap();
        child.try_reap().unwrap().0
    }

    #[test]
    fn exit_statuses_and_signals_are_distinguished() {
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
    fn a_signal_reaches_the_whole_group() {
        let mut shell = start("/bin/sh", &["-c", "sleep 1000 & echo $!; exec sleep 1000"]);
        let mut set = PollSet::default();
        set.add(shell.stdout.as_fd(), 0, false);
        set.wait(None).unwrap();
        shell.signal_group(Signal::SIGKILL);
        assert_eq!(wait(&mut shell), Ended::Signal(9));
        // The grandchild holds the pipe open: end of file shows that it has ended.
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

    /// Joins its parent's process group, and stays alive.
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
    fn a_process_that_left_its_group_still_gets_the_signal() {
        let args = ["--exact", "process::child::tests::leave_the_group", "--ignored"];
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
            // So that a failing test ends, too.
            kill(child.pid, Signal::SIGKILL).unwrap();
        }
        assert_eq!(ended.unwrap().0, Ended::Signal(9));
    }

    #[test]
    fn a_failed_start_says_why() {
        let missing = Spawned::start("/no/such/program".as_ref(), &[], &[]).unwrap_err();
        assert!(!missing.is_temporary());
        assert!(missing.to_string().contains("cannot be started"), "{missing}");
    }
}
