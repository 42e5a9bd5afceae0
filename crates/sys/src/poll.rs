//! One wait for many descriptors.

use nix::errno::Errno;
use nix::libc;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

/// The descriptors to wait for, each with a key of the caller's.
#[derive(Debug, Default)]
pub struct PollSet {
    fds: Vec<libc::pollfd>,
    keys: Vec<u64>,
}

/// A descriptor about which there is news.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The caller's key. What was waited for is there, or the other end is
    /// gone: then a read meets the end of file and a write fails.
    pub key: u64,
}

impl PollSet {
    /// Forgets all descriptors, keeping the memory.
    pub fn clear(&mut self) {
        self.fds.clear();
        self.keys.clear();
    }

    /// Waits also for this descriptor: to be writable if `write`, else readable.
    pub fn add(&mut self, fd: BorrowedFd<'_>, key: u64, write: bool) {
        let events = if write { libc::POLLOUT } else { libc::POLLIN };
        self.fds.push(libc::pollfd { fd: fd.as_raw_fd(), events, revents: 0 });
        self.keys.push(key);
    }

    /// Waits until there is news or the time is over; for ever without one.
    /// Interruption by a signal counts as the time being over.
    ///
    /// # Errors
    /// What the system says.
    pub fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let time = timeout.map(|t| libc::timespec {
            tv_sec: libc::time_t::try_from(t.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: libc::c_long::from(t.subsec_nanos().cast_signed()),
        });
        let time_pointer = time.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        let count = libc::nfds_t::try_from(self.fds.len()).unwrap_or(libc::nfds_t::MAX);
        // SAFETY: the array is valid for `count` entries and is written by the call only;
        // the time, where given, outlives the call; no signal mask is passed.
        let result = unsafe { libc::ppoll(self.fds.as_mut_ptr(), count, time_pointer, std::ptr::null()) };
        if result >= 0 {
            return Ok(());
        }
        for fd in &mut self.fds {
            fd.revents = 0;
        }
        match Errno::last() {
            Errno::EINTR => Ok(()),
            errno => Err(errno.into()),
        }
    }

    /// The descriptors with news, as of the last wait.
    pub fn ready(&self) -> impl Iterator<Item = Ready> + '_ {
        self.fds.iter().zip(&self.keys).filter(|(fd, _)| fd.revents != 0).map(|(_, &key)| Ready { key })
    }
}
