//! How other threads reach the driver: a list of commands, and a wake-up that costs
//! a system call only while the driver sleeps.

use crate::jobs::{Job, JobEnd, PoolError, Waker};
use procession_scheduler::JobId;
use procession_sys::WakeUp;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// A command to the driver.
pub(crate) enum DriverCommand {
    /// Start a job, and report its end through the sender.
    Start(JobId, Box<Job>, Sender<Result<JobEnd, PoolError>>),
    /// Drop what is left of a job.
    Cancel(JobId),
    /// No more jobs will come.
    Close,
    /// End everything: politely, then by force.
    Stop,
    /// End everything by force.
    Kill,
    /// Suspend all workers and the clock; done when the sender is used or dropped.
    Pause(Sender<()>),
    /// Resume all workers and the clock.
    Resume,
}

#[derive(Debug)]
pub(crate) struct Mailbox {
    commands: Mutex<Option<Vec<DriverCommand>>>,
    /// The number of jobs that were started. Incremented while `commands` is
    /// locked, so that jobs arrive in the order of their ids.
    jobs: AtomicU64,
    /// Why the driver failed, once it has.
    failure: OnceLock<PoolError>,
    /// Whether there is something to look at.
    woken: AtomicBool,
    /// Whether the driver is in its poll, or about to be.
    asleep: AtomicBool,
    wake_up: WakeUp,
}

impl std::fmt::Debug for DriverCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DriverCommand")
    }
}

impl Mailbox {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            commands: Mutex::new(Some(Vec::new())),
            jobs: AtomicU64::new(0),
            failure: OnceLock::new(),
            woken: AtomicBool::new(false),
            asleep: AtomicBool::new(false),
            wake_up: WakeUp::new()?,
        })
    }

    /// Sends a command; `false` if the driver has ended.
    pub(crate) fn send(&self, command: DriverCommand) -> bool {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(list) = commands.as_mut() else { return false };
        list.push(command);
        drop(commands);
        self.wake();
        true
    }

    /// Sends a job to be started, and returns its id.
    pub(crate) fn start(&self, job: Box<Job>, report: Sender<Result<JobEnd, PoolError>>) -> Result<JobId, PoolError> {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(list) = commands.as_mut() else {
            return Err(self.failure.get().cloned().unwrap_or(PoolError::Ended));
        };
        let id = JobId(self.jobs.fetch_add(1, Ordering::Relaxed));
        list.push(DriverCommand::Start(id, job, report));
        drop(commands);
        self.wake();
        Ok(id)
    }

    /// Sets the error that later callers of [`Self::start`] get.
    pub(crate) fn fail(&self, error: &PoolError) {
        self.failure.get_or_init(|| error.clone());
    }

    pub(crate) fn wake(&self) {
        self.woken.store(true, Ordering::SeqCst);
        if self.asleep.swap(false, Ordering::SeqCst) {
            self.wake_up.wake();
        }
    }

    pub(crate) fn waker(self: &Arc<Self>) -> Waker {
        let mailbox = Arc::clone(self);
        Waker::new(move || mailbox.wake())
    }

    /// Whether the driver was woken since the last call, and the commands sent
    /// since then.
    pub(crate) fn take(&self) -> (bool, Vec<DriverCommand>) {
        // `woken` is cleared before the list is taken, and set after it is filled
        // in `send`: a command that comes too late for this list sets `woken`
        // again.
        let woken = self.woken.swap(false, Ordering::SeqCst);
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        (woken, commands.as_mut().map(std::mem::take).unwrap_or_default())
    }

    /// Closes the mailbox; returns the commands that were not taken.
    pub(crate) fn close(&self) -> Vec<DriverCommand> {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        commands.take().unwrap_or_default()
    }

    /// To be called before a poll; if `true`, there is something to look at and
    /// the poll must not wait.
    pub(crate) fn fall_asleep(&self) -> bool {
        self.asleep.store(true, Ordering::SeqCst);
        self.woken.load(Ordering::SeqCst)
    }

    /// To be called after the poll; `rang` if the poll found the descriptor
    /// readable. Only the poll can tell: another thread may signal the descriptor
    /// when the driver is already awake.
    pub(crate) fn wake_fully(&self, rang: bool) {
        self.asleep.store(false, Ordering::SeqCst);
        if rang {
            self.wake_up.clear();
        }
    }

    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.wake_up.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_sys::PollSet;
    use std::time::Duration;

    fn rings(mailbox: &Mailbox) -> bool {
        let mut set = PollSet::default();
        set.add(mailbox.fd(), 0, false);
        set.wait(Some(Duration::ZERO)).unwrap();
        set.ready().next().is_some()
    }

    #[test]
    fn a_command_that_comes_while_others_are_carried_out_is_not_missed() {
        let mailbox = Mailbox::new().unwrap();
        assert!(mailbox.send(DriverCommand::Close));
        let (woken, commands) = mailbox.take();
        assert!(woken && commands.len() == 1);
        assert!(mailbox.send(DriverCommand::Stop));
        assert!(mailbox.fall_asleep());
        assert_eq!(mailbox.take().1.len(), 1);
        assert!(!mailbox.fall_asleep());
    }

    #[test]
    fn a_late_wake_up_wakes_once() {
        let mailbox = Mailbox::new().unwrap();
        mailbox.fall_asleep();
        // Another thread is about to signal the descriptor, but the driver wakes up
        // before it does.
        assert!(mailbox.asleep.swap(false, Ordering::SeqCst));
        mailbox.wake_fully(rings(&mailbox));
        mailbox.wake_up.wake();
        mailbox.fall_asleep();
        assert!(rings(&mailbox));
        mailbox.wake_fully(true);
        assert!(!rings(&mailbox));
    }
}
