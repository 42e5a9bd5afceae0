//! One deadline for each worker, the earliest first.
//!
//! An entry stands for a worker's deadline and is never later than it. It may be
//! earlier: when it fires, the worker's own deadline decides.

use std::collections::BTreeSet;

use crate::model::RunTime;

#[derive(Debug, Default)]
pub(crate) struct Timers {
    armed: BTreeSet<(RunTime, u32)>,
}

impl Timers {
    pub(crate) fn next(&self) -> Option<RunTime> {
        self.armed.first().map(|&(at, _)| at)
    }

    pub(crate) fn arm(&mut self, at: RunTime, slot: u32) {
        self.armed.insert((at, slot));
    }

    pub(crate) fn disarm(&mut self, at: RunTime, slot: u32) {
        self.armed.remove(&(at, slot));
    }

    /// Takes the first entry whose time has come.
    pub(crate) fn pop_due(&mut self, now: RunTime) -> Option<(RunTime, u32)> {
        if self.next()? > now {
            return None;
        }
        self.armed.pop_first()
    }
}
