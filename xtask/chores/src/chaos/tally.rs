//! What was done, counted.

use std::fmt;
use std::time::Duration;

/// Counts of a round, or of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) rounds: u64,
    pub(crate) items: u64,
    pub(crate) worker_kills: u64,
    pub(crate) stops: u64,
    pub(crate) coordinator_kills: u64,
    /// Calls with `--resume` after one that did not complete.
    pub(crate) resumes: u64,
    /// Calls that started over instead.
    pub(crate) restarts: u64,
    /// Runs that ended rightly because workers were killed while they started.
    pub(crate) given_up: u64,
    /// The most memory that a coordinator was seen to hold, in bytes.
    pub(crate) peak_memory: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.rounds += other.rounds;
        self.items += other.items;
        self.worker_kills += other.worker_kills;
        self.stops += other.stops;
        self.coordinator_kills += other.coordinator_kills;
        self.resumes += other.resumes;
        self.restarts += other.restarts;
        self.given_up += other.given_up;
        self.peak_memory = self.peak_memory.max(other.peak_memory);
    }

    /// The counts with the time that they took.
    pub(crate) fn shown(&self, elapsed: Duration) -> String {
        format!("{self}, {:.1} s", elapsed.as_secs_f64())
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rounds, items, worker_kills, stops, coordinator_kills, resumes, restarts, given_up, peak_memory } =
            self;
        write!(f, "{rounds} rounds, {worker_kills} worker kills, {stops} stops, ")?;
        write!(f, "{coordinator_kills} coordinator kills, {resumes} resumes, {restarts} restarts, ")?;
        write!(f, "{given_up} given up at the start, ")?;
        write!(f, "{items} items, peak {} MiB", peak_memory >> 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_add_up_and_the_peak_stays() {
        let one = Tally { rounds: 1, worker_kills: 5, peak_memory: 9 << 20, ..Tally::default() };
        let mut all = Tally { peak_memory: 3 << 20, ..one };
        all.add(&one);
        assert_eq!((all.rounds, all.worker_kills, all.peak_memory), (2, 10, 9 << 20));
        assert!(all.shown(Duration::from_secs(2)).ends_with("peak 9 MiB, 2.0 s"));
    }
}
