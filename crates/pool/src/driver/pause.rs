//! Suspending the workers and resuming them. The clock excludes the pause, see
//! [`super::clock`].

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
    /// How long the worker was suspended in all.
    fn held(&self, epoch_ns: u64) -> Duration {
        Duration::from_nanos(epoch_ns.saturating_sub(self.assigned.epoch_ns))
    }

    /// Tells a worker that has sent its hello of the pauses once more: it may not
    /// have handled signals yet when it was told.
    pub(super) fn tell_pause(&self, epoch_ns: u64) {
        if epoch_ns != self.assigned.epoch_ns {
            self.child.release(self.held(epoch_ns));
        }
    }
}
