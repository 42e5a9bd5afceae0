//! The world around the scheduler: a clock that jumps from one event to the next,
//! and a driver that does what it is asked.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use procession_scheduler::{Action, AttemptId, Fault, JobId, RunTime, Scheduler, SchedulerEvent, WorkerId};

use super::config::{Config, End, MILLI};
use super::input::{Input, Poison};
use super::oracle::{Check, Oracle};
use super::rng::Rng;
use super::summary::Summary;
use super::worker::SimulatedWorker;

/// The maximum number of steps of a run, and the additional number for each worker:
/// there are a few thousand items at most, or a few for each of many workers.
const MAX_STEPS: u64 = 200_000;
const MAX_STEPS_PER_WORKER: u64 = 200;

/// With up to this many workers the oracle looks at all of them after each step.
/// With more it looks at the workers of that step, and at all of them so rarely
/// that the cost stays the same.
const CHECKED_WORKERS: u64 = 64;

/// The longest time for which a worker stops, in nanoseconds.
const LONGEST_PAUSE: u64 = 400 * MILLI;

/// The number of last steps that a failure shows.
const TRACE: usize = 80;

/// A future event of the simulation.
#[derive(Clone, Debug)]
pub(super) enum ScheduledEvent {
    Event(SchedulerEvent),
    Ready(WorkerId),
    ItemRun { worker: WorkerId, job: JobId, took: u64 },
    ItemKills { worker: WorkerId, how: Poison },
    Dies(WorkerId),
}

/// A line of the trace; formatted only if it is shown.
#[derive(Debug)]
pub(super) enum TraceLine {
    Timeout,
    Event(SchedulerEvent),
    Action(Action),
}

impl std::fmt::Display for TraceLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Timeout => f.write_str("timeout"),
            Self::Event(event) => write!(f, "{event:?}"),
            Self::Action(action) => write!(f, "    {action:?}"),
        }
    }
}

pub(crate) struct World {
    pub(super) config: Config,
    pub(super) rng: Rng,
    pub(super) now: u64,
    pub(super) sequence: u64,
    pub(super) future: BTreeMap<(u64, u64), ScheduledEvent>,
    pub(super) workers: BTreeMap<WorkerId, SimulatedWorker>,
    pub(super) inputs: Vec<Input>,
    pub(super) scheduler: Scheduler,
    pub(super) oracle: Oracle,
    pub(super) summary: Summary,
    pub(super) trace: VecDeque<(u64, TraceLine)>,
}

impl World {
    pub(crate) fn new(config: Config, mut rng: Rng) -> Self {
        let inputs = config.jobs.iter().map(|plan| Input::draw(plan, &mut rng)).collect();
        let mut world = Self {
            scheduler: Scheduler::new(config.pool.clone()),
            oracle: Oracle::new(config.pool.clone()),
            rng,
            now: 0,
            sequence: 0,
            future: BTreeMap::new(),
            workers: BTreeMap::new(),
            inputs,
            summary: Summary::default(),
            trace: VecDeque::new(),
            config,
        };
        world.plan();
        world
    }

    pub(crate) fn trace(&self) -> Vec<String> {
        self.trace.iter().map(|(time, line)| format!("{time} {line}")).collect()
    }

    /// Schedules what is certain from the start.
    pub(super) fn plan(&mut self) {
        let mut last = 0;
        for (id, plan) in (0..).zip(self.config.jobs.clone()) {
            let opened = SchedulerEvent::JobOpened { job: JobId(id), options: plan.options };
            last = last.max(plan.opened_at);
            self.at(plan.opened_at, ScheduledEvent::Event(opened));
        }
        if let Some(at) = self.config.stop_a_job_at {
            let job = JobId(self.rng.below(self.config.jobs.len() as u64));
            self.at(at, ScheduledEvent::Event(SchedulerEvent::JobStopped { job }));
        }
        match self.config.end {
            End::Close { at } => self.at(at.max(last + 1), ScheduledEvent::Event(SchedulerEvent::Close)),
            End::Terminate { at, kill_after } => {
                self.at(at, ScheduledEvent::Event(SchedulerEvent::Terminate));
                if let Some(after) = kill_after {
                    self.at(at + after, ScheduledEvent::Event(SchedulerEvent::Kill));
                }
            }
            End::Kill { at } => self.at(at, ScheduledEvent::Event(SchedulerEvent::Kill)),
        }
    }

    pub(super) fn at(&mut self, time: u64, scheduled: ScheduledEvent) {
        self.sequence += 1;
        self.future.insert((time.max(self.now), self.sequence), scheduled);
    }

