//! From the driver's thread to a thread that writes: a queue that is bounded in
//! bytes and in patience.
//!
//! The driver must not block, and yet every line of the log must be written.
//! So there is one exception, bounded twice: with more than the bytes of the budget
//! waiting in all queues together, a push waits for the writer as long as the writer gets anything
//! done at all. A writer that gets nothing done for the queue's patience (a
//! hung disk, a reader that stopped reading) is given up for good.
//!
//! Nor is the writer woken for every small thing: after work it lingers for a
//! moment, in which a push costs no system call.

use super::budget::Budget;
use bytes::Bytes;
use procession_sys::{LazyQueue, Taken, WorthWaking};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long the writer lingers before it sleeps.
const LINGER: Duration = Duration::from_millis(10);
/// This many waiting bytes end its lingering.
const WORTH_WAKING: usize = 256 << 10;
/// The writer tells of its progress when it has done so many bytes.
const WORTH_TELLING: usize = 256 << 10;

/// What a queue carries has a size.
pub(crate) trait Weigh {
    /// Bytes of memory that it keeps alive, about.
    fn weight(&self) -> usize;
}

/// What the writing thread does with it.
pub(crate) trait Consume<T> {
    /// Takes the next one.
    fn take(&mut self, item: T);
    /// Nothing is waiting: a good moment to flush.
    fn idle(&mut self);
}

/// The bytes that wait or are being written, and what the writer has done.
#[derive(Default)]
struct Backlog {
    bytes: usize,
    /// Counts what the writer did, so that its progress can be seen.
    done: u64,
    /// Whether the writer has ended.
    is_over: bool,
    /// Whether the writer was given up because it got nothing done.
    is_given_up: bool,
}

/// The queue; one thread pushes, one consumes.
pub(crate) struct WriterQueue<T> {
    queue: LazyQueue<T>,
    backlog: Mutex<Backlog>,
    drained: Condvar,
    budget: Arc<Budget>,
    patience: Duration,
}

impl<T: Weigh> WriterQueue<T> {
    pub(crate) fn new(budget: Arc<Budget>, patience: Duration) -> Self {
        let queue = LazyQueue::new(WorthWaking { bytes: WORTH_WAKING, items: usize::MAX });
        Self { queue, backlog: Mutex::default(), drained: Condvar::new(), budget, patience }
    }

    /// Takes all of `items`. False if the queue is closed, or was just given up.
    pub(crate) fn push(&self, items: &mut Vec<T>) -> bool {
        let weight: usize = items.iter().map(Weigh::weight).sum();
        let mut backlog = self.lock();
        // A queue that holds nothing may always take something: it waits for no other.
        if backlog.bytes > 0 && !self.budget.has_room(weight) && !backlog.is_given_up {
            backlog = self.wait(backlog, |backlog| backlog.bytes == 0 || self.budget.has_room(weight));
        }
        if backlog.is_given_up {
            items.clear();
            return false;
        }
        backlog.bytes += weight;
        self.budget.take(weight);
        drop(backlog);
        let is_pushed = self.queue.push(items.drain(..), weight);
        if !is_pushed {
            self.release(weight);
        }
        is_pushed
    }

    /// Bytes for an item of this queue. They are a part of a larger buffer, such as that
    /// of a worker's message, which they would keep alive; if the writer lags behind,
    /// they are copied, so that the memory is what is counted.
    pub(crate) fn own(&self, bytes: &Bytes) -> Bytes {
        if self.budget.is_lagging() { Bytes::copy_from_slice(bytes) } else { bytes.clone() }
    }

    /// No more will come: the writer ends when it has done what is here.
    pub(crate) fn close(&self) {
        self.queue.close();
    }

    /// Whether the writer was given up.
    pub(crate) fn is_given_up(&self) -> bool {
        self.lock().is_given_up
    }

    /// Waits until the writer has ended; false if it was given up.
    pub(crate) fn wait_for_writer(&self) -> bool {
        self.wait(self.lock(), |backlog| backlog.is_over).is_over
    }

    /// The writer's thread: until the queue is closed and everything is done.
    pub(crate) fn consume(&self, consumer: &mut impl Consume<T>) {
        let _over = Over(self);
        loop {
            let mut items = self.queue.take_now();
            if items.is_empty() {
                consumer.idle();
                match self.queue.take(Instant::now() + LINGER, None) {
                    Taken::Items(arrived) => items = arrived,
                    Taken::Due | Taken::Closed => return,
                }
            }
            let mut released = 0;
            for item in items {
                released += item.weight();
                consumer.take(item);
                if released >= WORTH_TELLING {
                    self.release(std::mem::take(&mut released));
                }
            }
            self.release(released);
        }
    }

    fn release(&self, bytes: usize) {
        let mut backlog = self.lock();
        backlog.bytes -= bytes;
        self.budget.give_back(bytes);
        backlog.done += 1;
        drop(backlog);
        self.drained.notify_one();
    }

