//! The phases of a worker's thread and of the driver's thread, and the time spent
//! in each.

use super::stopwatch::{Stopwatch, WatchPhase};
use procession_task::{Samples, Times};
use std::time::Duration;

/// What a worker is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkerPhase {
    /// Waiting for a chunk.
    Waiting,
    /// Reading, checking and framing messages.
    Transport,
    /// Running items: decoding, running and encoding.
    Busy,
    /// Handing results over.
    Writing,
}

impl WatchPhase for WorkerPhase {
    fn number(self) -> usize {
        self as usize
    }
}

/// A worker's stopwatch. It also divides the busy time by the sampled items' own
/// phases.
#[derive(Debug)]
pub(crate) struct WorkerWatch {
    watch: Stopwatch<WorkerPhase, 4>,
    items: Times,
    samples: Samples,
}

impl WorkerWatch {
    pub(crate) fn start(phase: WorkerPhase) -> Self {
        Self { watch: Stopwatch::start(phase), items: Times::default(), samples: Samples::default() }
    }

    /// Switches to another phase; returns the time on the host's clock.
    pub(crate) fn switch(&mut self, phase: WorkerPhase) -> u64 {
        let was_busy = self.watch.phase() == WorkerPhase::Busy;
        let now = self.watch.switch(phase);
        if was_busy {
            let busy_ns = self.watch.take_ns(WorkerPhase::Busy);
            self.items.add_busy(busy_ns, &std::mem::take(&mut self.samples));
        }
        now
    }

    pub(crate) fn phase(&self) -> WorkerPhase {
        self.watch.phase()
    }

    /// The times of the items that were sampled in this busy phase.
    pub(crate) fn sampled(&mut self, samples: Samples) {
        self.samples = samples;
    }

    /// All the times until now.
    pub(crate) fn times(&mut self) -> Times {
        self.switch(self.watch.phase());
        let spent = |phase| u64::try_from(self.watch.spent(phase).as_nanos()).unwrap_or(u64::MAX);
        Times {
            waiting_ns: spent(WorkerPhase::Waiting),
            transport_ns: spent(WorkerPhase::Transport),
            writing_ns: spent(WorkerPhase::Writing),
            ..self.items
        }
    }
}

/// What the driver is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DriverPhase {
    /// Waiting for events.
    Waiting,
    /// Starting processes.
    Spawning,
    /// Cutting blocks, sending and receiving them.
    Transport,
    /// Putting results in order and handing them over.
    Order,
}

impl WatchPhase for DriverPhase {
    fn number(self) -> usize {
        self as usize
    }
}

/// The driver's stopwatch.
pub(crate) type DriverWatch = Stopwatch<DriverPhase, 4>;

/// Where the driver's time went, from the pool's creation to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DriverTimes {
    /// Waiting for events.
    pub waiting: Duration,
    /// Starting processes.
    pub spawning: Duration,
    /// Cutting blocks, sending and receiving them.
    pub transport: Duration,
    /// Putting results in order and handing them over.
    pub order: Duration,
}

impl DriverTimes {
    pub(crate) fn of(watch: &mut DriverWatch) -> Self {
        watch.switch(watch.phase());
        Self {
            waiting: watch.spent(DriverPhase::Waiting),
            spawning: watch.spent(DriverPhase::Spawning),
            transport: watch.spent(DriverPhase::Transport),
            order: watch.spent(DriverPhase::Order),
        }
    }

    /// The sum of all phases.
    #[must_use]
    pub fn total(&self) -> Duration {
        self.waiting + self.spawning + self.transport + self.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_sys::running_ns;

    #[test]
    fn a_workers_phases_add_up_to_the_whole() {
        let begun = running_ns();
        let mut watch = WorkerWatch::start(WorkerPhase::Transport);
        let started = running_ns();
        for round in 0..1000 {
            watch.switch(WorkerPhase::Waiting);
            watch.switch(WorkerPhase::Busy);
            watch.sampled(Samples { decoding_ns: 1, running_ns: round, encoding_ns: 2 });
            watch.switch(WorkerPhase::Writing);
            watch.switch(WorkerPhase::Transport);
        }
        let before = running_ns();
        let times = watch.times();
        let after = running_ns();
        assert!(times.total_ns() >= before - started && times.total_ns() <= after - begun, "{times:?}");
        assert!(times.waiting_ns > 0 && times.decoding_ns > 0 && times.encoding_ns > 0, "{times:?}");
        assert_eq!(watch.phase(), WorkerPhase::Transport);
    }
}
