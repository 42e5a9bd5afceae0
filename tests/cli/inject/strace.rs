//! The system calls that fail, and how: through strace.

use crate::support::{Ended, Place};
use std::collections::HashMap;
use std::fmt;
use std::process::{Command, Stdio};

/// A run under strace takes a second or two; one that takes this long hangs.
const HANGS_AFTER_S: &str = "60";

/// A kind of system call, and the error that it fails with.
#[derive(Debug)]
pub(super) struct SyscallFault {
    /// The calls, separated by commas.
    calls: &'static str,
    error: &'static str,
}

const fn fault(calls: &'static str, error: &'static str) -> SyscallFault {
    SyscallFault { calls, error }
}

/// All that is tried.
pub(super) const FAULTS: [SyscallFault; 15] = [
    fault("write,writev,pwrite64", "ENOSPC"),
    fault("write,writev,pwrite64", "EINTR"),
    fault("read,readv,pread64", "EIO"),
    fault("read,readv,pread64", "EINTR"),
    fault("?poll,ppoll", "ENOMEM"),
    fault("?poll,ppoll", "EINTR"),
    fault("pipe2", "EMFILE"),
    fault("?fork,?vfork,clone,clone3", "EAGAIN"),
    fault("fsync,fdatasync", "EIO"),
    fault("?rename,renameat,renameat2", "ENOSPC"),
    fault("ftruncate", "EIO"),
    fault("flock", "ENOLCK"),
    fault("openat", "EMFILE"),
    fault("?mkdir,mkdirat", "ENOSPC"),
    fault("execve", "ENOMEM"),
];

impl fmt::Display for SyscallFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.calls.trim_start_matches('?').split(',').next().unwrap_or_default(), self.error)
    }
}

/// Whether strace can be used here.
pub(super) fn is_installed() -> bool {
    let probe = Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    probe.is_ok_and(|status| status.success())
}

/// The coordinator under strace, with its children.
fn traced(place: &Place, options: &[&str], args: &[&str]) -> Command {
    let coordinator = assert_cmd::cargo::cargo_bin!("coordinator");
    let mut command = place.shell(HANGS_AFTER_S.parse().expect("a number"), "exec \"$@\"");
    command.args(["sh", "strace", "-f", "-qq", "-o", "strace.log"]).args(options);
    command.arg(coordinator).args(args);
    command
}

/// How often the calls are made, by the thread that makes most of them.
pub(super) fn count(place: &Place, fault: &SyscallFault, args: &[&str]) -> usize {
    let ended =
        Ended::of(traced(place, &["-e", &format!("trace={}", fault.calls)], args).spawn().expect("strace starts"));
    assert_eq!(ended.status, 0, "without a failure: {}", ended.err);
    let mut calls = HashMap::new();
    for line in place.read("strace.log").lines().filter(|line| !line.contains(" resumed>")) {
        // The thread's id, the call's name up to its parenthesis.
        let Some((thread, call)) = line.split_once('(').and_then(|(head, _)| head.split_once(char::is_whitespace))
        else {
            continue;
        };
        *calls.entry((thread.to_owned(), call.trim().to_owned())).or_insert(0) += 1;
    }
    calls.into_values().max().unwrap_or(0)
}

/// Runs the coordinator; in each of its threads and processes the `nth` of the calls
/// fails.
///
/// # Errors
/// If it hangs.
pub(super) fn run(place: &Place, fault: &SyscallFault, nth: usize, args: &[&str]) -> Result<Ended, String> {
    let inject = format!("inject={}:error={}:when={nth}", fault.calls, fault.error);
    let child = traced(place, &["-e", &inject], args).spawn().expect("strace starts");
    let output = child.wait_with_output().expect("strace ends");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    match output.status.code() {
        Some(124) => Err(format!("a hang: it ran for {HANGS_AFTER_S} s\n{err}")),
        code => Ok(Ended { status: code.unwrap_or(-1), out, err }),
    }
}
