//! A stopwatch that is always in exactly one phase, so that the phases of a thread
//! add up to its whole lifetime.

use procession_sys::running_ns;
use std::time::Duration;

/// The phases of a thread: an enum whose variants are numbered.
pub trait WatchPhase: Copy {
    /// Its number, from 0, less than the stopwatch's `N`.
    fn number(self) -> usize;
}

/// A stopwatch over `N` phases.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch<P, const N: usize> {
    totals_ns: [u64; N],
    phase: P,
    since_ns: u64,
}

impl<P: WatchPhase, const N: usize> Stopwatch<P, N> {
    /// Starts in this phase.
    #[must_use]
    pub fn start(phase: P) -> Self {
        Self { totals_ns: [0; N], phase, since_ns: running_ns() }
    }

    /// Switches to another phase; returns the time on this process's clock
    /// ([`running_ns`]), which is read for the switch anyway.
    pub fn switch(&mut self, phase: P) -> u64 {
        let now = running_ns();
        if let Some(total) = self.totals_ns.get_mut(self.phase.number()) {
            *total += now.saturating_sub(self.since_ns);
        }
        self.phase = phase;
        self.since_ns = now;
        now
    }

    /// The current phase.
    #[must_use]
    pub fn phase(&self) -> P {
        self.phase
    }

    /// The time spent in a phase until the last switch, in nanoseconds; resets the
    /// phase to zero.
    pub fn take_ns(&mut self, phase: P) -> u64 {
        self.totals_ns.get_mut(phase.number()).map_or(0, std::mem::take)
    }

    /// The time spent in a phase until the last switch.
    #[must_use]
    pub fn spent(&self, phase: P) -> Duration {
        Duration::from_nanos(self.totals_ns.get(phase.number()).copied().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Toy {
        Play,
        Rest,
    }

    impl WatchPhase for Toy {
        fn number(self) -> usize {
            self as usize
        }
    }

    #[test]
    fn the_phases_add_up_to_the_whole() {
        let begun = running_ns();
        let mut watch = Stopwatch::<Toy, 2>::start(Toy::Play);
        let started = running_ns();
        for _ in 0..1000 {
            watch.switch(Toy::Rest);
            watch.switch(Toy::Play);
        }
        let before = running_ns();
        let last = watch.switch(Toy::Rest);
        let total = watch.spent(Toy::Play) + watch.spent(Toy::Rest);
        let total = u64::try_from(total.as_nanos()).unwrap();
        assert!(total >= before - started && total <= last - begun, "{total}");
        assert!(watch.take_ns(Toy::Play) > 0);
        assert_eq!((watch.spent(Toy::Play), watch.phase()), (Duration::ZERO, Toy::Rest));
    }
}
