//! How other threads reach the driver: a list of commands, and a wake-up that
//! costs a system call only when the driver really sleeps.

use crate::jobs::{Job, JobEnd, PoolError, Waker};
use procession_scheduler::JobId;
use procession_sys::WakeUp;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// What the driver is told to do.
pub(crate) enum DriverCommand {
    /// Begin a job; its end is reported there.
    Start(JobId, Box<Job>, Sender<Result<JobEnd, PoolError>>),
    /// Drop what is left of a job.
    Cancel(JobId),
    /// No more jobs will come.
    Close,
    /// End everything: politely, then by force.
    Stop,
    /// End everything by force.
    Kill,
    /// Hold all workers and the clock; done when the sender is used or gone.
    Pause(Sender<()>),
    /// Let them go on.
    Resume,
}

#[derive(Debug)]
pub(crate) struct Mailbox {
    commands: Mutex<Option<Vec<DriverCommand>>>,
    /// How many jobs were started; counted while `commands` is held, so that they
    /// come in the order of their ids.
    jobs: AtomicU64,
    /// Why no commands are taken any more.
    failure: OnceLock<PoolError>,
    /// There is something to look at.
    woken: AtomicBool,
    /// The driver is in its poll, or about to be.
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

    /// Leaves a command; `false` if the driver has ended.
    pub(crate) fn send(&self, command: DriverCommand) -> bool {
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(list) = commands.as_mut() else { return false };
        list.push(command);
        drop(commands);
        self.wake();
        true
    }

    /// Leaves a job to be begun, and says under which id.
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

    /// Whoever comes too late is to hear of this.
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

    /// Whether anybody called since last asked, and the commands left since then.
    pub(crate) fn take(&self) -> (bool, Vec<DriverCommand>) {
        // In this order, and the other way around in `send`: a command that comes
        // too late for the list is called for again.
        let woken = self.woken.swap(false, Ordering::SeqCst);
        let mut commands = self.commands.lock().unwrap_or_else(PoisonError::into_inner);
        (woken, commands.as_mut().map(std::mem::take).unwrap_or_default())
    }

    /// No more commands are taken; gives back those that were not.
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

    /// To be called after the poll; `rang` if it found the descriptor readable.
    /// That alone tells: whoever wakes may ring when the driver is up already.
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
    fn an_order_that_comes_while_others_are_done_is_not_slept_over() {
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
    fn a_bell_that_rings_late_rings_once() {
        let mailbox = Mailbox::new().unwrap();
        mailbox.fall_asleep();
        // Another thread is about to ring, but the driver wakes up before it does.
        assert!(mailbox.asleep.swap(false, Ordering::SeqCst));
        mailbox.wake_fully(rings(&mailbox));
        mailbox.wake_up.wake();
        mailbox.fall_asleep();
        assert!(rings(&mailbox));
        mailbox.wake_fully(true);
        assert!(!rings(&mailbox));
    }
}
