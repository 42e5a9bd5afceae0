//! One wait for many file descriptors.

use crate::shortage::{Shortage, is_temporary};
use nix::errno::Errno;
use nix::libc;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// The descriptors to wait for, each with a key chosen by the caller.
#[derive(Debug, Default)]
pub struct PollSet {
    fds: Vec<libc::pollfd>,
    keys: Vec<u64>,
    shortage: Option<Shortage>,
}

/// A descriptor that is ready.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The caller's key. The descriptor is readable or writable, or the other end is
    /// closed: then a read returns end of file and a write fails.
    pub key: u64,
}

impl PollSet {
    /// Removes all descriptors and keeps the memory.
    pub fn clear(&mut self) {
        self.fds.clear();
        self.keys.clear();
    }

    /// Adds a descriptor: waits until it is writable if `write`, else readable.
    pub fn add(&mut self, fd: BorrowedFd<'_>, key: u64, write: bool) {
        let events = if write { libc::POLLOUT } else { libc::POLLIN };
        self.fds.push(libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 });
        self.keys.push(key);
    }

    /// Waits until a descriptor is ready or the timeout has passed; without a timeout
    /// for any time. A signal ends the wait as the timeout does, and so does a kernel
    /// that has no memory for it, after a pause that grows from wait to wait.
    ///
    /// # Errors
    /// The system call failed, or there was no memory for 30 s.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let time = timeout.map(|t| libc::timespec {
            tv_sec: libc::time_t::try_from(t.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: libc::c_long::from(t.subsec_nanos().cast_signed()),
        });
        let time_pointer = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let count = libc::nfds_t::try_from(self.fds.len()).unwrap_or(libc::nfds_t::MAX);
        // SAFETY: the array is valid for `count` entries and only the call writes to it.
        // The time, if given, outlives the call. No signal mask is passed.
        let result = unsafe { libc::ppoll(self.fds.as_mut_ptr(), count, time_pointer, std::ptr::null()) };
        if result >= 0 {
            self.shortage = None;
            return Ok(());
        }
        for fd in &mut self.fds {
            fd.revents = 0;
        }
        match Errno::last() {
            Errno::EINTR => Ok(()),
            errno => {
                let error = io::Error::from(errno);
                let longest = timeout.unwrap_or(Duration::MAX);
                let goes_on =
                    is_temporary(&error) && self.shortage.get_or_insert_with(Shortage::begin).sit_out(longest);
                if goes_on { Ok(()) } else { Err(error) }
            }
        }
    }

    /// The descriptors that were ready at the end of the last wait.
    pub fn ready(&self) -> impl Iterator<Item = Ready> + '_ {
        self.fds.iter().zip(&self.keys).filter(|(fd, _)| fd.revents != 0).map(|(_, &key)| Ready { key })
    }
}
