//! The watchdog: a thread that ends its process when an item has run for too
//! long, whatever that item does.
//!
//! It looks at the item that runs when that item's time can be over, and now
//! and then before. It takes time away from no item: what it needs to know, the
//! thread that runs items writes down on its way (see [`Draft`]).
//!
//! Only time counts in which this process could run. A wait that ends much later
//! than it should is the sign that it could not (it was stopped, or the machine
//! was far too busy); that is why no wait is long.

use super::estate::Estate;
use procession_sys::{ClockReading, read_running_clock};
use procession_task::{Draft, RunningItem};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::Thread;
use std::time::Duration;

/// The longest wait while an item runs: so much is counted at most of a time in
/// which the process was stopped.
const LOOK_NS: u64 = 200_000_000;
/// A wait that ends so much too late was no mere delay.
const LATE_NS: u64 = 50_000_000;
/// It calls nothing that is deep.
const STACK_BYTES: usize = 256 << 10;

/// Starts the watchdog; returns what wakes it.
pub(super) fn start(estate: &Arc<Estate>) -> io::Result<Thread> {
    let estate = Arc::clone(estate);
    let builder = std::thread::Builder::new().name("watchdog".into()).stack_size(STACK_BYTES);
    let handle = builder.spawn(move || watch(&estate))?;
    Ok(handle.thread().clone())
}

/// What to do until the next look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// Nothing runs that has a limit: until somebody wakes us.
    Sleep,
    /// Wait so many nanoseconds.
    Wait(u64),
    /// The item has had its time.
    End,
}

fn watch(estate: &Estate) {
    let mut stopwatch = Stopwatch::default();
    let mut next = Next::Sleep;
    let mut now = read_running_clock();
    loop {
        // On the clock that pauses do not stop.
        let due = match next {
            Next::Wait(ns) => {
                std::thread::park_timeout(Duration::from_nanos(ns));
                now.running_ns + now.paused_ns + ns
            }
            Next::Sleep | Next::End => {
                std::thread::park();
                0
            }
        };
        // Free while an item runs, and soon free if one is between two.
        let draft = Draft::lock(&estate.draft);
        let dispatch = *estate.dispatch();
        now = read_running_clock();
        let late = (now.running_ns + now.paused_ns).saturating_sub(due);
        next = match (draft.running, dispatch.timeout_ns) {
            (Some(running), Some(timeout)) => {
                let since = running.since_ns + dispatch.epoch_ns;
                stopwatch.look(RunningItem { since_ns: since, ..running }, now, late, timeout)
            }
            _ => Next::Sleep,
        };
        match next {
            Next::End => estate.end_for_timeout(&draft),
            Next::Sleep => estate.asleep.store(true, Ordering::Relaxed),
            Next::Wait(_) => {}
        }
    }
}

/// How long the item that runs has been at it.
///
/// Of a pause this process may learn only after it has begun to run again. What
/// was read off the clock until then lies ahead of it, by the whole pause, once
/// the clock has stepped back.
#[derive(Debug, Default)]
struct Stopwatch {
    item: Option<RunningItem>,
    /// When it began, as far as that can be.
    since_ns: u64,
    /// Time since its start in which nothing here could run.
    lost_ns: u64,
    /// The pauses that were known of at the last look.
    paused_ns: u64,
}

