//! The watchdog: a thread that ends its process when an item exceeds its time
//! limit, whatever that item does.
//!
//! It checks the running item when that item's time limit can be reached, and every
//! 200 ms before. It costs the item no time: the thread that runs items records
//! what the watchdog needs anyway (see [`Draft`]).
//!
//! Time in which this process could not run is excluded. A wait that ends much
//! later than it should shows that the process was stopped or the machine
//! overloaded; therefore no wait is long.

use super::watchdog_state::WatchdogState;
use procession_sys::{ClockReading, read_running_clock};
use procession_task::{Draft, RunningItem};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;
use std::time::Duration;

/// The longest wait while an item runs, in nanoseconds. At most this much of a time
/// in which the process was stopped counts as the item's.
const LOOK_NS: u64 = 200_000_000;
/// A wait that ends later than this, in nanoseconds, was not an ordinary delay.
const LATE_NS: u64 = 50_000_000;
/// The watchdog's stack, in bytes: its calls are not deep.
const STACK_BYTES: usize = 256 << 10;

/// Starts the watchdog; returns its thread, to wake it.
pub(super) fn start(state: &Arc<WatchdogState>) -> io::Result<Thread> {
    let state = Arc::clone(state);
    let builder = std::thread::Builder::new().name("watchdog".into()).stack_size(STACK_BYTES);
    let handle = builder.spawn(move || watch(&state))?;
    Ok(handle.thread().clone())
}

/// What the watchdog does until its next check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WatchdogStep {
    /// No item with a limit runs: sleep until woken.
    Sleep,
    /// Wait for this many nanoseconds.
    Wait(u64),
    /// The item has exceeded its time limit: end the process.
    End,
}

fn watch(state: &WatchdogState) {
    let mut stopwatch = ItemStopwatch::default();
    let mut next = WatchdogStep::Sleep;
    let mut now = read_running_clock();
    loop {
        // On the clock that includes pauses.
        let due = match next {
            WatchdogStep::Wait(ns) => {
                std::thread::park_timeout(Duration::from_nanos(ns));
                now.running_ns + now.paused_ns + ns
            }
            WatchdogStep::Sleep | WatchdogStep::End => {
                std::thread::park();
                0
            }
        };
        // The lock is free while an item runs, and soon free between two items.
        let draft = Draft::lock(&state.draft);
        let chunk = *state.chunk();
        now = read_running_clock();
        let late = (now.running_ns + now.paused_ns).saturating_sub(due);
        next = match (draft.running, chunk.limits.timeout) {
            (Some(running), Some(timeout)) => {
                let since = running.since_ns + chunk.epoch_ns;
                let timeout_ns = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
                stopwatch.look(RunningItem { since_ns: since, ..running }, now, late, timeout_ns)
            }
            _ => WatchdogStep::Sleep,
        };
        match next {
            WatchdogStep::End => state.end_for_timeout(&draft),
            WatchdogStep::Sleep => state.asleep.store(true, Ordering::Relaxed),
            WatchdogStep::Wait(_) => {}
        }
    }
}

/// Measures how long the running item has run.
///
/// This process may learn of a pause only after it runs again. When the clock then
/// steps back by the pause, times that were read before lie in its future by the
/// length of the pause.
#[derive(Debug, Default)]
struct ItemStopwatch {
    item: Option<RunningItem>,
    /// When the item began, corrected if that is in the clock's future.
    since_ns: u64,
    /// Time since the item's start in which this process could not run.
    lost_ns: u64,
    /// The sum of the pauses that were known at the last check.
    paused_ns: u64,
}

impl ItemStopwatch {
    /// Checks an item; the wait ended `late_ns` too late, pauses included.
    fn look(&mut self, running: RunningItem, now: ClockReading, late_ns: u64, timeout_ns: u64) -> WatchdogStep {
        let learned = now.paused_ns.saturating_sub(self.paused_ns);
        self.paused_ns = now.paused_ns;
        if self.item != Some(running) {
            *self = Self { item: Some(running), since_ns: running.since_ns, lost_ns: 0, ..*self };
        }
        // The clock excludes pauses. If the newly learned pause is longer than this
        // wait was late, an earlier check has counted the rest as lost time.
        self.lost_ns = self.lost_ns.saturating_sub(learned.saturating_sub(late_ns));
        // A start in the future means that the clock has stepped back behind it.
        self.since_ns = self.since_ns.min(now.running_ns);
        let since_start = now.running_ns - self.since_ns;
        // An item that began after the wait should have ended lost no more time
        // than it has run.
        let lost = late_ns.saturating_sub(learned).min(since_start);
        if lost > LATE_NS {
            self.lost_ns = self.lost_ns.saturating_add(lost);
        }
        let ran = since_start.saturating_sub(self.lost_ns);
        if ran >= timeout_ns { WatchdogStep::End } else { WatchdogStep::Wait((timeout_ns - ran).min(LOOK_NS)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn item(index: u64, since_ms: u64) -> RunningItem {
        RunningItem { index, since_ns: since_ms * MS }
    }

    /// A moment at this millisecond, on a clock that knows of `paused` milliseconds
    /// of pauses.
    fn at(ms: u64, paused_ms: u64) -> ClockReading {
        ClockReading { running_ns: ms * MS, paused_ns: paused_ms * MS }
    }

    #[test]
    fn an_item_has_its_time_and_no_more() {
        let mut stopwatch = ItemStopwatch::default();
        assert_eq!(stopwatch.look(item(0, 100), at(110, 0), 0, 500 * MS), WatchdogStep::Wait(LOOK_NS));
        assert_eq!(stopwatch.look(item(0, 100), at(310, 0), MS, 500 * MS), WatchdogStep::Wait(LOOK_NS));
        assert_eq!(stopwatch.look(item(0, 100), at(510, 0), MS, 500 * MS), WatchdogStep::Wait(90 * MS));
        assert_eq!(stopwatch.look(item(0, 100), at(600, 0), 0, 500 * MS), WatchdogStep::End);
    }

    #[test]
    fn each_item_is_timed_from_its_own_start() {
        let mut stopwatch = ItemStopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), at(90, 0), 0, 100 * MS), WatchdogStep::Wait(10 * MS));
        assert_eq!(stopwatch.look(item(1, 95), at(100, 0), 0, 100 * MS), WatchdogStep::Wait(95 * MS));
        // An item that is run again has its whole time limit again.
        assert_eq!(stopwatch.look(item(1, 150), at(199, 0), 0, 100 * MS), WatchdogStep::Wait(51 * MS));
    }

