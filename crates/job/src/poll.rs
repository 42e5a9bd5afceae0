//! Waits for a file descriptor that does not block. Its flags are left alone:
//! other processes may share them.

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::File;
use std::io;
use std::os::fd::AsFd as _;

/// Waits until a descriptor that does not block can be used.
pub(crate) fn wait_for(file: &File, for_what: PollFlags) -> io::Result<()> {
    let mut descriptors = [PollFd::new(file.as_fd(), for_what)];
    match poll(&mut descriptors, PollTimeout::NONE) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
