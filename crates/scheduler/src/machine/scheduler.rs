//! The scheduler's state and its public interface.
//!
//! An event is handled in two steps: its handler updates the state, then all that
//! can be sent is sent. The handlers are in files by kind of event: `job_events`,
//! `answer`, `death`, `start`, `ending`. The sending is in `dispatch`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::phase::PoolPhase;
use crate::jobs::{InputState, ScheduledJob};
use crate::model::{Action, JobId, PoolOptions, RunTime, SchedulerEvent, WorkerId};
use crate::workers::{EndReason, FirstChunks, Roster, StartTracker, Worker, WorkerState};

/// The chunk that the driver is cutting.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cutting {
    pub(crate) job: JobId,
    /// The worker that gets it; `None` if it waits for a worker that is starting.
    pub(crate) worker: Option<WorkerId>,
}

/// Decides which worker gets which chunk; see the [crate]'s documentation.
#[derive(Debug)]
pub struct Scheduler {
    pub(crate) options: PoolOptions,
    pub(crate) phase: PoolPhase,
    pub(crate) roster: Roster,
    pub(crate) starts: StartTracker,
    pub(crate) first_chunks: FirstChunks,
    pub(crate) jobs: BTreeMap<JobId, ScheduledJob>,
    /// The jobs that have work to send.
    pub(crate) workable: BTreeSet<JobId>,
    /// The number of ranges that wait to be sent, of all jobs.
    pub(crate) waiting: usize,
    /// The `Cut` that the driver has not answered.
    pub(crate) cutting: Option<Cutting>,
    /// The number of the next attempt.
    pub(crate) next_attempt: u64,
    pub(crate) actions: VecDeque<Action>,
}

impl Scheduler {
    /// A pool at the start of its run, [`RunTime::ZERO`]. The first actions spawn a
    /// worker for every slot.
    #[must_use]
    pub fn new(options: PoolOptions) -> Self {
        let slots = options.slots.max(1);
        let mut scheduler = Self {
            phase: PoolPhase::Open,
            roster: Roster::new(slots, options.max_depth.max(1)),
            starts: StartTracker::new(),
            first_chunks: FirstChunks::default(),
            jobs: BTreeMap::new(),
            workable: BTreeSet::new(),
            waiting: 0,
            cutting: None,
            next_attempt: 0,
            actions: VecDeque::new(),
            options,
        };
        while scheduler.spawn(RunTime::ZERO).is_some() {}
        scheduler
    }

    /// Handles an event. Poll all actions afterwards.
    pub fn handle_event(&mut self, now: RunTime, event: SchedulerEvent) {
        match event {
            SchedulerEvent::JobOpened { job, options } => self.on_opened(job, options),
            SchedulerEvent::ChunkCut { job, items: 0, .. } | SchedulerEvent::InputPending { job } => {
                self.on_nothing_cut(job, InputState::Pending);
            }
            SchedulerEvent::ChunkCut { job, items, bytes } => self.on_cut(now, job, items, bytes),
            SchedulerEvent::InputEnded { job } => self.on_nothing_cut(job, InputState::Ended),
            SchedulerEvent::InputReady { job } => self.on_input_ready(job),
            SchedulerEvent::Remaining { job, items } => self.on_remaining(job, items),
            SchedulerEvent::Spawned { worker } => self.on_spawned(now, worker),
            SchedulerEvent::SpawnFailed { worker, lasting } => self.on_spawn_failed(now, worker, lasting),
            SchedulerEvent::WorkerReady { worker } => self.on_ready(now, worker),
            SchedulerEvent::Refused { worker } => self.on_refused(worker),
            SchedulerEvent::Answered { worker, attempt, items, bytes, busy } => {
                self.on_answered(now, worker, attempt, items, bytes, busy);
            }
            SchedulerEvent::ItemRestarted { worker, attempt } => self.on_item_restarted(now, worker, attempt),
            SchedulerEvent::Aborting { worker, attempt, offset, fault } => {
                self.on_aborting(now, worker, attempt, offset, fault);
            }
            SchedulerEvent::WorkerEnded { worker, fault } => self.on_ended(now, worker, fault),
            SchedulerEvent::Released { job, bytes } => self.on_released(job, bytes),
            SchedulerEvent::JobStopped { job } => self.on_stopped(job),
            SchedulerEvent::Close => self.on_close(),
            SchedulerEvent::Terminate => self.end_all(now, EndReason::Terminated),
            SchedulerEvent::Kill => self.end_all(now, EndReason::PoolKilled),
        }
        self.retire_if_done(now);
        self.dispatch(now);
    }

