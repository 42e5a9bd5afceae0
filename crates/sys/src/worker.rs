//! The setup of a worker process, which `main` must do first and before any thread
//! starts. The protocol moves to file descriptors of its own, so that a task can
//! print and read without damage to it. The process is bound to its parent.

use nix::libc;
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::FromRawFd;

/// The protocol's file descriptors.
const PROTOCOL_IN: i32 = 3;
const PROTOCOL_OUT: i32 = 4;

/// The two ends of the protocol.
#[derive(Debug)]
pub struct Protocol {
    /// Reads the coordinator's messages.
    pub input: File,
    /// Writes messages to the coordinator.
    pub output: File,
}

/// Why this process can't be a worker.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The system refused a step.
    #[error("{0}: {1}")]
    System(&'static str, io::Error),
    /// The parent is not the expected process.
    #[error("the coordinator is gone")]
    Orphan,
}

/// Makes this process a worker:
/// - moves the protocol away from standard input and output (the input becomes
///   empty, the output goes to standard error),
/// - closes every other inherited file descriptor,
/// - gives up the controlling terminal: whoever reads it from here would be stopped,
/// - unblocks signals, and survives a write beyond the file size limit,
/// - learns for how long the coordinator held it (see [`crate::running_ns`]),
/// - asks the kernel to kill it when the coordinator dies.
///
/// Call it once, before any thread starts and before anything else opens a file
/// descriptor: all above the standard ones are closed.
///
/// # Errors
/// The system refused a step, or the coordinator has ended already.
pub fn enter_worker(coordinator: u32) -> Result<Protocol, SetupError> {
    check("the protocol's input", duplicate(0, PROTOCOL_IN))?;
    check("the protocol's output", duplicate(1, PROTOCOL_OUT))?;
    // SAFETY: closes inherited descriptors; nothing in this process owns one yet (see
    // above).
    let closed = unsafe { libc::syscall(libc::SYS_close_range, PROTOCOL_OUT + 1, libc::c_uint::MAX, 0) };
    if closed < 0 {
        close_one_by_one();
    }
    let null = File::options().read(true).open("/dev/null").map_err(|e| SetupError::System("/dev/null", e))?;
    // SAFETY: dup2 replaces the standard descriptors; no object owns them.
    check("standard input", unsafe { libc::dup2(std::os::fd::AsRawFd::as_raw_fd(&null), 0) })?;
    // SAFETY: as above.
    check("standard output", unsafe { libc::dup2(2, 1) })?;
    crate::terminal::leave_terminal().map_err(|e| SetupError::System("the controlling terminal", e))?;
    nix::sys::signal::SigSet::empty().thread_set_mask().map_err(|e| SetupError::System("signal mask", e.into()))?;
    crate::signals::survive_file_size_limit().map_err(|e| SetupError::System("the file size limit's signal", e))?;
    crate::pause::listen_for_pauses().map_err(|e| SetupError::System("the signal SIGCONT", e))?;
    die_with(coordinator)?;
    // SAFETY: both were just created by `duplicate` and are handed out once.
    let (input, output) = unsafe { (File::from_raw_fd(PROTOCOL_IN), File::from_raw_fd(PROTOCOL_OUT)) };
    Ok(Protocol { input, output })
}

fn duplicate(from: i32, to: i32) -> i32 {
    // SAFETY: `to` is replaced; no object of this process owns it yet.
    unsafe { libc::dup3(from, to, libc::O_CLOEXEC) }
}

fn check(what: &'static str, result: i32) -> Result<(), SetupError> {
    if result < 0 { Err(SetupError::System(what, io::Error::last_os_error())) } else { Ok(()) }
}

/// For kernels without `close_range`.
fn close_one_by_one() {
    for fd in PROTOCOL_OUT + 1..1024 {
        // SAFETY: as for `close_range`; closing a descriptor that is not open does
        // nothing.
        unsafe { libc::close(fd) };
    }
}

/// Asks the kernel for SIGKILL at the parent's death, then checks that the parent
/// did not die before that.
fn die_with(coordinator: u32) -> Result<(), SetupError> {
    crate::process::note_coordinator(coordinator);
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL)
        .map_err(|e| SetupError::System("parent-death signal", e.into()))?;
    if nix::unistd::getppid().as_raw().unsigned_abs() == coordinator { Ok(()) } else { Err(SetupError::Orphan) }
}

/// Makes process lists show this program's name instead of the name of the link
/// that started it.
///
/// # Errors
/// The name can't be found or set.
pub fn show_own_name() -> io::Result<()> {
    let program = std::fs::read_link("/proc/self/exe")?;
    let name = program.file_name().unwrap_or_default();
    // The system cuts a name that is too long.
    let name = CString::new(name.as_encoded_bytes())?;
    Ok(nix::sys::prctl::set_name(&name)?)
}

/// This host's name, as UTF-8.
#[must_use]
pub fn hostname() -> String {
    nix::unistd::gethostname().map_or_else(|_| "localhost".to_owned(), |name| name.to_string_lossy().into_owned())
}
