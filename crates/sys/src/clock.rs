//! The monotonic clock, which all processes of a host share: it goes on at the
//! same pace whatever is done to the time of day, and stands still while the
//! machine sleeps.

use nix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicU64, Ordering};

/// How long this process was held, as whoever held it said (see `pause`).
static PAUSED_NS: AtomicU64 = AtomicU64::new(0);

/// Nanoseconds on the host's monotonic clock; costs some 25 ns.
#[must_use]
pub fn monotonic_ns() -> u64 {
    read(ClockId::CLOCK_MONOTONIC)
}

/// The same clock as of the last timer tick, up to some milliseconds ago;
/// costs a few nanoseconds.
#[must_use]
pub fn coarse_ns() -> u64 {
    read(ClockId::CLOCK_MONOTONIC_COARSE)
}

/// [`monotonic_ns`] without the time for which this process was held by its
/// coordinator or stopped itself. It may step back, just when a pause is over.
#[must_use]
pub fn running_ns() -> u64 {
    monotonic_ns().saturating_sub(PAUSED_NS.load(Ordering::Relaxed))
}

/// [`running_ns`] as of the last timer tick; costs a few nanoseconds.
#[must_use]
pub fn coarse_running_ns() -> u64 {
    coarse_ns().saturating_sub(PAUSED_NS.load(Ordering::Relaxed))
}

/// Notes that this process stopped itself.
pub(crate) fn add_pause(ns: u64) {
    PAUSED_NS.fetch_add(ns, Ordering::Relaxed);
}

/// Notes for how long this process was held in all. Safe in a signal handler.
pub(crate) fn note_paused(ns: u64) {
    PAUSED_NS.store(ns, Ordering::Relaxed);
}

fn read(clock: ClockId) -> u64 {
    // Neither clock can fail to be read or go below zero on Linux.
    clock_gettime(clock).map_or(0, |t| t.tv_sec().unsigned_abs() * 1_000_000_000 + t.tv_nsec().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_clocks_are_one() {
        let (before, coarse, after) = (monotonic_ns(), coarse_ns(), monotonic_ns());
        assert!(before <= after);
        assert!(coarse <= after && before - coarse.min(before) < 100_000_000);
    }
}
