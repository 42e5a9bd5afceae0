//! The driver: one thread, one poll.
//!
//! It carries events from pipes, processes, clock and other threads to the
//! scheduler, and the scheduler's actions back to them. It decides nothing, and
//! it never blocks but in its poll: sources and sinks work on threads of their
//! own, pipes don't block, observers hand over.

use super::clock::Clock;
use super::job_buffers::{HeldJob, PendingResults};
use super::mailbox::{DriverCommand, Mailbox};
use super::process::{Death, PendingWorker, PipeState, Process};
use crate::jobs::{Job, JobEnd, PoolError};
use crate::observe::{DriverPhase, DriverTimes, DriverWatch, Event, Observer};
use procession_scheduler::{Event as SchedulerEvent, JobId, PoolOptions, RunTime, Scheduler, WorkerId};
use procession_sys::PollSet;
use procession_task::TaskInfo;
use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;

/// What a driver is made of.
pub(crate) struct DriverSettings {
    pub(crate) options: PoolOptions,
    pub(crate) program: PathBuf,
    /// What stands behind the arguments that every worker has.
    pub(crate) arguments: Vec<OsString>,
    /// What a job may hold of blocks and results, in bytes.
    pub(crate) window: u64,
    /// Who wants to know the tasks that workers tell of.
    pub(crate) tasks: Option<Sender<Vec<TaskInfo>>>,
    pub(crate) observers: Vec<Box<dyn Observer>>,
    pub(crate) clock: Clock,
    /// Started with the clock: until the driver's thread runs, it waits.
    pub(crate) watch: DriverWatch,
}

pub(crate) struct Driver {
    pub(super) settings: DriverSettings,
    pub(super) scheduler: Scheduler,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) workers: BTreeMap<WorkerId, Process>,
    /// Those that are to be, in the order in which they will.
    pub(super) pending: BTreeMap<WorkerId, PendingWorker>,
    /// Those that have closed their pipe, and when they must have ended, as deadlines are judged.
    pub(super) closing: BTreeMap<WorkerId, Duration>,
    pub(super) jobs: BTreeMap<JobId, HeldJob>,
    /// How many processes each slot has had.
    pub(super) slots: Vec<u32>,
    pub(super) poll: PollSet,
    /// The answer that the scheduler is judging.
    pub(super) judged_answer: Option<PendingResults>,
    /// The worker whose end the scheduler is judging.
    pub(super) death: Option<(WorkerId, Death)>,
    /// What kept the last worker from starting.
    pub(super) start_error: String,
    pub(super) error: Option<PoolError>,
    /// The whole pool is being ended: deaths are wanted.
    pub(super) ending: bool,
    pub(super) closed: bool,
    pub(super) watch: DriverWatch,
    /// The scheduler's time when it was last asked for: it never goes back.
    pub(super) latest: Cell<RunTime>,
}

/// What a poll's key stands for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum PollSource {
    Stdout,
    Stderr,
    Stdin,
    Exit,
}

const WAKE_KEY: u64 = u64::MAX;

impl Drop for Driver {
    /// However it ends, by a panic too: whoever has left a command, or will,
    /// learns that nobody takes it.
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
            start_error: String::new(),
            error: None,
            ending: false,
            closed: false,
            watch,
            latest: Cell::new(RunTime::ZERO),
        }
    }

    /// Runs until the pool has ended; says how long it lived.
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

    /// The scheduler's time: that by which deadlines are judged.
    pub(super) fn deadline_now(&self) -> RunTime {
        let now = RunTime::from(self.settings.clock.deadline_now());
        let before = self.latest.replace(now);
        debug_assert!(before <= now, "time goes back from {before:?} to {now:?}");
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

    /// Tells the scheduler of something and does what it asks for.
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
                    // Who asked may have stopped waiting.
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

    /// Sources that have something, sinks that gave memory back.
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

    /// Passes on what has come together: results to sinks, frames to workers.
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

    /// Waits for news, and says by which time deadlines are to be judged then:
    /// whatever had been said by that time is among the news.
    pub(super) fn wait(&mut self) -> RunTime {
        self.poll.clear();
        self.poll.add(self.mailbox.fd(), WAKE_KEY, false);
        for (id, worker) in &self.workers {
            let key = |source: PollSource| id.0 << 2 | source as u64;
            if worker.stdout == PipeState::Open {
                self.poll.add(worker.child.stdout.as_fd(), key(PollSource::Stdout), false);
            }
            if let (PipeState::Open, Some(stderr)) = (worker.stderr, &worker.child.stderr) {
                self.poll.add(stderr.as_fd(), key(PollSource::Stderr), false);
            }
            if !worker.assigned.outbox.is_empty() {
                self.poll.add(worker.child.stdin.as_fd(), key(PollSource::Stdin), true);
            }
            self.poll.add(worker.child.exit_fd(), key(PollSource::Exit), false);
        }
        let deadline = self.deadline();
        let mut timeout = deadline.map(|at| at.saturating_sub(self.deadline_now().since_start()));
        if self.mailbox.fall_asleep() || self.has_pending() {
            timeout = Some(Duration::ZERO);
        }
        self.watch.switch(DriverPhase::Waiting);
        self.settings.clock.note_asleep();
        let mut waited = self.poll.wait(timeout);
        self.settings.clock.note_awake(timeout);
        let judged = self.deadline_now();
        if waited.is_ok() && deadline.is_some_and(|at| at <= judged.since_start()) {
            // A stop between the poll and the clock must not make late what came in time.
            waited = self.poll.wait(Some(Duration::ZERO));
        }
        self.watch.switch(DriverPhase::Transport);
        self.mailbox.wake_fully(self.poll.ready().any(|ready| ready.key == WAKE_KEY));
        if let Err(error) = waited {
            // Without a poll nothing can be done any more; what lives is killed on drop.
            self.error.get_or_insert(PoolError::system("waiting for workers failed", &error));
            self.closed = true;
        }
        judged
    }

    /// When something must have happened; never while the run is paused.
    fn deadline(&self) -> Option<Duration> {
        let due = self.scheduler.poll_timeout().map(RunTime::since_start);
        let due = due.into_iter().chain(self.closing.values().copied()).min();
        due.filter(|_| !self.settings.clock.is_paused())
    }

    fn handle_ready(&mut self) {
        let poll = std::mem::take(&mut self.poll);
        // Ends come last, so that whatever a worker said before is heard first.
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
            // No worker is judged by what it has not said before all is heard
            // that it has said: perhaps it is we who are late.
            self.hear_all();
            self.scheduler.handle_timeout(now);
            self.drain();
        }
        self.end_closing(now.since_start());
    }
}
