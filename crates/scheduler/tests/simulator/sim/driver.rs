//! The simulated driver, and what is behind it: the input, the sink, and the system
//! that creates processes.

use procession_scheduler::{Action, JobId, SchedulerEvent, WorkerId};

use super::config::MILLI;
use super::worker::{SimulatedWorker, Task};
use super::world::{ScheduledEvent, TraceLine, World, impossible_answer};

/// How late a worker may be, in nanoseconds: later than the start timeout.
const LATEST_START: u64 = 5_000 * MILLI;

impl World {
    /// Carries out an action as a driver would.
    pub(super) fn carry_out(&mut self, action: Action) {
        match action {
            Action::Spawn { worker, .. } => self.spawn(worker),
            Action::Cut { job, max_items, max_bytes } => {
                let answer = self.cut(job, max_items, max_bytes);
                self.note(TraceLine::Event(answer.clone()));
                self.oracle.on_event(&answer);
                self.scheduler.handle_event(self.time(), answer);
            }
            Action::Send { worker, attempt, job, chunk, from, items, each } => {
                let first = self.inputs[job.0 as usize].firsts[chunk.0 as usize] + u64::from(from);
                if let Some(worker_state) = self.workers.get_mut(&worker) {
                    worker_state.tasks.push_back(Task { attempt, job, first, items, each, run: 0, told: 0 });
                    self.run_next(worker);
                }
            }
            Action::Accept { job, chunk, from, .. } => {
                let input = &mut self.inputs[job.0 as usize];
                input.results.insert((chunk, from), input.last_answer_bytes);
            }
            Action::Deliver { job, chunk, from, .. } => {
                let input = &mut self.inputs[job.0 as usize];
                if let Some(bytes) = input.results.remove(&(chunk, from)) {
                    let delay = self.config.jobs[job.0 as usize].sink_delay;
                    let released = SchedulerEvent::Released { job, bytes };
                    self.at(self.now + delay, ScheduledEvent::Event(released));
                }
            }
            Action::Retire { worker } => {
                self.summary.retired += 1;
                self.ask_to_end(worker);
            }
            Action::Terminate { worker } => self.ask_to_end(worker),
            Action::Kill { worker, .. } => {
                self.summary.kills += 1;
                let after = self.rng.below(MILLI / 10);
                self.at(self.now + after, ScheduledEvent::Dies(worker));
            }
            _ => {}
        }
    }

    pub(super) fn ask_to_end(&mut self, worker: WorkerId) {
        if !self.rng.per_mille(self.config.ignores_end) {
            let after = self.rng.below(MILLI);
            self.at(self.now + after, ScheduledEvent::Dies(worker));
        }
    }

    pub(super) fn cut(&mut self, job: JobId, max_items: u32, max_bytes: u64) -> SchedulerEvent {
        let plan = self.config.jobs[job.0 as usize].clone();
        let input = &mut self.inputs[job.0 as usize];
        if self.rng.per_mille(plan.pending) {
            let ready = ScheduledEvent::Event(SchedulerEvent::InputReady { job });
            let wait = self.rng.below(5 * MILLI);
            self.at(self.now + wait, ready);
            return SchedulerEvent::InputPending { job };
        }
        let left = plan.items - input.cut;
        if left == 0 {
            return SchedulerEvent::InputEnded { job };
        }
        let fit = max_bytes.checked_div(plan.item_bytes).unwrap_or(u64::MAX);
        let items = left.min(max_items).min(u32::try_from(fit).unwrap_or(u32::MAX)).max(1);
        input.firsts.push(u64::from(input.cut));
        input.cut += items;
        if plan.hints && self.rng.per_mille(300) {
            let items = u64::from(left) + self.rng.below(3);
            self.at(self.now, ScheduledEvent::Event(SchedulerEvent::Remaining { job, items }));
        }
        SchedulerEvent::ChunkCut { job, items, bytes: u64::from(items) * plan.item_bytes }
    }

    pub(super) fn has_fault(&mut self, chance: u64) -> bool {
        let has_fault = self.config.max_faults > 0 && self.rng.per_mille(chance);
        self.config.max_faults -= u64::from(has_fault);
        has_fault
    }

    pub(super) fn spawn(&mut self, worker: WorkerId) {
        let lacks = self.config.lack.is_some_and(|(from, to)| (from..to).contains(&self.now));
        if lacks || self.has_fault(self.config.spawn_fails) {
            let lasting = !lacks && self.rng.per_mille(300);
            return self.at(self.now, ScheduledEvent::Event(SchedulerEvent::SpawnFailed { worker, lasting }));
        }
        self.workers.insert(worker, SimulatedWorker::new(worker));
        // At once, or while other processes are created.
        let until = if self.rng.per_mille(500) { 0 } else { self.rng.below(10 * MILLI) };
        self.at(self.now + until, ScheduledEvent::Event(SchedulerEvent::Spawned { worker }));
        let mut takes = self.rng.below(self.config.start_time);
        if self.has_fault(self.config.late_start) {
            self.summary.late_starts += 1;
            takes += self.rng.below(LATEST_START);
        }
        if !self.has_fault(self.config.bad_start) {
            return self.at(self.now + takes, ScheduledEvent::Ready(worker));
        }
        match self.rng.below(4) {
            0 => {} // Never ready.
            1 => {
                self.say(worker, impossible_answer(worker));
                self.summary.violations += 1;
            }
            _ => self.at(self.now + takes, ScheduledEvent::Dies(worker)),
        }
    }
}
