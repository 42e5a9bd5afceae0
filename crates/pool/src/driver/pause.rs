//! Holding the workers and letting them go on. The clock stands still
//! meanwhile, see [`crate::clock`].

use super::event_loop::Driver;
use super::process::Process;
use std::time::Duration;

impl Driver {
    pub(super) fn pause(&mut self) {
        self.settings.clock.pause();
        self.workers.values().for_each(|worker| worker.child.hold());
    }

    pub(super) fn resume(&mut self) {
        if !self.settings.clock.is_paused() {
            return;
        }
        self.settings.clock.resume();
        let epoch_ns = self.settings.clock.epoch_ns();
        self.workers.values().for_each(|worker| worker.child.release(worker.held(epoch_ns)));
    }
}

impl Process {
    /// For how long it was held.
    fn held(&self, epoch_ns: u64) -> Duration {
        Duration::from_nanos(epoch_ns.saturating_sub(self.assigned.epoch_ns))
    }

    /// It has said hello: tells it once more, as it may not have listened yet
    /// when it was told.
    pub(super) fn tell_pause(&self, epoch_ns: u64) {
        if epoch_ns != self.assigned.epoch_ns {
            self.child.release(self.held(epoch_ns));
        }
    }
}