    pub(crate) fn run(&mut self) -> Result<Summary, String> {
        self.drain()?;
        let most = MAX_STEPS + MAX_STEPS_PER_WORKER * u64::from(self.config.pool.slots);
        while self.summary.steps < most {
            self.summary.steps += 1;
            let next = self.future.first_key_value().map(|(&(time, _), _)| time);
            let alarm = self.scheduler.poll_timeout().map(|at| at.since_start().as_nanos() as u64);
            match (next, alarm) {
                (None, None) => return self.at_the_end(),
                (next, Some(alarm)) if next.is_none_or(|next| alarm <= next) => {
                    self.now = self.now.max(alarm);
                    self.note(TraceLine::Timeout);
                    self.oracle.now = self.time();
                    self.scheduler.handle_timeout(self.time());
                    self.drain()?;
                }
                _ => {
                    let Some(((time, _), scheduled)) = self.future.pop_first() else {
                        continue;
                    };
                    self.now = self.now.max(time);
                    self.carry_out_scheduled(scheduled)?;
                }
            }
            if self.rng.per_mille(5) {
                self.oracle.now = self.time();
                self.scheduler.handle_timeout(self.time());
                self.drain()?;
            }
        }
        Err("does not end".to_owned())
    }

    pub(super) fn at_the_end(&mut self) -> Result<Summary, String> {
        self.oracle.after_drain(&self.scheduler)?;
        let jobs = self.config.jobs.len();
        if !self.oracle.closed {
            return Err("stands still".to_owned());
        }
        if self.oracle.done.len() != jobs {
            return Err(format!("{} of {jobs} jobs are done", self.oracle.done.len()));
        }
        for (id, &stopped) in &self.oracle.done {
            let (accepted, charged) = &self.oracle.outcomes[id];
            self.summary.accepted += accepted;
            self.summary.charged += charged.len() as u64;
            self.summary.stopped_jobs += u64::from(stopped);
            if !stopped {
                self.inputs[id.0 as usize].check(*accepted, charged, &self.config, *id)?;
            }
        }
        let wanted = matches!(self.config.end, End::Close { .. }) && self.config.stop_a_job_at.is_none();
        if wanted && !self.oracle.gave_up && self.summary.stopped_jobs > 0 {
            return Err("a job was stopped by nobody".to_owned());
        }
        self.summary.gave_up = u64::from(self.oracle.gave_up);
        self.summary.most_given = self.oracle.most_given;
        Ok(self.summary)
    }

    pub(super) fn time(&self) -> RunTime {
        RunTime::from_nanos(self.now)
    }

    pub(super) fn note(&mut self, line: TraceLine) {
        if self.trace.len() == TRACE {
            self.trace.pop_front();
        }
        self.trace.push_back((self.now, line));
    }

    pub(super) fn carry_out_scheduled(&mut self, scheduled: ScheduledEvent) -> Check {
        match scheduled {
            ScheduledEvent::Event(event) => return self.tell(event),
            ScheduledEvent::Ready(worker) => {
                if let Some(worker_state) = self.workers.get_mut(&worker).filter(|worker_state| !worker_state.dead) {
                    worker_state.ready = true;
                    self.say(worker, SchedulerEvent::WorkerReady { worker });
                    self.run_next(worker);
                }
            }
            ScheduledEvent::ItemRun { worker, job, took } => self.on_item_run(worker, job, took),
            ScheduledEvent::ItemKills { worker, how } => self.on_item_kills(worker, how),
            ScheduledEvent::Dies(worker) => self.die(worker, Fault::Crashed),
        }
        Ok(())
    }

    /// Reports an event to the scheduler and the oracle, and carries out what follows.
    pub(super) fn tell(&mut self, event: SchedulerEvent) -> Check {
        self.note(TraceLine::Event(event.clone()));
        if let SchedulerEvent::Answered { bytes, .. } = event {
            for input in &mut self.inputs {
                input.last_answer_bytes = bytes;
            }
        }
        self.oracle.now = self.time();
        self.oracle.on_event(&event);
        self.scheduler.handle_event(self.time(), event);
        self.drain()
    }

    pub(super) fn drain(&mut self) -> Check {
        while let Some(action) = self.scheduler.poll_action() {
            self.note(TraceLine::Action(action.clone()));
            self.oracle.on_action(&action)?;
            self.carry_out(action);
        }
        let interval = 1 + u64::from(self.config.pool.slots) / (CHECKED_WORKERS + 1);
        if self.summary.steps.is_multiple_of(interval) {
            self.oracle.after_drain(&self.scheduler)
        } else {
            self.oracle.after_step(&self.scheduler)
        }
    }

