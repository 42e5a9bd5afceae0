//! The watcher of a call: a process that ends what the user's programs have left when
//! the coordinator dies without ending them. Workers do that, too, but they may be
//! killed at the same moment.
//!
//! The coordinator holds one end of a socket, the watcher the other: its end of file
//! is the coordinator's death. The watcher then looks for processes that have the
//! call's mark in the environment with which they were started.
//!
//! The watcher is no child of the coordinator, whose children are its workers. Its
//! parent, which is, ends at once.

use super::children::kill_until_none;
use super::strangers::OwnChild;
use crate::clock::monotonic_ns;
use crate::own_program::has_more_rights_than_caller;
use nix::libc;
use nix::sys::signal::{SigHandler, Signal, signal};
use nix::unistd::{ForkResult, fork, setsid};
use std::ffi::{CString, OsStr, OsString};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

/// The name under which the watcher is started, and that process lists show.
const NAME: &str = "procession-watcher";
/// The variable with the mark, in the environment of the user's programs.
const MARK: &str = "PROCESSION_CALL";
/// The variable that tells a worker the mark of its programs. It has another name, so
/// that the watcher leaves the workers alone: they end what has lost its mark.
const MARK_FOR_WORKERS: &str = "PROCESSION_PROGRAM_MARK";
/// How long the watcher goes on to end processes, and is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// The mark of this process's call, while it has a watcher.
static CALL: OnceLock<String> = OnceLock::new();

/// The watcher of this call. Dropping it ends all processes that the user's programs
/// have left, and waits for that, 5 s at most.
#[derive(Debug)]
pub struct Watcher(UnixStream);

impl Watcher {
    /// Starts the watcher: this program under another name, which has to call
    /// [`watch_if_asked`] first thing in `main`. To be called before
    /// [`super::contain_programs`], which would make the watcher a child of this process.
    ///
    /// # Errors
    /// It can't be started.
    pub fn start() -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let mark = format!("{}-{}", std::process::id(), monotonic_ns());
        let status = {
            let mut command = Command::new("/proc/self/exe");
            command.arg0(NAME).arg(&mark).env_clear();
            command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::null());
            OwnChild::start(&mut command)?.wait()?
        };
        if !status.success() {
            return Err(io::Error::other(format!("the watcher's start ended with {status}")));
        }
        ours.set_read_timeout(Some(PATIENCE))?;
        // Set already: a call has one watcher.
        let _ = CALL.set(mark);
        Ok(Self(ours))
    }

    /// The call ends regularly: what its programs have left stays.
    pub fn dismiss(mut self) {
        // An error means that the watcher is gone.
        let _ = self.0.write_all(b".");
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.0.shutdown(Shutdown::Write);
        // Nothing is ever written to this end: the read returns when the watcher has ended.
        let _ = self.0.read(&mut [0]);
    }
}

/// The environment variable that a worker needs, as name and value, while this process
/// has a watcher.
#[must_use]
pub fn mark_for_workers() -> Option<(&'static str, String)> {
    Some((MARK_FOR_WORKERS, CALL.get()?.clone()))
}

/// The variable that marks a program of the user as part of this call (`NAME=VALUE`).
#[must_use]
pub fn program_mark() -> Option<CString> {
    let mark = CALL.get().map(OsString::from).or_else(|| std::env::var_os(MARK_FOR_WORKERS))?;
    variable(&mark)
}

fn variable(mark: &OsStr) -> Option<CString> {
    CString::new([MARK.as_bytes(), b"=", mark.as_bytes()].concat()).ok()
}

/// Serves as the watcher if this program was started as one, and then does not return.
/// To be called first thing in `main`, before any thread starts.
pub fn watch_if_asked() {
    let mut args = std::env::args_os();
    if args.next().is_none_or(|name| name != NAME) || has_more_rights_than_caller() {
        return;
    }
    let Some(mark) = args.next().as_deref().and_then(variable) else { return };
    std::process::exit(i32::from(watch(&mark).is_err()));
}

fn watch(mark: &CString) -> io::Result<()> {
    // SAFETY: this process has just begun, and owns none of the descriptors that it has
    // inherited beside the standard ones.
    unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, 0) };
    setsid()?;
    std::env::set_current_dir("/")?;
    nix::sys::prctl::set_name(&CString::new(NAME)?)?;
    for name in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP] {
        // It ends soon after its coordinator, whatever signal both are sent.
        // SAFETY: no code of ours runs.
        unsafe { signal(name, SigHandler::SigIgn) }?;
    }
    // SAFETY: this process has one thread, so its copy has all that it needs.
    if let ForkResult::Parent { .. } = unsafe { fork() }? {
        return Ok(());
    }
    let mut farewell = [0];
    loop {
        match io::stdin().read(&mut farewell) {
            Ok(0) => break,
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    end_marked(mark);
    Ok(())
}

/// Kills all processes with this variable in their environment.
fn end_marked(mark: &CString) {
    let needle = [b"\0", mark.as_bytes_with_nul()].concat();
    kill_until_none(|end| marked(&needle).for_each(end), PATIENCE);
}

/// The processes whose environment holds this text.
fn marked(needle: &[u8]) -> impl Iterator<Item = i32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten();
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter(|pid| has_in_environment(*pid, needle))
}

fn has_in_environment(pid: i32, needle: &[u8]) -> bool {
    // The environment of other users' processes is not readable.
    let Ok(environment) = std::fs::read(format!("/proc/{pid}/environ")) else { return false };
    // Each variable ends in NUL; so the first, too, stands after one.
    let environment = [b"\0", &environment[..]].concat();
    environment.windows(needle.len()).any(|window| window == needle)
}
