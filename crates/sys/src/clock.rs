//! The monotonic clock, which all processes of a host share. Changes of the time
//! of day do not affect it, and it stops while the machine is suspended.

use nix::time::{ClockId, clock_gettime};
use std::sync::atomic::{AtomicU64, Ordering};

/// The total time for which this process was held, as its coordinator reported
/// it (see `pause`). With the bit [`FROZEN`]: the time at which the clock stands.
static PAUSES: AtomicU64 = AtomicU64::new(0);
/// Marks a frozen clock; no clock reaches this value.
const FROZEN: u64 = 1 << 63;

/// Nanoseconds on the host's monotonic clock; a call takes about 25 ns.
#[must_use]
pub fn monotonic_ns() -> u64 {
    read(ClockId::CLOCK_MONOTONIC)
}

/// The same clock as of the last timer tick, a few milliseconds ago at most;
/// a call takes a few nanoseconds.
#[must_use]
pub fn coarse_ns() -> u64 {
    read(ClockId::CLOCK_MONOTONIC_COARSE)
}

/// [`monotonic_ns`] without the time for which the coordinator held this process
/// or the process suspended itself. In a worker it may step back at the end of a
/// pause.
#[must_use]
pub fn running_ns() -> u64 {
    without_pauses(monotonic_ns)
}

/// [`running_ns`] as of the last timer tick; a call takes a few nanoseconds.
#[must_use]
pub fn coarse_running_ns() -> u64 {
    without_pauses(coarse_ns)
}

/// A time, and the total of the pauses that it leaves out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClockReading {
    /// [`running_ns`].
    pub running_ns: u64,
    /// The total of the known pauses. Right after a pause it may be too small;
    /// when it grows, `running_ns` steps back by the same amount.
    pub paused_ns: u64,
}

/// [`running_ns`], and the pauses that it leaves out.
#[must_use]
pub fn read_running_clock() -> ClockReading {
    reading(monotonic_ns)
}

fn without_pauses(now: impl Fn() -> u64) -> u64 {
    reading(now).running_ns
}

fn reading(now: impl Fn() -> u64) -> ClockReading {
    loop {
        let pauses = PAUSES.load(Ordering::Acquire);
        if pauses & FROZEN != 0 {
            let running_ns = pauses & !FROZEN;
            return ClockReading { running_ns, paused_ns: now().saturating_sub(running_ns) };
        }
        let now = now();
        // Read again if a pause came in between.
        if PAUSES.load(Ordering::Acquire) == pauses {
            return ClockReading { running_ns: now.saturating_sub(pauses), paused_ns: pauses };
        }
    }
}

/// Freezes [`running_ns`] for all threads while `stopped` runs.
pub(crate) fn freeze_while<T>(stopped: impl FnOnce() -> T) -> T {
    let at = running_ns();
    PAUSES.store(at | FROZEN, Ordering::Release);
    let result = stopped();
    PAUSES.store(monotonic_ns().saturating_sub(at), Ordering::Release);
    result
}

/// Notes the total time for which this process was held. Safe in a signal handler.
pub(crate) fn note_paused(ns: u64) {
    PAUSES.store(ns, Ordering::Release);
}

fn read(clock: ClockId) -> u64 {
    // On Linux neither clock can fail or be negative.
    clock_gettime(clock).map_or(0, |t| t.tv_sec().unsigned_abs() * 1_000_000_000 + t.tv_nsec().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_readings_come_from_one_clock() {
        let (before, coarse, after) = (monotonic_ns(), coarse_ns(), monotonic_ns());
        assert!(before <= after);
        assert!(coarse <= after && before - coarse.min(before) < 100_000_000);
    }
}
