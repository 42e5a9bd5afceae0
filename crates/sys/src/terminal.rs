//! The controlling terminal, which neither a worker nor a program of the user may
//! use: whoever reads it from a background process group is stopped, together with
//! its whole group, and no event reports that.
//!
//! A process that gives the terminal up stays in its session and process group, so
//! signals for the group, Ctrl-C and job control of the shell are not affected. From
//! then on `/dev/tty` cannot be opened, here and in all processes that are started
//! from here.

use nix::fcntl::OFlag;
use nix::libc;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;

/// The controlling terminal of this process, if it has one and may open it. If it
/// may not, the programs that it starts may not either.
pub(crate) fn controlling_terminal() -> Option<File> {
    let flags = (OFlag::O_NOCTTY | OFlag::O_NONBLOCK).bits();
    File::options().read(true).custom_flags(flags).open("/dev/tty").ok()
}

/// Gives up the controlling terminal of this process, which must not lead its
/// session: of a leader the kernel would take it for the whole session.
pub(crate) fn leave_terminal() -> io::Result<()> {
    let Some(terminal) = controlling_terminal() else { return Ok(()) };
    // SAFETY: the request takes no argument.
    let left = unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCNOTTY) };
    if left < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
