//! A test rig: reports events to a scheduler, and returns its actions as one line
//! each.
//!
//! A test needs few lines because the input is only a number: a cut takes as many
//! items as are requested and left, of ten bytes each.

use std::time::Duration;

use super::scheduler::Scheduler;
use crate::model::{
    Action, AttemptId, Fault, GiveUp, JobId, JobOptions, PoolOptions, RunTime, SchedulerEvent, WorkerId,
};

/// The only job of most tests.
pub(crate) const JOB: JobId = JobId(0);

/// The sizes of an item and of its result, in bytes.
pub(crate) const ITEM_BYTES: u64 = 10;
pub(crate) const RESULT_BYTES: u64 = 20;

pub(crate) struct Rig {
    pub(crate) scheduler: Scheduler,
    pub(crate) now: RunTime,
    /// The number of items left in the input; at 0 the input ends.
    pub(crate) left: u32,
    /// The run time of every item.
    pub(crate) busy: Duration,
    /// Whether a spawn creates a process at once; if not, the test says what happens.
    pub(crate) creates: bool,
}

impl Rig {
    /// A pool whose workers are spawned but not ready.
    pub(crate) fn new(options: PoolOptions) -> Self {
        Self::spawning(options, true)
    }

    /// A pool that has requested its workers, and none has a process.
    pub(crate) fn requested(options: PoolOptions) -> Self {
        Self::spawning(options, false)
    }

    fn spawning(options: PoolOptions, creates: bool) -> Self {
        let scheduler = Scheduler::new(options);
        let mut rig = Self { scheduler, now: RunTime::ZERO, left: 0, busy: Duration::from_millis(4), creates };
        rig.drain();
        rig
    }

    /// A pool whose workers are ready.
    pub(crate) fn ready(slots: u32) -> Self {
        let mut rig = Self::new(PoolOptions::new(slots));
        for worker in 0..u64::from(slots) {
            assert_eq!(rig.tell(SchedulerEvent::WorkerReady { worker: WorkerId(worker) }), [""; 0]);
        }
        rig
    }

    /// Reports one event; returns the requested actions.
    pub(crate) fn tell(&mut self, event: SchedulerEvent) -> Vec<String> {
        self.scheduler.handle_event(self.now, event);
        self.drain()
    }

    pub(crate) fn open(&mut self, items: u32, options: JobOptions) -> Vec<String> {
        self.left = items;
        self.tell(SchedulerEvent::JobOpened { job: JOB, options })
    }

    pub(crate) fn make_ready(&mut self, worker: u64) -> Vec<String> {
        self.tell(SchedulerEvent::WorkerReady { worker: WorkerId(worker) })
    }

    pub(crate) fn answer(&mut self, worker: u64, attempt: u64, items: u32) -> Vec<String> {
        let (worker, attempt) = (WorkerId(worker), AttemptId(attempt));
        let bytes = u64::from(items) * RESULT_BYTES;
        let busy = self.busy * items;
        self.tell(SchedulerEvent::Answered { worker, attempt, items, bytes, busy })
    }

    pub(crate) fn abort(&mut self, worker: u64, attempt: u64, offset: u32) -> Vec<String> {
        let (worker, attempt) = (WorkerId(worker), AttemptId(attempt));
        self.tell(SchedulerEvent::Aborting { worker, attempt, offset, fault: Fault::OutOfMemory })
    }

    pub(crate) fn end(&mut self, worker: u64) -> Vec<String> {
        self.tell(SchedulerEvent::WorkerEnded { worker: WorkerId(worker), fault: Fault::Crashed })
    }

    pub(crate) fn release(&mut self, bytes: u64) -> Vec<String> {
        self.tell(SchedulerEvent::Released { job: JOB, bytes })
    }

    /// Advances the time, at most to the next deadline; returns the requested actions.
    pub(crate) fn wait(&mut self, most: Duration) -> Vec<String> {
        let until = self.now + most;
        self.now = self.scheduler.poll_timeout().map_or(until, |alarm| alarm.min(until));
        self.scheduler.handle_timeout(self.now);
        self.drain()
    }

    fn drain(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(action) = self.scheduler.poll_action() {
            if let Action::Cut { job, max_items, .. } = action {
                let items = self.left.min(max_items);
                self.left -= items;
                let answer = match items {
                    0 => SchedulerEvent::InputEnded { job },
                    _ => SchedulerEvent::ChunkCut { job, items, bytes: u64::from(items) * ITEM_BYTES },
                };
                self.scheduler.handle_event(self.now, answer);
            } else {
                lines.push(line(&action));
                if let (Action::Spawn { worker, .. }, true) = (action, self.creates) {
                    self.scheduler.handle_event(self.now, SchedulerEvent::Spawned { worker });
                }
            }
        }
        self.scheduler.check_invariants().expect("the data are consistent");
        lines
    }
}

/// A short form of an action: `send 0:2+3 as 7 to 1` sends three items of chunk 0,
/// from its item 2, as attempt 7, to worker 1.
fn line(action: &Action) -> String {
    match action {
        Action::Spawn { slot, worker } => format!("spawn {worker} in {slot}"),
        Action::Cut { job, .. } => format!("cut {job}"),
        Action::Send { worker, attempt, chunk, from, items, each, .. } => {
            let each = if *each { ", each" } else { "" };
            format!("send {chunk}:{from}+{items} as {attempt} to {worker}{each}")
        }
        Action::Accept { attempt, chunk, from, items, .. } => {
            format!("accept {chunk}:{from}+{items} of {attempt}")
        }
        Action::Discard { worker, attempt } => format!("discard {attempt} of {worker}"),
        Action::Charge { chunk, item, worker, attempts, fault, .. } => {
            format!("charge {chunk}:{item} in {worker}, attempt {attempts}, {fault:?}")
        }
        Action::Deliver { chunk, from, items, .. } => format!("deliver {chunk}:{from}+{items}"),
        Action::Forget { chunk, .. } => format!("forget {chunk}"),
        Action::Retire { worker } => format!("retire {worker}"),
        Action::Terminate { worker } => format!("terminate {worker}"),
        Action::Kill { worker, reason } => format!("kill {worker}: {reason:?}"),
        Action::JobDone { job, stopped: false } => format!("done {job}"),
        Action::JobDone { job, stopped: true } => format!("stopped {job}"),
        Action::GiveUp { reason: GiveUp::CannotStart { failures } } => {
            format!("give up after {failures}")
        }
        Action::Closed => "closed".to_owned(),
    }
}
