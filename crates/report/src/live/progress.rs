//! The progress bar. It shows a percentage only if the total is known, and an
//! estimated end only if there is enough data.
//!
//! The observer only counts. A separate thread draws, at most ten times a second
//! and only while a run is in progress.

use crate::live::progress_line::{Gauge, Moment, ProgressTotal};
use crate::live::terminal::{Terminal, columns};
use procession::{Event, Observer, WorkerRef};
use procession_sys::start_thread;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time between two drawings.
const TICK: Duration = Duration::from_millis(100);

/// The observer that counts items and workers for the bar.
pub struct Progress {
    counts: Arc<Counts>,
    /// Items in flight by slot.
    in_hand: Vec<u64>,
    busy: u32,
}

/// The bar of a run; cleared when dropped.
pub struct ProgressBar {
    counts: Arc<Counts>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Counts {
    done: AtomicU64,
    failed: AtomicU64,
    busy: AtomicU32,
    ready: AtomicU32,
    ended: Mutex<bool>,
    end: Condvar,
    paused: AtomicBool,
}

impl Progress {
    /// Starts the bar of a run: returns the observer for the pool, and the bar.
    /// `label` is shown before the bar, as in `run 3 of 12: procs 4`, and must be
    /// safe for a terminal. `total` is called before each drawing.
    ///
    /// # Errors
    /// The thread that draws can't be started.
    pub fn start(
        terminal: &Terminal,
        label: &str,
        total: impl Fn() -> ProgressTotal + Send + 'static,
    ) -> io::Result<(Self, ProgressBar)> {
        let counts = Arc::new(Counts::default());
        let drawing = BarThread { counts: Arc::clone(&counts), terminal: terminal.clone(), label: label.to_owned() };
        let thread = start_thread("progress", None, move || drawing.run(&total))?;
        let observer = Self { counts: Arc::clone(&counts), in_hand: Vec::new(), busy: 0 };
        Ok((observer, ProgressBar { counts, thread: Some(thread) }))
    }

    fn change(&mut self, worker: WorkerRef, change: impl FnOnce(u64) -> u64) {
        let slot = worker.slot as usize;
        if self.in_hand.len() <= slot {
            self.in_hand.resize(slot + 1, 0);
        }
        let (before, after) = (self.in_hand[slot], change(self.in_hand[slot]));
        self.in_hand[slot] = after;
        self.busy = self.busy + u32::from(before == 0 && after > 0) - u32::from(before > 0 && after == 0);
    }
}

impl Observer for Progress {
    fn on_event(&mut self, event: &Event) {
        match event {
            Event::ChunkSent { worker, items, .. } => self.change(*worker, |items_now| items_now + u64::from(*items)),
            Event::Accepted(part) => {
                self.change(part.worker, |items| items.saturating_sub(u64::from(part.items)));
                self.counts.done.fetch_add(u64::from(part.items), Ordering::Relaxed);
                self.counts.failed.fetch_add(u64::from(part.failed), Ordering::Relaxed);
            }
            Event::ItemLost { .. } => {
                self.counts.done.fetch_add(1, Ordering::Relaxed);
                self.counts.failed.fetch_add(1, Ordering::Relaxed);
            }
            Event::WorkerReady { .. } => {
                self.counts.ready.fetch_add(1, Ordering::Relaxed);
            }
            Event::WorkerExited(exit) => {
                self.change(exit.worker, |_| 0);
                // A process that was never ready was not counted as ready.
                let less = |ready: u32| ready.checked_sub(1);
                let _ = self.counts.ready.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
            }
            _ => {}
        }
    }

    fn flush(&mut self) {
        self.counts.busy.store(self.busy, Ordering::Relaxed);
    }
}

impl ProgressBar {
    /// Removes the bar from the terminal while the coordinator is suspended, and
    /// draws it again afterwards.
    pub fn pause(&self, paused: bool) {
        self.counts.paused.store(paused, Ordering::Relaxed);
    }

    /// Removes the bar from the terminal.
    pub fn finish(self) {}
}

impl Drop for ProgressBar {
    fn drop(&mut self) {
        *self.counts.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.counts.end.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of the drawing thread does not fail the run.
            let _ = thread.join();
        }
    }
}

/// Time without the intervals in which the process was suspended: otherwise these
/// would lower the rate.
struct BarClock {
    last: Instant,
    at: Duration,
}

impl BarClock {
    fn start() -> Self {
        Self { last: Instant::now(), at: Duration::ZERO }
    }

    /// The time at this tick. A tick that is far too late means that the process was suspended.
    fn tick(&mut self) -> Duration {
        let now = Instant::now();
        let since = now.duration_since(std::mem::replace(&mut self.last, now));
        self.at += if since > TICK * 10 { TICK } else { since };
        self.at
    }
}

