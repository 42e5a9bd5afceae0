//! The driver: one thread, one poll.
//!
//! Each turn takes commands, spawns processes, hands results over, waits in the
//! poll, then handles what is ready and what is due. The other files of this room
//! implement the parts of a turn.

use super::clock::Clock;
use super::job_buffers::{HeldJob, PendingResults};
use super::mailbox::{DriverCommand, Mailbox};
use super::process::{Death, PendingWorker, Process, StreamStatus};
use super::start_failure::StartFailure;
use crate::jobs::{Job, JobEnd, PoolError};
use crate::observe::{DriverPhase, DriverTimes, DriverWatch, Event, Observer};
use procession_scheduler::{JobId, PoolOptions, RunTime, Scheduler, SchedulerEvent, WorkerId};
use procession_sys::{PollSet, StopDetector};
use procession_task::TaskInfo;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

/// The settings of a driver.
pub(crate) struct DriverSettings {
    pub(crate) options: PoolOptions,
    pub(crate) program: PathBuf,
    /// Arguments that follow those of every worker.
    pub(crate) arguments: Vec<OsString>,
    /// What workers have in their environment in addition to that of this process.
    pub(crate) variables: Vec<(&'static str, String)>,
    /// What a job may hold of blocks and results, in bytes.
    pub(crate) window: u64,
    /// Receives the tasks in each worker's hello, if anybody wants them.
    pub(crate) tasks: Option<Sender<Vec<TaskInfo>>>,
    pub(crate) observers: Vec<Box<dyn Observer>>,
    pub(crate) clock: Clock,
    /// Started with the clock, in the waiting phase until the driver's thread runs.
    pub(crate) watch: DriverWatch,
}

pub(crate) struct Driver {
    pub(super) settings: DriverSettings,
    pub(super) scheduler: Scheduler,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) workers: BTreeMap<WorkerId, Process>,
    /// Workers whose processes are still to be spawned, in spawning order.
    pub(super) pending: BTreeMap<WorkerId, PendingWorker>,
    /// Workers that have closed a pipe, and the deadline for their exit.
    pub(super) closing: BTreeMap<WorkerId, Duration>,
    pub(super) jobs: BTreeMap<JobId, HeldJob>,
    /// The number of processes that each slot has had.
    pub(super) slots: Vec<u32>,
    pub(super) poll: PollSet,
    /// The results of the answer that the scheduler is deciding on.
    pub(super) judged_answer: Option<PendingResults>,
    /// The worker whose exit the scheduler is handling.
    pub(super) death: Option<(WorkerId, Death)>,
    /// Why the last worker that failed to start did.
    pub(super) start_failure: Option<StartFailure>,
    /// Whether the user was told that a worker failed to start.
    pub(super) told_start_failure: bool,
    pub(super) error: Option<PoolError>,
    /// The whole pool is being ended: exits of workers are no crashes.
    pub(super) ending: bool,
    pub(super) closed: bool,
    pub(super) watch: DriverWatch,
    /// The latest time that the scheduler was given: its time never goes back.
    pub(super) latest: Cell<RunTime>,
}

/// What a key of the poll set stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PollSource {
    Stdout,
    Stderr,
    Stdin,
    Exit,
}

const WAKE_KEY: u64 = u64::MAX;

impl Drop for Driver {
    /// However the driver ends, also by a panic, senders of commands learn that no
    /// more are taken.
    fn drop(&mut self) {
        drop(self.mailbox.close());
    }
}

impl Driver {
    pub(crate) fn new(settings: DriverSettings, mailbox: Arc<Mailbox>) -> Self {
        let mut watch = settings.watch;
        watch.switch(DriverPhase::Transport);
        let slots = settings.options.slots.max(1);
        Self {
            scheduler: Scheduler::new(settings.options.clone()),
            settings,
            mailbox,
            workers: BTreeMap::new(),
            pending: BTreeMap::new(),
            closing: BTreeMap::new(),
            jobs: BTreeMap::new(),
            slots: vec![0; slots as usize],
            poll: PollSet::default(),
            judged_answer: None,
            death: None,
            start_failure: None,
            told_start_failure: false,
            error: None,
            ending: false,
            closed: false,
            watch,
            latest: Cell::new(RunTime::ZERO),
        }
    }

