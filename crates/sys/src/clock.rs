//! The monotonic clock, which all processes of a host share: it goes on at the
//! same pace whatever is done to the time of day, and stands still while the
//! machine sleeps.

use nix::time::{ClockId, clock_gettime};

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
