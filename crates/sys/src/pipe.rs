//! The fill level of a pipe.

use nix::libc;
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// The number of bytes in a pipe that were not read yet; either end may be passed.
///
/// # Errors
/// The descriptor is not a pipe, for example.
pub fn unread_bytes(pipe: &impl AsFd) -> io::Result<usize> {
    let mut bytes: libc::c_int = 0;
    // SAFETY: the call writes one int, to a local that outlives it.
    let result = unsafe { libc::ioctl(pipe.as_fd().as_raw_fd(), libc::FIONREAD, &raw mut bytes) };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(usize::try_from(bytes).unwrap_or(0)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn both_ends_of_a_pipe_report_the_unread_bytes() {
        let (mut read, mut write) = io::pipe().unwrap();
        write.write_all(b"hello").unwrap();
        assert_eq!((unread_bytes(&read).unwrap(), unread_bytes(&write).unwrap()), (5, 5));
        read.read_exact(&mut [0; 3]).unwrap();
        assert_eq!(unread_bytes(&write).unwrap(), 2);
    }
}