impl Stopwatch {
    /// Looks at an item, so much later than it should have been, pauses included.
    fn look(&mut self, running: RunningItem, now: ClockReading, late_ns: u64, timeout_ns: u64) -> Next {
        let learned = now.paused_ns.saturating_sub(self.paused_ns);
        self.paused_ns = now.paused_ns;
        if self.item != Some(running) {
            *self = Self { item: Some(running), since_ns: running.since_ns, lost_ns: 0, ..*self };
        }
        // The clock leaves out what was a pause. Where more was learned of than
        // this wait was late, an earlier look has taken it for lost.
        self.lost_ns = self.lost_ns.saturating_sub(learned.saturating_sub(late_ns));
        // Nothing begins in the future: the clock has stepped back behind it.
        self.since_ns = self.since_ns.min(now.running_ns);
        let since_start = now.running_ns - self.since_ns;
        // What began after the wait should have ended lost no more than it has.
        let lost = late_ns.saturating_sub(learned).min(since_start);
        if lost > LATE_NS {
            self.lost_ns = self.lost_ns.saturating_add(lost);
        }
        let ran = since_start.saturating_sub(self.lost_ns);
        if ran >= timeout_ns { Next::End } else { Next::Wait((timeout_ns - ran).min(LOOK_NS)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn item(index: u64, since_ms: u64) -> RunningItem {
        RunningItem { index, since_ns: since_ms * MS }
    }

    /// Then, on a clock that knows of pauses of so many milliseconds.
    fn at(ms: u64, paused_ms: u64) -> ClockReading {
        ClockReading { running_ns: ms * MS, paused_ns: paused_ms * MS }
    }

    #[test]
    fn an_item_has_its_time_and_no_more() {
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.look(item(0, 100), at(110, 0), 0, 500 * MS), Next::Wait(LOOK_NS));
        assert_eq!(stopwatch.look(item(0, 100), at(310, 0), MS, 500 * MS), Next::Wait(LOOK_NS));
        assert_eq!(stopwatch.look(item(0, 100), at(510, 0), MS, 500 * MS), Next::Wait(90 * MS));
        assert_eq!(stopwatch.look(item(0, 100), at(600, 0), 0, 500 * MS), Next::End);
    }

    #[test]
    fn each_item_is_timed_from_its_own_start() {
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), at(90, 0), 0, 100 * MS), Next::Wait(10 * MS));
        assert_eq!(stopwatch.look(item(1, 95), at(100, 0), 0, 100 * MS), Next::Wait(95 * MS));
        // Run again at once, it has all of its time again.
        assert_eq!(stopwatch.look(item(1, 150), at(199, 0), 0, 100 * MS), Next::Wait(51 * MS));
    }

    #[test]
    fn time_in_which_the_process_was_stopped_does_not_count() {
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), at(10, 0), 0, 300 * MS), Next::Wait(LOOK_NS));
        // The wait that should have ended at 210 ms ended at ten seconds.
        assert_eq!(stopwatch.look(item(0, 0), at(10_000, 0), 9_790 * MS, 300 * MS), Next::Wait(90 * MS));
        assert_eq!(stopwatch.look(item(0, 0), at(10_090, 0), 0, 300 * MS), Next::End);
    }

    #[test]
    fn an_item_that_began_during_the_wait_lost_no_more_than_it_has() {
        let mut stopwatch = Stopwatch::default();
        // It began, the process was stopped, and this is the first look.
        assert_eq!(stopwatch.look(item(5, 0), at(5_000, 0), 4_900 * MS, 1_000 * MS), Next::Wait(LOOK_NS));
        // It began after all that.
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.look(item(5, 4_999), at(5_000, 0), 4_900 * MS, 100 * MS), Next::Wait(99 * MS));
        assert_eq!(stopwatch.look(item(5, 4_999), at(5_099, 0), 0, 100 * MS), Next::End);
    }

    #[test]
    fn who_was_woken_for_an_item_counts_from_then_if_that_took_long() {
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), at(3_000, 0), 3_000 * MS, 100 * MS), Next::Wait(100 * MS));
    }

    #[test]
    fn a_pause_that_is_learned_of_late_is_counted_once() {
        // Ten seconds, of which the clock does not know at the next look yet.
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), at(10, 0), 0, 300 * MS), Next::Wait(LOOK_NS));
        assert_eq!(stopwatch.look(item(0, 0), at(10_210, 0), 10_000 * MS, 300 * MS), Next::Wait(90 * MS));
        assert_eq!(stopwatch.look(item(0, 0), at(299, 10_000), 0, 300 * MS), Next::Wait(MS));
        assert_eq!(stopwatch.look(item(0, 0), at(300, 10_000), 0, 300 * MS), Next::End);
        // Of which it does.
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), at(10, 0), 0, 300 * MS), Next::Wait(LOOK_NS));
        assert_eq!(stopwatch.look(item(0, 0), at(210, 10_000), 10_000 * MS, 300 * MS), Next::Wait(90 * MS));
        assert_eq!(stopwatch.look(item(0, 0), at(300, 10_000), 0, 300 * MS), Next::End);
    }

    #[test]
    fn a_pause_does_not_take_back_what_was_lost_to_somebody_elses_stop() {
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), at(10, 0), 0, 300 * MS), Next::Wait(LOOK_NS));
        assert_eq!(stopwatch.look(item(0, 0), at(5_210, 0), 5_000 * MS, 300 * MS), Next::Wait(90 * MS));
        assert_eq!(stopwatch.look(item(0, 0), at(5_250, 10_000), 10_000 * MS, 300 * MS), Next::Wait(50 * MS));
        assert_eq!(stopwatch.look(item(0, 0), at(5_300, 10_000), 0, 300 * MS), Next::End);
    }

    #[test]
    fn an_item_that_seems_to_begin_in_the_future_begins_now() {
        let mut stopwatch = Stopwatch::default();
        // Its start was read before the clock knew of the pause.
        assert_eq!(stopwatch.look(item(1, 10_100), at(100, 10_000), 10_000 * MS, 300 * MS), Next::Wait(LOOK_NS));
        assert_eq!(stopwatch.look(item(1, 10_100), at(300, 10_000), 0, 300 * MS), Next::Wait(100 * MS));
        assert_eq!(stopwatch.look(item(1, 10_100), at(400, 10_000), 0, 300 * MS), Next::End);
    }
}