    /// Runs until the pool has ended; returns how long it lived.
    pub(crate) fn run(mut self) -> Result<Duration, PoolError> {
        let slots = self.settings.options.slots;
        self.observe(&Event::RunStarted { slots });
        self.drain();
        while !self.closed {
            let (woken, commands) = self.mailbox.take();
            self.take_commands(commands);
            self.take_calls(woken);
            self.spawn_pending();
            self.hand_over();
            if self.closed {
                break;
            }
            let judged = self.wait();
            self.handle_ready();
            self.note_stops();
            self.handle_timer(judged);
        }
        self.finish()
    }

    fn finish(mut self) -> Result<Duration, PoolError> {
        let at = self.now();
        let driver = Some(DriverTimes::of(&mut self.watch));
        self.observe(&Event::RunEnded { at, driver });
        self.flush_observers();
        let error = self.error.take();
        if let Some(error) = &error {
            self.mailbox.fail(error);
        }
        let jobs: Vec<JobId> = self.jobs.keys().copied().collect();
        for job in jobs {
            self.end_job(job, true);
        }
        error.map_or(Ok(at), Err)
    }

    /// Time since the run's start.
    pub(super) fn now(&self) -> Duration {
        self.settings.clock.now()
    }

    /// The scheduler's time, by which deadlines are evaluated.
    pub(super) fn deadline_now(&self) -> RunTime {
        // It stands still if time was found to be lost in which it was read already.
        let now = RunTime::from(self.settings.clock.deadline_now()).max(self.latest.get());
        self.latest.set(now);
        now
    }

    pub(super) fn observe(&mut self, event: &Event) {
        for observer in &mut self.settings.observers {
            observer.on_event(event);
        }
    }

    pub(super) fn flush_observers(&mut self) {
        for observer in &mut self.settings.observers {
            observer.flush();
        }
    }

    /// Passes an event to the scheduler and carries out its actions.
    pub(super) fn handle(&mut self, event: SchedulerEvent) {
        let now = self.deadline_now();
        self.scheduler.handle_event(now, event);
        self.drain();
    }

    fn take_commands(&mut self, commands: Vec<DriverCommand>) {
        for command in commands {
            match command {
                DriverCommand::Start(id, job, report) => self.start_job(id, *job, report),
                DriverCommand::Cancel(job) => self.handle(SchedulerEvent::JobStopped { job }),
                DriverCommand::Close => self.handle(SchedulerEvent::Close),
                DriverCommand::Pause(held) => {
                    self.pause();
                    // The caller may have stopped waiting.
                    let _ = held.send(());
                }
                DriverCommand::Resume => self.resume(),
                DriverCommand::Stop => {
                    self.resume();
                    self.ending = true;
                    self.handle(SchedulerEvent::Terminate);
                }
                DriverCommand::Kill => {
                    self.resume();
                    self.ending = true;
                    self.handle(SchedulerEvent::Kill);
                }
            }
        }
    }

    pub(super) fn start_job(&mut self, id: JobId, job: Job, report: Sender<Result<JobEnd, PoolError>>) {
        let options = job.options(self.settings.window);
        self.jobs.insert(id, HeldJob::new(id, job, report, self.mailbox.waker()));
        self.handle(SchedulerEvent::JobOpened { job: id, options });
    }

    /// Handles sources that have items again and sinks that gave memory back.
    fn take_calls(&mut self, woken: bool) {
        let ids: Vec<JobId> = self.jobs.keys().copied().collect();
        for job in ids {
            let wants = self.scheduler.held_bytes(job) > self.settings.window / 2;
            let bytes = self.jobs.get(&job).map_or(0, |held| held.take_released(wants));
            if bytes > 0 {
                self.handle(SchedulerEvent::Released { job, bytes });
            }
            if woken {
                self.handle(SchedulerEvent::InputReady { job });
            }
        }
    }

