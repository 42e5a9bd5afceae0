//! For how long chunks are kept for workers that are still starting.
//!
//! At the start each worker gets one chunk in turn: with as many items as workers,
//! every process runs one. So a ready worker that has had its first chunk leaves
//! one to each starting worker, for [`KEEPING_TIME`] after the last worker became
//! ready: on a busy machine they come one by one. After that an idle worker takes whatever there is.
//!
//! A busy worker is not sent more as long as a new process may come for it, for the
//! same time after each spawn: at the end of the input no process is created in
//! vain.

use std::time::Duration;

use crate::model::RunTime;

/// The longest time for which a ready worker is left idle for others.
pub(crate) const KEEPING_TIME: Duration = Duration::from_millis(250);

#[derive(Debug, Default)]
pub(crate) struct FirstChunks {
    /// [`KEEPING_TIME`] after the last worker became ready, if that was before the end
    /// of this time.
    until: Option<RunTime>,
    /// The same after the last spawn.
    spawned_until: RunTime,
}

impl FirstChunks {
    pub(crate) fn on_spawn(&mut self, now: RunTime) {
        self.spawned_until = now + KEEPING_TIME;
    }

    pub(crate) fn on_ready(&mut self, now: RunTime) {
        if self.are_kept(now) {
            self.until = Some(now + KEEPING_TIME);
        }
    }

    /// Whether chunks are kept from idle workers that have had their first.
    pub(crate) fn are_kept(&self, now: RunTime) -> bool {
        self.until.is_none_or(|until| now < until)
    }

    /// Whether chunks are kept from busy workers.
    pub(crate) fn are_kept_from_busy(&self, now: RunTime) -> bool {
        self.are_kept(now) || now < self.spawned_until
    }

    /// The time from which on idle workers get whatever there is.
    pub(crate) fn until(&self) -> Option<RunTime> {
        self.until
    }
}