struct BarThread {
    counts: Arc<Counts>,
    terminal: Terminal,
    label: String,
}

impl BarThread {
    fn run(&self, total: &dyn Fn() -> ProgressTotal) {
        let mut clock = BarClock::start();
        let mut gauge = Gauge::default();
        let mut ended = self.counts.ended.lock().unwrap_or_else(PoisonError::into_inner);
        while !*ended {
            let waited = self.counts.end.wait_timeout_while(ended, TICK, |ended| !*ended);
            ended = waited.unwrap_or_else(PoisonError::into_inner).0;
            if *ended {
                break;
            }
            let at = clock.tick();
            if self.counts.paused.load(Ordering::Relaxed) {
                self.terminal.set_bar("");
            } else {
                let line = gauge.line(&self.label, &self.now(at, total()), columns());
                self.terminal.set_bar(&line);
            }
        }
        self.terminal.set_bar("");
    }

    fn now(&self, at: Duration, total: ProgressTotal) -> Moment {
        let Counts { done, failed, busy, ready, .. } = &*self.counts;
        Moment {
            at,
            done: done.load(Ordering::Relaxed),
            failed: failed.load(Ordering::Relaxed),
            busy: busy.load(Ordering::Relaxed),
            ready: ready.load(Ordering::Relaxed),
            total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::terminal::tests::Paper;
    use crate::samples::{accepted, exit, lost, ms, who};
    use procession::Exit;
    use procession_task::{Failure, FailureKind};
    use std::sync::mpsc::channel;

    fn sent(slot: u32, items: u32) -> Event {
        Event::ChunkSent { worker: who(slot, 0, 10 + slot), chunk: 0, first: 0, items, attempt: 1, at: ms(1) }
    }

    fn ready(slot: u32) -> Event {
        Event::WorkerReady { worker: who(slot, 0, 10 + slot), host: "h".into(), at: ms(1) }
    }

    fn counted(events: &[Event]) -> [u64; 4] {
        let counts = Arc::new(Counts::default());
        let mut progress = Progress { counts: Arc::clone(&counts), in_hand: Vec::new(), busy: 0 };
        events.iter().for_each(|event| progress.on_event(event));
        progress.flush();
        let Counts { done, failed, busy, ready, .. } = &*counts;
        let small = |count: &AtomicU32| u64::from(count.load(Ordering::Relaxed));
        [done.load(Ordering::Relaxed), failed.load(Ordering::Relaxed), small(busy), small(ready)]
    }

    #[test]
    fn counts_follow_the_events() {
        let part = |slot, items| Event::Accepted(accepted(who(slot, 0, 10 + slot), 0, 0, items));
        let mut events = vec![ready(0), ready(1), sent(0, 3), sent(1, 2), sent(1, 1)];
        assert_eq!(counted(&events), [0, 0, 2, 2]);
        events.extend([part(0, 3), part(1, 2)]);
        assert_eq!(counted(&events), [5, 0, 1, 2]);
        events.push(Event::WorkerExited(exit(1, 0, 11, Exit::Signal(9))));
        assert_eq!(counted(&events), [5, 0, 0, 1]);
        events.push(lost(who(1, 0, 11), 0, 5, b"x", Failure::new(FailureKind::Crashed, "")));
        assert_eq!(counted(&events), [6, 1, 0, 1]);
    }

    #[test]
    fn the_bar_is_drawn_and_cleared() {
        let paper = Paper::default();
        let terminal = Terminal::new(Box::new(paper.clone()));
        let (asked, drawn) = channel();
        let total = move || {
            let _ = asked.send(());
            ProgressTotal::Items(10)
        };
        let (mut progress, bar) = Progress::start(&terminal, "run 1", total).unwrap();
        progress.on_event(&Event::Accepted(accepted(who(0, 0, 1), 0, 0, 5)));
        progress.flush();
        // At its third call `total` knows that the second drawing is complete.
        (0..3).for_each(|_| drawn.recv().unwrap());
        bar.finish();
        let text = paper.text();
        assert!(text.contains("run 1  [##########----------]  50 %  5/10 items"), "{text:?}");
        assert!(text.ends_with("\r\x1b[K"), "{text:?}");
    }

    #[test]
    fn a_run_that_ends_at_once_draws_nothing() {
        let paper = Paper::default();
        let (_, bar) = Progress::start(&Terminal::new(Box::new(paper.clone())), "", || ProgressTotal::Unknown).unwrap();
        drop(bar);
        assert_eq!(paper.text(), "");
    }
}
