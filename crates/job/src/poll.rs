//! Waits for a file descriptor in non-blocking mode. The mode is not changed,
//! because other processes may share it.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;

/// Waits until a file descriptor in non-blocking mode is ready.
pub(crate) fn wait_for(file: &File, for_what: PollFlags) -> io::Result<()> {
    let mut descriptors = [PollFd::new(file.as_fd(), for_what)];
    match poll(&mut descriptors, PollTimeout::NONE) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
