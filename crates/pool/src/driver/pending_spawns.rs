//! Workers that the scheduler asked for and whose processes do not exist yet.
//!
//! Spawning a process takes up to a millisecond, and thousands may be asked for at
//! once. A few are spawned in each turn of the loop, so that a stop is handled
//! meanwhile, and workers that exist already work. A message to a worker that is not
//! spawned yet, which can only tell it to end, waits for it.

use super::event_loop::Driver;
use super::process::{Assignment, PendingWorker, Process};
use super::start_failure::StartFailure;
use crate::observe::{DriverPhase, Event, WorkerRef};
use procession_scheduler::SchedulerEvent;
use procession_scheduler::{Fault, Slot, WorkerId};
use procession_sys::Spawned;

/// The number of processes that are spawned in one turn of the loop: few at first,
/// because the first workers are given items while others are spawned; more if there
/// are so many that each turn takes long anyway.
fn at_once(spawned: usize) -> usize {
    (spawned / 16).clamp(2, 16)
}

impl Driver {
    /// Queues a worker for spawning.
    pub(super) fn queue_spawn(&mut self, slot: Slot, id: WorkerId) {
        let assigned = Assignment::new(self.settings.clock.epoch_ns());
        self.pending.insert(id, PendingWorker { slot, assigned });
    }

    /// Whether the next turn has processes to spawn; none are spawned during a
    /// pause.
    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty() && !self.settings.clock.is_paused()
    }

    /// Spawns the processes of this turn.
    pub(super) fn spawn_pending(&mut self) {
        for _ in 0..at_once(self.workers.len()) {
            if !self.has_pending() {
                return;
            }
            if let Some((id, worker)) = self.pending.pop_first() {
                self.spawn(id, worker);
            }
        }
    }

    fn spawn(&mut self, id: WorkerId, pending: PendingWorker) {
        let slot = pending.slot.0;
        let mut args = crate::worker::arguments(slot);
        args.extend_from_slice(&self.settings.arguments);
        self.watch.switch(DriverPhase::Spawning);
        let spawned = Spawned::start(&self.settings.program, &args, &self.settings.variables);
        self.watch.switch(DriverPhase::Transport);
        let at = self.now();
        match spawned {
            Ok(child) => {
                let nth = self.slots.get_mut(slot as usize).map_or(0, |count| {
                    *count += 1;
                    *count - 1
                });
                let who = WorkerRef { slot, nth, pid: child.pid() };
                self.observe(&Event::WorkerSpawned { worker: who, at });
                self.workers.insert(id, Process::new(who, child, pending.assigned));
                self.handle(SchedulerEvent::Spawned { worker: id });
            }
            Err(error) => {
                let message = format!("{}: {error}", self.settings.program.display());
                self.start_failure = Some(StartFailure::Spawn(message.clone()));
                let is_temporary = error.is_temporary();
                self.observe(&Event::SpawnFailed { slot, message, is_temporary, at });
                self.handle(SchedulerEvent::SpawnFailed { worker: id, lasting: !is_temporary });
            }
        }
    }

    /// Drops a worker before it is spawned.
    pub(super) fn drop_pending(&mut self, id: WorkerId) {
        if self.pending.remove(&id).is_some() {
            let ended = SchedulerEvent::WorkerEnded { worker: id, fault: Fault::Crashed };
            self.scheduler.handle_event(self.deadline_now(), ended);
        }
    }
}
