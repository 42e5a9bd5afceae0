//! The monotonic clock, which all processes of a host share: it goes on at the
//! same pace whatever is done to the time of day, and stands still while the
//! machine sleeps.

use nix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicU64, Ordering};

/// How long this process was held, as whoever held it said (see `pause`); or,
/// with [`FROZEN`], at which time it stands.
static PAUSES: AtomicU64 = AtomicU64::new(0);
/// Marks a time that stands; no clock comes this far.
const FROZEN: u64 = 1 << 63;

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
/// coordinator or stopped itself. In a worker it may step back, just when a
/// pause is over.
#[must_use]
pub fn running_ns() -> u64 {
    without_pauses(monotonic_ns)
}

/// [`running_ns`] as of the last timer tick; costs a few nanoseconds.
#[must_use]
pub fn coarse_running_ns() -> u64 {
    without_pauses(coarse_ns)
}

/// A time, and which pauses it leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockReading {
    /// [`running_ns`].
    pub running_ns: u64,
    /// The pauses that are known of, in all. Right after a pause that may not
    /// be all there were; when it grows, the time steps back by as much.
    pub paused_ns: u64,
}

/// [`running_ns`], with what was left out of it.
#[must_use]
pub fn read_running_clock() -> ClockReading {
    moment(monotonic_ns)
}

fn without_pauses(now: impl Fn() -> u64) -> u64 {
    moment(now).running_ns
}

fn moment(now: impl Fn() -> u64) -> ClockReading {
    loop {
        let pauses = PAUSES.load(Ordering::Acquire);
        if pauses & FROZEN != 0 {
            let running_ns = pauses & !FROZEN;
            return ClockReading { running_ns, paused_ns: now().saturating_sub(running_ns) };
        }
        let now = now();
        // A pause may have come in between.
        if PAUSES.load(Ordering::Acquire) == pauses {
            return ClockReading { running_ns: now.saturating_sub(pauses), paused_ns: pauses };
        }
    }
}

/// Lets [`running_ns`] stand still while `stopped` runs, for all threads.
pub(crate) fn stand_still<T>(stopped: impl FnOnce() -> T) -> T {
    let at = running_ns();
    PAUSES.store(at | FROZEN, Ordering::Release);
    let result = stopped();
    PAUSES.store(monotonic_ns().saturating_sub(at), Ordering::Release);
    result
}

/// Notes for how long this process was held in all. Safe in a signal handler.
pub(crate) fn note_paused(ns: u64) {
    PAUSES.store(ns, Ordering::Release);
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
