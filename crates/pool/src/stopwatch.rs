//! A worker's stopwatch: it is always in one phase, so that the phases add up
//! to the whole.

use procession_sys::monotonic_ns;
use procession_task::{Samples, Times};

/// What a worker does at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Waiting for a chunk.
    Waiting,
    /// Reading, checking and framing messages.
    Transport,
    /// Items, whatever part of them.
    Busy,
    /// Handing results over.
    Writing,
}

#[derive(Debug)]
pub(crate) struct Stopwatch {
    times: Times,
    phase: Phase,
    since_ns: u64,
    /// Of the items in the busy time that is not shared out yet.
    samples: Samples,
}

impl Stopwatch {
    /// Starts in this phase.
    pub(crate) fn start(phase: Phase) -> Self {
        Self { times: Times::default(), phase, since_ns: monotonic_ns(), samples: Samples::default() }
    }

    /// From now on it is another phase; returns the time on the host's clock.
    pub(crate) fn switch(&mut self, phase: Phase) -> u64 {
        let now = monotonic_ns();
        let passed = now.saturating_sub(self.since_ns);
        match self.phase {
            Phase::Waiting => self.times.waiting_ns += passed,
            Phase::Transport => self.times.transport_ns += passed,
            Phase::Busy => self.times.add_busy(passed, &std::mem::take(&mut self.samples)),
            Phase::Writing => self.times.writing_ns += passed,
        }
        self.phase = phase;
        self.since_ns = now;
        now
    }

    pub(crate) fn phase(&self) -> Phase {
        self.phase
    }

    /// What the items took that were looked at in this busy phase.
    pub(crate) fn sampled(&mut self, samples: Samples) {
        self.samples = samples;
    }

    /// All the times until now.
    pub(crate) fn times(&mut self) -> Times {
        self.switch(self.phase);
        self.times
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_phases_add_up_to_the_whole() {
        let begun = monotonic_ns();
        let mut watch = Stopwatch::start(Phase::Transport);
        let started = monotonic_ns();
        for round in 0..1000 {
            watch.switch(Phase::Waiting);
            watch.switch(Phase::Busy);
            watch.sampled(Samples { decoding_ns: 1, running_ns: round, encoding_ns: 2 });
            watch.switch(Phase::Writing);
            watch.switch(Phase::Transport);
        }
        let before = monotonic_ns();
        let times = watch.times();
        let after = monotonic_ns();
        assert!(times.total_ns() >= before - started && times.total_ns() <= after - begun, "{times:?}");
        assert!(times.waiting_ns > 0 && times.decoding_ns > 0 && times.encoding_ns > 0, "{times:?}");
        assert_eq!(watch.phase(), Phase::Transport);
    }
}