    /// Passes on what was gathered in this turn: results to sinks, frames to
    /// workers, events to observers.
    fn hand_over(&mut self) {
        self.watch.switch(DriverPhase::Order);
        for job in self.jobs.values_mut() {
            job.flush();
        }
        self.watch.switch(DriverPhase::Transport);
        let ids: Vec<WorkerId> =
            self.workers.iter().filter(|(_, worker)| !worker.assigned.outbox.is_empty()).map(|(id, _)| *id).collect();
        for id in ids {
            self.write(id);
        }
        self.flush_observers();
    }

    /// Waits in the poll. Returns the time by which deadlines are evaluated
    /// afterwards: everything that was written to a pipe by that time is ready.
    pub(super) fn wait(&mut self) -> RunTime {
        self.poll.clear();
        self.poll.add(self.mailbox.fd(), WAKE_KEY, false);
        for (id, worker) in &self.workers {
            let key = |source: PollSource| id.0 << 2 | source as u64;
            if worker.stdout == StreamStatus::Open {
                self.poll.add(worker.child.stdout.as_fd(), key(PollSource::Stdout), false);
            }
            if let (StreamStatus::Open, Some(stderr)) = (worker.stderr, &worker.child.stderr) {
                self.poll.add(stderr.as_fd(), key(PollSource::Stderr), false);
            }
            if !worker.assigned.outbox.is_empty() {
                self.poll.add(worker.child.stdin.as_fd(), key(PollSource::Stdin), true);
            }
            self.poll.add(worker.child.exit_fd(), key(PollSource::Exit), false);
        }
        let deadline = self.deadline();
        let mut timeout = deadline.map(|at| self.settings.clock.sleep_until(at));
        if self.watches_stops() {
            let most = StopDetector::LOOK_EVERY;
            timeout = Some(timeout.map_or(most, |timeout| timeout.min(most)));
        }
        if self.mailbox.fall_asleep() || self.has_pending() {
            timeout = Some(Duration::ZERO);
        }
        self.watch.switch(DriverPhase::Waiting);
        self.settings.clock.note_asleep();
        let mut waited = self.poll.wait(timeout);
        self.settings.clock.note_awake(timeout);
        let judged = self.deadline_now();
        if waited.is_ok() && deadline.is_some_and(|at| at <= judged.since_start()) {
            // The process may have been stopped between the poll and the reading of
            // the clock. What came in time must not count as late.
            waited = self.poll.wait(Some(Duration::ZERO));
        }
        self.watch.switch(DriverPhase::Transport);
        self.mailbox.wake_fully(self.poll.ready().any(|ready| ready.key == WAKE_KEY));
        if let Err(error) = waited {
            // Without a poll the driver can't go on. Living workers are killed on
            // drop.
            self.error.get_or_insert(PoolError::system("waiting for workers failed", &error));
            self.closed = true;
        }
        judged
    }

    /// The next deadline; none while the run is paused.
    fn deadline(&self) -> Option<Duration> {
        let due = self.scheduler.poll_timeout().map(RunTime::since_start);
        let due = due.into_iter().chain(self.closing.values().copied()).min();
        due.filter(|_| !self.settings.clock.is_paused())
    }

    fn handle_ready(&mut self) {
        let poll = std::mem::take(&mut self.poll);
        // Exits are handled last, so that everything a worker wrote before is read
        // first.
        for exits in [false, true] {
            for ready in poll.ready().filter(|ready| ready.key != WAKE_KEY) {
                let id = WorkerId(ready.key >> 2);
                match ready.key & 3 {
                    k if (k == PollSource::Exit as u64) != exits => {}
                    k if k == PollSource::Stdout as u64 => self.read_messages(id),
                    k if k == PollSource::Stderr as u64 => self.read_stderr(id),
                    k if k == PollSource::Stdin as u64 => self.write(id),
                    _ => self.reap(id),
                }
            }
        }
        self.poll = poll;
    }

    pub(super) fn handle_timer(&mut self, now: RunTime) {
        if self.settings.clock.is_paused() {
            return;
        }
        if self.scheduler.poll_timeout().is_some_and(|at| at <= now) {
            // Timeouts are evaluated only after the workers' pipes have been
            // drained: the delay may be the driver's own.
            self.hear_all();
            self.scheduler.handle_timeout(now);
            self.drain();
        }
        self.end_closing(now.since_start());
    }
}