    /// Handles the deadlines that have passed. Call it at the time
    /// [`poll_timeout`](Self::poll_timeout), and poll all actions afterwards. An
    /// earlier call does no harm.
    pub fn handle_timeout(&mut self, now: RunTime) {
        while let Some(slot) = self.roster.pop_overdue(now) {
            self.on_overdue(slot);
        }
        self.dispatch(now);
    }

    /// The next requested action, if there is one.
    #[must_use]
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front()
    }

    /// The time at which to call [`handle_timeout`](Self::handle_timeout) if no event
    /// comes before. It is never late; it may be early, with nothing to do. Ask again
    /// after every event.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<RunTime> {
        let deadline = self.roster.next_deadline();
        deadline.into_iter().chain(self.next_spawn()).chain(self.end_of_keeping()).min()
    }

    /// The number of workers that were spawned and have not ended.
    #[must_use]
    pub fn worker_count(&self) -> usize {
        self.roster.living() as usize
    }

    /// The number of attempts that a worker holds.
    #[must_use]
    pub fn in_flight(&self, worker: WorkerId) -> usize {
        self.living(worker).map_or(0, |worker| worker.queue.len())
    }

    /// The number of items that a worker holds.
    #[must_use]
    pub fn items_in_flight(&self, worker: WorkerId) -> u64 {
        self.living(worker).map_or(0, |worker| worker.queue.items())
    }

    /// The number of bytes that a job holds: blocks, results that are not yet written,
    /// and [`CHUNK_OVERHEAD`](crate::CHUNK_OVERHEAD) for each chunk that is not
    /// completely delivered.
    #[must_use]
    pub fn held_bytes(&self, job: JobId) -> u64 {
        self.jobs.get(&job).map_or(0, |job| job.window.held())
    }

    /// The number of open jobs.
    #[must_use]
    pub fn job_count(&self) -> usize {
        self.jobs.len()
    }

    /// The time of the next spawn that waits for a time, if there is work for it.
    fn next_spawn(&self) -> Option<RunTime> {
        let held = self.starts.held_until();
        let at = match self.roster.first_vacant() {
            Some(_) => held,
            None => self.roster.next_rest().map(|rest| held.map_or(rest, |held| rest.max(held))),
        };
        at.filter(|_| self.wants_spawn())
    }

    /// Whether there is work that only a new worker could take.
    fn wants_spawn(&self) -> bool {
        self.has_work_to_send()
            && self.roster.first_idle().is_none()
            && (self.waiting > self.roster.starting() || self.first_to_cut().is_some())
    }

    /// The time from which on an idle worker may take what is kept now.
    fn end_of_keeping(&self) -> Option<RunTime> {
        let may_take = self.has_work_to_send() && self.roster.first_idle().is_some();
        self.first_chunks.until().filter(|_| may_take)
    }

    fn has_work_to_send(&self) -> bool {
        self.phase.is_running() && self.cutting.is_none() && !self.workable.is_empty()
    }

    fn living(&self, worker: WorkerId) -> Option<&Worker> {
        self.roster.worker(self.roster.slot_of(worker)?)
    }

    fn on_overdue(&mut self, slot: u32) {
        let Some(worker) = self.roster.worker(slot) else {
            return;
        };
        match worker.state {
            WorkerState::Starting => self.on_start_timeout(slot),
            WorkerState::Ready => self.kill(slot, EndReason::Unresponsive),
            WorkerState::Aborting { attempt, offset, fault } => {
                self.kill(slot, EndReason::AbortGraceExpired { attempt, offset, fault });
            }
            WorkerState::Ending(_) => self.kill(slot, EndReason::GraceExpired),
        }
    }
}
