//! Suspending and resuming: a coordinator suspends its workers, resumes them,
//! and tells them for how long they were suspended; a program suspends itself
//! as Ctrl-Z does.
//!
//! A process can neither notice nor refuse SIGSTOP, so a worker cannot know how
//! long it was suspended. The coordinator sends the duration with the SIGCONT:
//! the total, not the time since the last SIGCONT, because a SIGSTOP discards a
//! SIGCONT that is still pending.

use crate::clock::{freeze_while, note_paused};
use crate::process::{Spawned, end_if_orphan};
use nix::libc;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, raise, sigaction};
use std::io;
use std::time::Duration;

impl Spawned {
    /// Suspends the process's whole group.
    pub fn hold(&self) {
        self.signal_group(Signal::SIGSTOP);
    }

    /// Resumes the process's group. If the process listens (see
    /// [`crate::enter_worker`]), it learns for how long it was held in total.
    pub fn release(&self, held: Duration) {
        self.queue_continue(u64::try_from(held.as_nanos()).unwrap_or(u64::MAX));
        // For the rest of the group, and for all of it if nothing could be queued.
        self.signal_group(Signal::SIGCONT);
    }

    fn queue_continue(&self, ns: u64) {
        if self.is_reaped() {
            return;
        }
        let value =
            libc::sigval { sival_ptr: std::ptr::without_provenance_mut(usize::try_from(ns).unwrap_or(usize::MAX)) };
        // SAFETY: the call takes plain values; both sides use the pointer as a number only.
        unsafe { libc::sigqueue(self.pid().cast_signed(), libc::SIGCONT, value) };
    }
}

/// Notes the duration that arrives with each SIGCONT.
pub(crate) fn listen_for_pauses() -> io::Result<()> {
    extern "C" fn on_continue(_: i32, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
        // The signal may also tell of the coordinator's death.
        end_if_orphan();
        // SAFETY: the kernel passes a valid structure to a handler with SA_SIGINFO.
        let info = unsafe { &*info };
        if info.si_code == libc::SI_QUEUE {
            // SAFETY: a queued signal carries a value.
            note_paused(unsafe { info.si_value() }.sival_ptr.addr() as u64);
        }
    }
    // Not on the alternative stack: `end_if_orphan` may need more than that has.
    let flags = SaFlags::SA_RESTART | SaFlags::SA_SIGINFO;
    let action = SigAction::new(SigHandler::SigAction(on_continue), flags, SigSet::empty());
    // SAFETY: the handler stores a number, or makes system calls: safe at any moment.
    unsafe { sigaction(Signal::SIGCONT, &action) }?;
    Ok(())
}

/// Suspends this process as an unhandled Ctrl-Z does; returns once it is
/// resumed. Returns at once in an orphaned process group, which the kernel does
/// not suspend. [`crate::running_ns`] does not count the pause.
///
/// # Errors
/// The system refused to change or raise the signal.
pub fn stop_self() -> io::Result<()> {
    let default = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    // SAFETY: the default action runs no code of ours.
    let before = unsafe { sigaction(Signal::SIGTSTP, &default) }?;
    // Raised in this thread, so that the stop begins before `raise` returns.
    let raised = freeze_while(|| raise(Signal::SIGTSTP));
    // SAFETY: this action was in place before.
    unsafe { sigaction(Signal::SIGTSTP, &before) }?;
    Ok(raised?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PollSet;
    use crate::clock::{coarse_running_ns, monotonic_ns, running_ns};
    use std::io::Read;
    use std::os::fd::AsFd;

    /// Reports once its clock leaves out five seconds.
    #[test]
    #[ignore = "the process of the test below"]
    fn be_held() {
        listen_for_pauses().unwrap();
        eprintln!("ready");
        while running_ns() + 5_000_000_000 > monotonic_ns() {
            std::thread::park_timeout(Duration::from_millis(1));
        }
        let late = coarse_running_ns().abs_diff(coarse_running_ns());
        eprintln!("five seconds, give or take {}", late / 1_000_000_000);
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
    fn a_held_process_is_suspended_and_learns_for_how_long() {
        let args = ["--exact", "pause::tests::be_held", "--ignored", "--nocapture"].map(Into::into);
        let mut child = Spawned::start(&std::env::current_exe().unwrap(), &args, &[]).unwrap();
        hear(&mut child, "ready");
        child.hold();
        while state(child.pid()) != 'T' {
            std::thread::yield_now();
        }
        // The second total also covers the first pause, which may have been lost.
        child.release(Duration::from_secs(1));
        child.hold();
        child.release(Duration::from_secs(5));
        hear(&mut child, "five seconds");
    }
}
