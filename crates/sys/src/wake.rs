//! Wakes a thread that waits in a poll.

use nix::sys::eventfd::{EfdFlags, EventFd};
use std::os::fd::{AsFd, BorrowedFd};

/// An event counter that a poll can wait for.
#[derive(Debug)]
pub struct WakeUp(EventFd);

impl WakeUp {
    /// A counter at zero.
    ///
    /// # Errors
    /// No file descriptor is left.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?))
    }

    /// Makes the descriptor readable.
    pub fn wake(&self) {
        // This can fail only if the counter is full, and then the descriptor is readable.
        let _ = self.0.write(1);
    }

    /// Makes the descriptor unreadable again.
    pub fn clear(&self) {
        let _ = self.0.read();
    }
}

impl AsFd for WakeUp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PollSet;
    use std::time::Duration;

    #[test]
    fn a_wake_up_before_or_during_a_poll_ends_it() {
        let wake = WakeUp::new().unwrap();
        let mut set = PollSet::default();
        let mut ready = || {
            set.clear();
            set.add(wake.as_fd(), 7, false);
            set.wait(Some(Duration::ZERO)).unwrap();
            set.ready().count()
        };
        assert_eq!(ready(), 0);
        wake.wake();
        wake.wake();
        assert_eq!(ready(), 1);
        wake.clear();
        assert_eq!(ready(), 0);
    }
}