    /// Sends a message: it takes a while and does not overtake another.
    pub(super) fn say(&mut self, worker: WorkerId, event: SchedulerEvent) {
        let takes = self.rng.below(MILLI / 5);
        let Some(worker_state) = self.workers.get_mut(&worker) else {
            return;
        };
        worker_state.last_arrival = worker_state.last_arrival.max(self.now + takes);
        let arrival = worker_state.last_arrival;
        self.at(arrival, ScheduledEvent::Event(event));
    }

    pub(super) fn die(&mut self, worker: WorkerId, fault: Fault) {
        let Some(worker_state) = self.workers.get_mut(&worker) else {
            return;
        };
        if !std::mem::replace(&mut worker_state.dead, true) {
            self.summary.deaths += 1;
            self.say(worker, SchedulerEvent::WorkerEnded { worker, fault });
        }
    }

    pub(super) fn run_next(&mut self, worker: WorkerId) {
        let Some(worker_state) = self.workers.get_mut(&worker) else {
            return;
        };
        let Some((job, item)) = worker_state.next_item() else {
            return;
        };
        worker_state.running = true;
        if self.has_fault(self.config.refusals) {
            self.summary.refusals += 1;
            return self.say(worker, SchedulerEvent::Refused { worker });
        }
        let took = self.rng.below(2 * self.config.item_time + 1);
        let poison = self.inputs[job.0 as usize].poison.get(&item).copied();
        let timeout = self.config.jobs[job.0 as usize].options.timeout;
        let how = if poison.is_some() {
            poison
        } else if self.has_fault(self.config.death_per_item) {
            Some(self.rng.pick(&[Poison::Dies, Poison::Names(Fault::OutOfMemory)]))
        } else if timeout.is_some() && self.has_fault(self.config.stall_per_item) {
            Some(Poison::Stalls)
        } else {
            None
        };
        // Stopped and continued: it answers unless it was ended meanwhile.
        let pauses = how.is_none() && self.has_fault(self.config.stall_per_item);
        let took = took + if pauses { self.rng.below(LONGEST_PAUSE) } else { 0 };
        self.summary.stalls += u64::from(pauses || how == Some(Poison::Stalls));
        let scheduled = match how {
            Some(how) => ScheduledEvent::ItemKills { worker, how },
            None => ScheduledEvent::ItemRun { worker, job, took },
        };
        self.at(self.now + took, scheduled);
    }

    pub(super) fn on_item_run(&mut self, worker: WorkerId, job: JobId, took: u64) {
        let result_bytes = self.config.jobs[job.0 as usize].result_bytes;
        let now = self.now;
        let Some(worker_state) = self.workers.get_mut(&worker).filter(|worker_state| !worker_state.dead) else {
            return;
        };
        if let Some(said) = worker_state.on_item_run(now, took, result_bytes) {
            self.say(worker, said);
        }
        if self.has_fault(self.config.violations) {
            self.summary.violations += 1;
            self.say(worker, impossible_answer(worker));
        }
        if self.rng.per_mille(self.config.double_answer) {
            let again = self.workers.get(&worker).and_then(|worker_state| worker_state.last_said.clone());
            if let Some(again) = again {
                self.summary.double_answers += 1;
                // Once more in order, and once when its attempt may be long over.
                self.at(self.now + 50 * MILLI, ScheduledEvent::Event(again.clone()));
                self.say(worker, again);
            }
        }
        if self.has_fault(self.config.death_after_answer) {
            self.die(worker, Fault::Crashed);
        }
        self.run_next(worker);
    }

    pub(super) fn on_item_kills(&mut self, worker: WorkerId, how: Poison) {
        let Some(worker_state) = self.workers.get(&worker).filter(|worker_state| !worker_state.dead) else {
            return;
        };
        match how {
            Poison::Dies => self.die(worker, Fault::Crashed),
            Poison::Names(fault) | Poison::NamesAndStays(fault) => {
                if let Some(named) = worker_state.abort(fault) {
                    self.summary.aborting += 1;
                    self.say(worker, named);
                }
                if how == Poison::Names(fault) {
                    self.die(worker, Fault::Crashed);
                }
            }
            Poison::Stalls => {}
        }
    }
}

/// What no correct worker can send.
pub(super) fn impossible_answer(worker: WorkerId) -> SchedulerEvent {
    let attempt = AttemptId(u64::MAX);
    SchedulerEvent::Answered { worker, attempt, items: 1, bytes: 1, busy: Duration::ZERO }
}
