//! The watchdog: a thread that ends its process when an item exceeds its time
//! limit, whatever that item does.
//!
//! It checks the running item when that item's time limit can be reached, and often
//! before. It costs the item no time: the thread that runs items records
//! what the watchdog needs anyway (see [`Draft`]).
//!
//! Time in which this process could not run is excluded: what a wait takes longer than
//! it should. If that is much, this process was stopped or frozen, at an unknown moment
//! of the wait, so all of the wait is excluded. Therefore no wait is long.

use super::watchdog_state::WatchdogState;
use procession_sys::{ClockReading, read_running_clock, start_thread};
use procession_task::{Draft, RunningItem};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;
use std::time::Duration;

/// The shortest and the longest wait while an item runs, in nanoseconds.
const LOOK_NS: (u64, u64) = (5_000_000, 200_000_000);
/// The number of waits in a time limit, at least, if they are not the shortest ones.
/// So a stop that is too short to be recognized takes little of an item's time.
const LOOKS: u64 = 20;
/// A wait that ends later than this, in nanoseconds, was not an ordinary delay.
const FROZEN_NS: u64 = 50_000_000;
/// The watchdog's stack, in bytes: its calls are not deep.
const STACK_BYTES: usize = 256 << 10;

/// Starts the watchdog; returns its thread, to wake it.
pub(super) fn start(state: &Arc<WatchdogState>) -> io::Result<Thread> {
    let state = Arc::clone(state);
    let handle = start_thread("watchdog", Some(STACK_BYTES), move || watch(&state))?;
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
        match next {
            WatchdogStep::Wait(ns) => std::thread::park_timeout(Duration::from_nanos(ns)),
            WatchdogStep::Sleep | WatchdogStep::End => std::thread::park(),
        }
        // The lock is free while an item runs, and soon free between two items.
        let draft = Draft::lock(&state.draft);
        let chunk = *state.chunk();
        let wait = LastWait::new(next, now, read_running_clock());
        now = wait.end;
        next = match (draft.running, chunk.limits.timeout) {
            (Some(running), Some(timeout)) => {
                let since = running.since_ns + chunk.epoch_ns;
                let timeout_ns = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
                stopwatch.look(RunningItem { since_ns: since, ..running }, &wait, timeout_ns)
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

/// The wait before a check.
struct LastWait {
    end: ClockReading,
    /// How long it took, and how much longer than it should, pauses included.
    took_ns: u64,
    late_ns: u64,
}

impl LastWait {
    fn new(step: WatchdogStep, begun: ClockReading, end: ClockReading) -> Self {
        // On the clock that includes pauses.
        let took_ns = (end.running_ns + end.paused_ns).saturating_sub(begun.running_ns + begun.paused_ns);
        let planned_ns = if let WatchdogStep::Wait(ns) = step { ns } else { 0 };
        Self { end, took_ns, late_ns: took_ns.saturating_sub(planned_ns) }
    }
}

/// The longest wait until the next check of an item.
fn longest_wait(timeout_ns: u64) -> u64 {
    (timeout_ns / LOOKS).clamp(LOOK_NS.0, LOOK_NS.1)
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
    /// Whether this process was frozen during the wait before.
    was_frozen: bool,
    /// The sum of the pauses that were known at the last check.
    paused_ns: u64,
}

impl ItemStopwatch {
    /// Checks an item after a wait.
    fn look(&mut self, running: RunningItem, wait: &LastWait, timeout_ns: u64) -> WatchdogStep {
        let LastWait { end: now, took_ns, late_ns } = *wait;
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
        let late_ns = late_ns.saturating_sub(learned);
        let was_frozen = std::mem::replace(&mut self.was_frozen, late_ns > FROZEN_NS);
        // On a machine where every wait ends late, items must still end.
        let lost = if self.was_frozen && !was_frozen { took_ns.saturating_sub(learned) } else { late_ns };
        // An item that began during the wait lost no more time than it has run.
        self.lost_ns = self.lost_ns.saturating_add(lost.min(since_start));
        let ran = since_start.saturating_sub(self.lost_ns);
        if ran >= timeout_ns {
            WatchdogStep::End
        } else {
            WatchdogStep::Wait((timeout_ns - ran).min(longest_wait(timeout_ns)))
        }
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

    /// A wait that ended so many milliseconds after it should; `planned` and `late` are
    /// milliseconds, too.
    fn wait(end: ClockReading, planned: u64, late: u64) -> LastWait {
        LastWait { end, took_ns: (planned + late) * MS, late_ns: late * MS }
    }

    #[test]
    fn an_item_has_its_time_and_no_more() {
        let mut stopwatch = ItemStopwatch::default();
        let mut look = |ms, planned, late| stopwatch.look(item(0, 100), &wait(at(ms, 0), planned, late), 500 * MS);
        assert_eq!(look(110, 0, 0), WatchdogStep::Wait(25 * MS));
        assert_eq!(look(310, 200, 0), WatchdogStep::Wait(25 * MS));
        // What a wait takes too long is excluded, however little it is.
        assert_eq!(look(589, 270, 9), WatchdogStep::Wait(20 * MS));
        assert_eq!(look(609, 20, 0), WatchdogStep::End);
    }

    #[test]
    fn waits_are_short_beside_the_time_limit() {
        assert_eq!([0, 10, 1000, 60_000].map(|ms| longest_wait(ms * MS) / MS), [5, 5, 50, 200]);
    }

    #[test]
    fn each_item_is_timed_from_its_own_start() {
        let mut stopwatch = ItemStopwatch::default();
        let mut look = |index, since, ms| stopwatch.look(item(index, since), &wait(at(ms, 0), 5, 0), 100 * MS);
        assert_eq!(look(0, 0, 97), WatchdogStep::Wait(3 * MS));
        assert_eq!(look(1, 95, 100), WatchdogStep::Wait(5 * MS));
        // An item that is run again has its whole time limit again.
        assert_eq!(look(1, 150, 199), WatchdogStep::Wait(5 * MS));
        assert_eq!(look(1, 150, 249), WatchdogStep::Wait(MS));
        assert_eq!(look(1, 150, 250), WatchdogStep::End);
    }

    #[test]
    fn a_wait_in_which_the_process_was_frozen_does_not_count_at_all() {
        let mut stopwatch = ItemStopwatch::default();
        let mut look = |ms, planned, late| stopwatch.look(item(0, 0), &wait(at(ms, 0), planned, late), 300 * MS);
        assert_eq!(look(290, 0, 0), WatchdogStep::Wait(10 * MS));
        // The wait that should have ended at 300 ms ended at ten seconds.
        assert_eq!(look(10_000, 10, 9_700), WatchdogStep::Wait(10 * MS));
        assert_eq!(look(10_010, 10, 0), WatchdogStep::End);
    }

    #[test]
    fn items_end_even_if_every_wait_ends_late() {
        let mut stopwatch = ItemStopwatch::default();
        let mut looks = (1..1000).map(|nth| stopwatch.look(item(0, 0), &wait(at(nth * 100, 0), 15, 85), 300 * MS));
        assert_eq!(looks.position(|step| step == WatchdogStep::End), Some(20));
    }

    #[test]
    fn an_item_that_began_during_the_wait_lost_no_more_than_it_has() {
        let mut stopwatch = ItemStopwatch::default();
        // The item began, the process was stopped, and this is the first check.
        let step = stopwatch.look(item(5, 0), &wait(at(5_000, 0), 200, 4_900), 1_000 * MS);
        assert_eq!(step, WatchdogStep::Wait(50 * MS));
        // The item began after all that.
        let mut stopwatch = ItemStopwatch::default();
        let mut look = |ms, planned, late| stopwatch.look(item(5, 4_999), &wait(at(ms, 0), planned, late), 100 * MS);
        assert_eq!(look(5_000, 200, 4_900), WatchdogStep::Wait(5 * MS));
        assert_eq!(look(5_099, 99, 0), WatchdogStep::Wait(MS));
        assert_eq!(look(5_100, 1, 0), WatchdogStep::End);
    }

    #[test]
    fn who_was_woken_for_an_item_counts_from_then_if_that_took_long() {
        let mut stopwatch = ItemStopwatch::default();
        let step = stopwatch.look(item(0, 0), &wait(at(3_000, 0), 0, 3_000), 100 * MS);
        assert_eq!(step, WatchdogStep::Wait(5 * MS));
    }

    #[test]
    fn a_pause_that_is_learned_of_late_is_counted_once() {
        // A pause of ten seconds that the clock does not know yet at the next
        // check.
        let mut stopwatch = ItemStopwatch::default();
        let mut look = |now, planned, late| stopwatch.look(item(0, 0), &wait(now, planned, late), 300 * MS);
        assert_eq!(look(at(10, 0), 0, 0), WatchdogStep::Wait(15 * MS));
        assert_eq!(look(at(10_025, 0), 15, 10_000), WatchdogStep::Wait(15 * MS));
        // Of the wait with the pause, its 15 ms are lost.
        assert_eq!(look(at(313, 10_000), 288, 0), WatchdogStep::Wait(2 * MS));
        assert_eq!(look(at(315, 10_000), 2, 0), WatchdogStep::End);
        // A pause that the clock knows.
        let mut stopwatch = ItemStopwatch::default();
        let mut look = |now, planned, late| stopwatch.look(item(0, 0), &wait(now, planned, late), 300 * MS);
        assert_eq!(look(at(10, 0), 0, 0), WatchdogStep::Wait(15 * MS));
        assert_eq!(look(at(25, 10_000), 15, 10_000), WatchdogStep::Wait(15 * MS));
        assert_eq!(look(at(300, 10_000), 275, 0), WatchdogStep::End);
    }

    #[test]
    fn a_pause_does_not_take_back_what_was_lost_to_somebody_elses_stop() {
        let mut stopwatch = ItemStopwatch::default();
        let mut look = |now, planned, late| stopwatch.look(item(0, 0), &wait(now, planned, late), 300 * MS);
        assert_eq!(look(at(10, 0), 0, 0), WatchdogStep::Wait(15 * MS));
        assert_eq!(look(at(5_025, 0), 15, 5_000), WatchdogStep::Wait(15 * MS));
        assert_eq!(look(at(5_040, 10_000), 15, 10_000), WatchdogStep::Wait(15 * MS));
        assert_eq!(look(at(5_315, 10_000), 275, 0), WatchdogStep::End);
    }

    #[test]
    fn an_item_that_seems_to_begin_in_the_future_begins_now() {
        let mut stopwatch = ItemStopwatch::default();
        let mut look = |now, late| stopwatch.look(item(1, 10_100), &wait(now, 0, late), 300 * MS);
        // Its start was read before the clock knew of the pause.
        assert_eq!(look(at(100, 10_000), 10_000), WatchdogStep::Wait(15 * MS));
        assert_eq!(look(at(300, 10_000), 0), WatchdogStep::Wait(15 * MS));
        assert_eq!(look(at(400, 10_000), 0), WatchdogStep::End);
    }
}
