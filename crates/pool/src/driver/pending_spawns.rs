//! Workers that the scheduler asked for and whose processes do not exist yet.
//!
//! Spawning a process takes up to a millisecond, and thousands may be asked for at
//! once. A few are spawned in each turn of the loop, so that a stop is handled
//! meanwhile, and workers that exist already work. Messages to a worker that is not
//! spawned yet wait for it.

use super::event_loop::Driver;
use super::process::{Assignment, PendingWorker, Process};
use crate::observe::{DriverPhase, Event, WorkerRef};
use procession_scheduler::SchedulerEvent;
use procession_scheduler::{Fault, Slot, WorkerId};
use procession_sys::Spawned;

/// The number of processes that are spawned in one turn of the loop, at most.
const AT_ONCE: usize = 16;

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
        for _ in 0..AT_ONCE {
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
                let mut assigned = pending.assigned;
                for attempt in &mut assigned.attempts {
                    attempt.sent_at = at;
                }
                let sent: Vec<Event> = assigned.attempts.iter().map(|attempt| attempt.sent_to(who)).collect();
                sent.iter().for_each(|event| self.observe(event));
                self.workers.insert(id, Process::new(who, child, assigned));
                self.handle(SchedulerEvent::Spawned { worker: id });
            }
            Err(error) => {
                let message = format!("{}: {error}", self.settings.program.display());
                self.start_error.clone_from(&message);
                self.observe(&Event::SpawnFailed { slot, message, at });
                self.handle(SchedulerEvent::SpawnFailed { worker: id, lasting: !error.is_temporary() });
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