    #[test]
    fn time_in_which_the_process_was_stopped_does_not_count() {
        let mut stopwatch = ItemStopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), at(10, 0), 0, 300 * MS), WatchdogStep::Wait(LOOK_NS));
        // The wait that should have ended at 210 ms ended at ten seconds.
        assert_eq!(stopwatch.look(item(0, 0), at(10_000, 0), 9_790 * MS, 300 * MS), WatchdogStep::Wait(90 * MS));
        assert_eq!(stopwatch.look(item(0, 0), at(10_090, 0), 0, 300 * MS), WatchdogStep::End);
    }

    #[test]
    fn an_item_that_began_during_the_wait_lost_no_more_than_it_has() {
        let mut stopwatch = ItemStopwatch::default();
        // The item began, the process was stopped, and this is the first check.
        assert_eq!(stopwatch.look(item(5, 0), at(5_000, 0), 4_900 * MS, 1_000 * MS), WatchdogStep::Wait(LOOK_NS));
        // The item began after all that.
        let mut stopwatch = ItemStopwatch::default();
        assert_eq!(stopwatch.look(item(5, 4_999), at(5_000, 0), 4_900 * MS, 100 * MS), WatchdogStep::Wait(99 * MS));
        assert_eq!(stopwatch.look(item(5, 4_999), at(5_099, 0), 0, 100 * MS), WatchdogStep::End);
    }

    #[test]
    fn who_was_woken_for_an_item_counts_from_then_if_that_took_long() {
        let mut stopwatch = ItemStopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), at(3_000, 0), 3_000 * MS, 100 * MS), WatchdogStep::Wait(100 * MS));
    }

    #[test]
    fn a_pause_that_is_learned_of_late_is_counted_once() {
        // A pause of ten seconds that the clock does not know yet at the next
        // check.
        let mut stopwatch = ItemStopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), at(10, 0), 0, 300 * MS), WatchdogStep::Wait(LOOK_NS));
        assert_eq!(stopwatch.look(item(0, 0), at(10_210, 0), 10_000 * MS, 300 * MS), WatchdogStep::Wait(90 * MS));
        assert_eq!(stopwatch.look(item(0, 0), at(299, 10_000), 0, 300 * MS), WatchdogStep::Wait(MS));
        assert_eq!(stopwatch.look(item(0, 0), at(300, 10_000), 0, 300 * MS), WatchdogStep::End);
        // A pause that the clock knows.
        let mut stopwatch = ItemStopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), at(10, 0), 0, 300 * MS), WatchdogStep::Wait(LOOK_NS));
        assert_eq!(stopwatch.look(item(0, 0), at(210, 10_000), 10_000 * MS, 300 * MS), WatchdogStep::Wait(90 * MS));
        assert_eq!(stopwatch.look(item(0, 0), at(300, 10_000), 0, 300 * MS), WatchdogStep::End);
    }

    #[test]
    fn a_pause_does_not_take_back_what_was_lost_to_somebody_elses_stop() {
        let mut stopwatch = ItemStopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), at(10, 0), 0, 300 * MS), WatchdogStep::Wait(LOOK_NS));
        assert_eq!(stopwatch.look(item(0, 0), at(5_210, 0), 5_000 * MS, 300 * MS), WatchdogStep::Wait(90 * MS));
        assert_eq!(stopwatch.look(item(0, 0), at(5_250, 10_000), 10_000 * MS, 300 * MS), WatchdogStep::Wait(50 * MS));
        assert_eq!(stopwatch.look(item(0, 0), at(5_300, 10_000), 0, 300 * MS), WatchdogStep::End);
    }

    #[test]
    fn an_item_that_seems_to_begin_in_the_future_begins_now() {
        let mut stopwatch = ItemStopwatch::default();
        // Its start was read before the clock knew of the pause.
        assert_eq!(
            stopwatch.look(item(1, 10_100), at(100, 10_000), 10_000 * MS, 300 * MS),
            WatchdogStep::Wait(LOOK_NS)
        );
        assert_eq!(stopwatch.look(item(1, 10_100), at(300, 10_000), 0, 300 * MS), WatchdogStep::Wait(100 * MS));
        assert_eq!(stopwatch.look(item(1, 10_100), at(400, 10_000), 0, 300 * MS), WatchdogStep::End);
    }
}
