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
use procession_sys::running_ns;
use procession_task::{Draft, Running};
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
    loop {
        let before = running_ns();
        let due = match next {
            Next::Wait(ns) => {
                std::thread::park_timeout(Duration::from_nanos(ns));
                before + ns
            }
            Next::Sleep | Next::End => {
                std::thread::park();
                0
            }
        };
        // Free while an item runs, and soon free if one is between two.
        let draft = Draft::lock(&estate.draft);
        let dispatch = *estate.dispatch();
        let now = running_ns();
        next = match (draft.running, dispatch.timeout_ns) {
            (Some(running), Some(timeout)) => {
                let since = running.since_ns + dispatch.epoch_ns;
                stopwatch.look(Running { since_ns: since, ..running }, now, now.saturating_sub(due), timeout)
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
#[derive(Debug, Default)]
struct Stopwatch {
    item: Option<Running>,
    /// Time since its start in which nothing here could run.
    lost_ns: u64,
}

impl Stopwatch {
    /// Looks at an item, so much later than it should have been.
    fn look(&mut self, running: Running, now_ns: u64, late_ns: u64, timeout_ns: u64) -> Next {
        if self.item != Some(running) {
            *self = Self { item: Some(running), lost_ns: 0 };
        }
        let since_start = now_ns.saturating_sub(running.since_ns);
        // What began after the wait should have ended lost no more than it has.
        let lost = late_ns.min(since_start);
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

    fn item(index: u64, since_ms: u64) -> Running {
        Running { index, since_ns: since_ms * MS }
    }

    #[test]
    fn an_item_has_its_time_and_no_more() {
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.look(item(0, 100), 110 * MS, 0, 500 * MS), Next::Wait(LOOK_NS));
        assert_eq!(stopwatch.look(item(0, 100), 310 * MS, MS, 500 * MS), Next::Wait(LOOK_NS));
        assert_eq!(stopwatch.look(item(0, 100), 510 * MS, MS, 500 * MS), Next::Wait(90 * MS));
        assert_eq!(stopwatch.look(item(0, 100), 600 * MS, 0, 500 * MS), Next::End);
    }

    #[test]
    fn each_item_is_timed_from_its_own_start() {
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), 90 * MS, 0, 100 * MS), Next::Wait(10 * MS));
        assert_eq!(stopwatch.look(item(1, 95), 100 * MS, 0, 100 * MS), Next::Wait(95 * MS));
        // Run again at once, it has all of its time again.
        assert_eq!(stopwatch.look(item(1, 150), 199 * MS, 0, 100 * MS), Next::Wait(51 * MS));
    }

    #[test]
    fn time_in_which_the_process_was_stopped_does_not_count() {
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), 10 * MS, 0, 300 * MS), Next::Wait(LOOK_NS));
        // The wait that should have ended at 210 ms ended at ten seconds.
        assert_eq!(stopwatch.look(item(0, 0), 10_000 * MS, 9_790 * MS, 300 * MS), Next::Wait(90 * MS));
        assert_eq!(stopwatch.look(item(0, 0), 10_090 * MS, 0, 300 * MS), Next::End);
    }

    #[test]
    fn an_item_that_began_during_the_wait_lost_no_more_than_it_has() {
        let mut stopwatch = Stopwatch::default();
        // It began, the process was stopped, and this is the first look.
        assert_eq!(stopwatch.look(item(5, 0), 5_000 * MS, 4_900 * MS, 1_000 * MS), Next::Wait(LOOK_NS));
        // It began after all that.
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.look(item(5, 4_999), 5_000 * MS, 4_900 * MS, 100 * MS), Next::Wait(99 * MS));
        assert_eq!(stopwatch.look(item(5, 4_999), 5_099 * MS, 0, 100 * MS), Next::End);
    }

    #[test]
    fn who_was_woken_for_an_item_counts_from_then_if_that_took_long() {
        let mut stopwatch = Stopwatch::default();
        assert_eq!(stopwatch.look(item(0, 0), 3_000 * MS, 3_000 * MS, 100 * MS), Next::Wait(100 * MS));
    }
}
