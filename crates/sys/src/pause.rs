//! Stopping and going on: a coordinator holds its workers, lets them go again
//! and tells them for how long they were held; a program stops itself as
//! Ctrl-Z would have it.
//!
//! SIGSTOP can be neither seen nor refused, so a worker can't know how long it
//! was stopped. The coordinator sends the number with the SIGCONT: in all, not
//! since the last time, because a stop takes back a SIGCONT that was not yet
//! heard.

use crate::child::Spawned;
use crate::clock::{note_paused, stand_still};
use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use std::io;
use std::time::Duration;

impl Spawned {
    /// Stops its whole group.
    pub fn hold(&self) {
        self.signal_group(Signal::SIGSTOP);
    }

    /// Lets its group go on, and tells the process, if it listens (see
    /// [`crate::enter_worker`]), for how long it was held in all.
    pub fn release(&self, held: Duration) {
        self.queue_continue(u64::try_from(held.as_nanos()).unwrap_or(u64::MAX));
        // The rest of the group, and all of it where nothing could be queued.
        self.signal_group(Signal::SIGCONT);
    }

    fn queue_continue(&self, ns: u64) {
        if self.is_reaped() {
            return;
        }
        let value =
            libc::sigval { sival_ptr: std::ptr::without_provenance_mut(usize::try_from(ns).unwrap_or(usize::MAX)) };
        // SAFETY: the call takes plain values; the pointer is a number to both sides.
        unsafe { libc::sigqueue(self.pid().cast_signed(), libc::SIGCONT, value) };
    }
}

/// Listens to what comes with a SIGCONT.
pub(crate) fn hear_of_pauses() -> io::Result<()> {
    extern "C" fn heard(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // SAFETY: the kernel hands a valid structure to a handler that asks for one.
        let info = unsafe { &*info };
        if info.si_code == libc::SI_QUEUE {
            // SAFETY: a queued signal carries a value.
            note_paused(unsafe { info.si_value() }.sival_ptr.addr() as u64);
        }
    }
    let flags = SaFlags::SA_RESTART | SaFlags::SA_SIGINFO | SaFlags::SA_ONSTACK;
    let hear = SigAction::new(SigHandler::SigAction(heard), flags, SigSet::empty());
    // SAFETY: the handler stores a number, which is safe at any moment.
    unsafe { sigaction(Signal::SIGCONT, &hear) }?;
    Ok(())
}

/// Stops this process as an unhandled Ctrl-Z does; returns when it goes on. In
/// a group that no shell looks after, where the system lets nobody be stopped
/// so, it returns at once. The pause is not in [`crate::running_ns`].
///
/// # Errors
/// What the system says.
pub fn stop_self() -> io::Result<()> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code of ours.
    let before = unsafe { sigaction(Signal::SIGTSTP, &default) }?;
    // To this thread, so that it is not on its way before the stop begins.
    let raised = stand_still(|| raise(Signal::SIGTSTP));
    // SAFETY: it was in place before.
    unsafe { sigaction(Signal::SIGTSTP, &before) }?;
    Ok(raised?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{coarse_running_ns, monotonic_ns, running_ns};
    use crate::{PollSet, Spawn};
    use std::io::Read;
    use std::os::fd::AsFd;

    /// Tells for how long it was held, when it is told.
    #[test]
    #[ignore = "the process of the test below"]
    fn be_held() {
        hear_of_pauses().unwrap();
        eprintln!("ready");
        while running_ns() > monotonic_ns() - 3_600_000_000_000 {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let late = coarse_running_ns().abs_diff(coarse_running_ns());
        eprintln!("an hour, give or take {}", late / 1_000_000_000);
    }

    fn state(pid: u32) -> char {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
    }

    fn hear(child: &mut Spawned, word: &str) {
        let (mut said, mut buffer) = (String::new(), [0; 256]);
        while !said.contains(word) {
            let mut set = PollSet::default();
            set.add(child.stderr.as_ref().unwrap().as_fd(), 0, false);
            set.wait(None).unwrap();
            let count = child.stderr.as_ref().unwrap().read(&mut buffer).unwrap();
            assert!(count > 0, "it ended: {said}");
            said.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    }

    #[test]
    fn who_is_held_stands_still_and_learns_for_how_long() {
        let args = ["--exact", "pause::tests::be_held", "--ignored", "--nocapture"].map(Into::into).to_vec();
        let mut child = Spawned::start(&Spawn::leader(std::env::current_exe().unwrap(), args)).unwrap();
        hear(&mut child, "ready");
        child.hold();
        while state(child.pid()) != 'T' {
            std::thread::yield_now();
        }
        // What was not heard is told again with the next one.
        child.release(Duration::from_secs(1));
        child.hold();
        child.release(Duration::from_secs(3600));
        hear(&mut child, "an hour");
    }
}