    /// Waits for the writer as long as it gets anything done, then gives it up.
    fn wait<'a>(
        &'a self,
        mut backlog: MutexGuard<'a, Backlog>,
        is_enough: impl Fn(&Backlog) -> bool,
    ) -> MutexGuard<'a, Backlog> {
        loop {
            let before = backlog.done;
            let waits = |backlog: &mut Backlog| !is_enough(backlog) && backlog.done == before && !backlog.is_over;
            let (guard, result) =
                self.drained.wait_timeout_while(backlog, self.patience, waits).unwrap_or_else(PoisonError::into_inner);
            backlog = guard;
            if is_enough(&backlog) {
                return backlog;
            }
            if result.timed_out() || backlog.is_over {
                backlog.is_given_up = true;
                self.queue.close();
                return backlog;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Backlog> {
        self.backlog.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Drop for WriterQueue<T> {
    /// What a writer that was given up has left counts no longer.
    fn drop(&mut self) {
        let backlog = self.backlog.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.budget.give_back(backlog.bytes);
    }
}

/// Says that the writer has ended, also when it panicked.
struct Over<'a, T: Weigh>(&'a WriterQueue<T>);

impl<T: Weigh> Drop for Over<'_, T> {
    fn drop(&mut self) {
        self.0.queue.close();
        self.0.lock().is_over = true;
        self.0.drained.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    impl Weigh for usize {
        fn weight(&self) -> usize {
            *self
        }
    }

    /// Writes one thing for every permit, and says what it wrote.
    struct Gate {
        permits: Receiver<()>,
        written: Sender<usize>,
        idles: usize,
    }

    impl Consume<usize> for Gate {
        fn take(&mut self, item: usize) {
            let _ = self.permits.recv();
            let _ = self.written.send(item);
        }
        fn idle(&mut self) {
            self.idles += 1;
        }
    }

    fn start(
        limit: usize,
        patience: Duration,
    ) -> (Arc<WriterQueue<usize>>, Sender<()>, Receiver<usize>, thread::JoinHandle<usize>) {
        start_in(Budget::new(limit), patience)
    }

    fn start_in(
        budget: Arc<Budget>,
        patience: Duration,
    ) -> (Arc<WriterQueue<usize>>, Sender<()>, Receiver<usize>, thread::JoinHandle<usize>) {
        let queue = Arc::new(WriterQueue::new(budget, patience));
        let (permit, permits) = channel();
        let (written, writes) = channel();
        let consumer = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                let mut gate = Gate { permits, written, idles: 0 };
                queue.consume(&mut gate);
                gate.idles
            }
        });
        (queue, permit, writes, consumer)
    }

    const LONG: Duration = Duration::from_secs(600);

    #[test]
    fn everything_comes_out_in_order() {
        let (queue, permit, writes, consumer) = start(usize::MAX, LONG);
        drop(permit);
        for at in 0..1000 {
            assert!(queue.push(&mut vec![at, at]));
        }
        queue.close();
        assert!(queue.wait_for_writer());
        assert!(consumer.join().unwrap() > 0, "flushed");
        let expected: Vec<_> = (0..1000).flat_map(|at| [at, at]).collect();
        assert_eq!(writes.iter().collect::<Vec<_>>(), expected);
        assert!(!queue.push(&mut vec![1]), "closed");
    }

    #[test]
    fn a_sleeping_writer_is_woken() {
        let (queue, permit, writes, consumer) = start(usize::MAX, LONG);
        for round in 0..3 {
            thread::sleep(LINGER * 2);
            permit.send(()).unwrap();
            assert!(queue.push(&mut vec![round]));
            assert_eq!(writes.recv().unwrap(), round);
        }
        queue.close();
        consumer.join().unwrap();
    }

    #[test]
    fn a_full_queue_waits_for_the_writer() {
        let (queue, permit, writes, consumer) = start(10, LONG);
        assert!(queue.push(&mut vec![8]));
        let pusher = thread::spawn({
            let queue = Arc::clone(&queue);
            move || queue.push(&mut vec![7])
        });
        permit.send(()).unwrap();
        assert_eq!(writes.recv().unwrap(), 8);
        assert!(pusher.join().unwrap());
        permit.send(()).unwrap();
        assert_eq!(writes.recv().unwrap(), 7);
        queue.close();
        consumer.join().unwrap();
    }

    #[test]
    fn queues_share_a_budget_and_do_not_wait_for_each_other() {
        let budget = Budget::new(10);
        let (slow, _permit, _writes, _) = start_in(Arc::clone(&budget), LONG);
        let (quick, permit, writes, consumer) = start_in(Arc::clone(&budget), LONG);
        assert!(slow.push(&mut vec![9]));
        // The budget is used up by the other one, and this one holds nothing.
        assert!(quick.push(&mut vec![5]));
        assert!(!budget.has_room(1) && !budget.is_lagging());
        let pusher = thread::spawn({
            let quick = Arc::clone(&quick);
            move || quick.push(&mut vec![6])
        });
        permit.send(()).unwrap();
        assert_eq!(writes.recv().unwrap(), 5, "only its own writer was waited for");
        assert!(pusher.join().unwrap());
        permit.send(()).unwrap();
        assert_eq!(writes.recv().unwrap(), 6);
        quick.close();
        consumer.join().unwrap();
        drop(quick);
        assert!(budget.has_room(1) && !budget.has_room(2));
    }

    #[test]
    fn an_item_larger_than_the_queue_is_accepted() {
        let (queue, permit, writes, consumer) = start(10, LONG);
        drop(permit);
        assert!(queue.push(&mut vec![1000]));
        assert_eq!(writes.recv().unwrap(), 1000);
        queue.close();
        consumer.join().unwrap();
    }

    #[test]
    fn a_writer_without_progress_is_given_up() {
        let (queue, permit, _writes, consumer) = start(10, Duration::from_millis(5));
        assert!(queue.push(&mut vec![8]));
        assert!(!queue.is_given_up());
        assert!(!queue.push(&mut vec![8]), "given up");
        assert!(queue.is_given_up());
        assert!(!queue.push(&mut vec![1]), "for good");
        assert!(!queue.wait_for_writer());
        drop(permit);
        consumer.join().unwrap();
    }
}
