//! Workers that the scheduler asked for and whose processes do not exist yet.
//!
//! A process takes the system a good part of a millisecond to make, and
//! thousands may be asked for at once. A few are made in each turn of the loop,
//! so that whoever ends the run meanwhile is heard, and those who are there
//! already work. What a worker is sent before it exists waits for it.

use super::process::{Given, Process};
use super::{Driver, Happened};
use crate::events::{Event, WorkerRef};
use crate::phases::DriverPhase;
use procession_scheduler::{Fault, Slot, WorkerId};
use procession_sys::Spawned;

/// How many processes are made in one turn of the loop.
const AT_ONCE: usize = 16;

/// A worker without a process.
pub(super) struct Unborn {
    slot: Slot,
    pub(super) given: Given,
}

impl Driver {
    /// Notes that a process is to be made.
    pub(super) fn expect(&mut self, slot: Slot, id: WorkerId) {
        let given = Given::new(self.settings.clock.epoch_ns());
        self.unborn.insert(id, Unborn { slot, given });
    }

    /// Whether the next turn has processes to make; none are made during a pause.
    pub(super) fn has_births(&self) -> bool {
        !self.unborn.is_empty() && !self.settings.clock.is_paused()
    }

    /// Makes the processes of this turn.
    pub(super) fn bear_some(&mut self) {
        for _ in 0..AT_ONCE {
            if !self.has_births() {
                return;
            }
            if let Some((id, unborn)) = self.unborn.pop_first() {
                self.bear(id, unborn);
            }
        }
    }

    fn bear(&mut self, id: WorkerId, unborn: Unborn) {
        let slot = unborn.slot.0;
        let mut args = crate::worker::arguments(slot);
        args.extend_from_slice(&self.settings.arguments);
        self.watch.switch(DriverPhase::Spawning);
        let spawned = Spawned::start(&self.settings.program, &args);
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
                let mut given = unborn.given;
                for attempt in &mut given.attempts {
                    attempt.sent_at = at;
                }
                let sent: Vec<Event> = given.attempts.iter().map(|attempt| attempt.sent_to(who)).collect();
                sent.iter().for_each(|event| self.observe(event));
                self.workers.insert(id, Process::new(who, child, given));
                self.handle(Happened::Spawned { worker: id });
            }
            Err(error) => {
                let message = format!("{}: {error}", self.settings.program.display());
                self.trouble.clone_from(&message);
                self.observe(&Event::SpawnFailed { slot, message, at });
                self.handle(Happened::SpawnFailed { worker: id, lasting: !error.is_temporary() });
            }
        }
    }

    /// A worker is to end that does not exist: it never will.
    pub(super) fn drop_unborn(&mut self, id: WorkerId) {
        if self.unborn.remove(&id).is_some() {
            let ended = Happened::WorkerEnded { worker: id, fault: Fault::Crashed };
            self.scheduler.handle_event(self.judged(), ended);
        }
    }
}
