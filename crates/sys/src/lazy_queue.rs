//! A queue between two threads whose reader is woken lazily: after work it lingers
//! for a moment, in which a push costs no system call, unless enough is waiting.
//! What arrives later wakes it at once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What is worth waking a lingering reader for.
#[derive(Clone, Copy, Debug)]
pub struct WorthWaking {
    /// So many bytes are waiting.
    pub bytes: usize,
    /// So many items are waiting.
    pub items: usize,
}

/// The queue; one thread pushes, one takes.
#[derive(Debug)]
pub struct LazyQueue<T> {
    state: Mutex<LazyQueueState<T>>,
    filled: Condvar,
    worth: WorthWaking,
}

#[derive(Debug)]
struct LazyQueueState<T> {
    items: Vec<T>,
    bytes: usize,
    reader: ReaderState,
    is_closed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReaderState {
    Working,
    Lingering,
    Asleep,
}

/// Why the reader goes on.
#[derive(Debug, PartialEq, Eq)]
pub enum Taken<T> {
    /// There are items: all that were waiting, at least one.
    Items(Vec<T>),
    /// The due time was reached.
    Due,
    /// The queue is closed, and everything was taken.
    Closed,
}

impl<T> LazyQueue<T> {
    /// An empty queue.
    #[must_use]
    pub fn new(worth: WorthWaking) -> Self {
        let state = LazyQueueState { items: Vec::new(), bytes: 0, reader: ReaderState::Working, is_closed: false };
        Self { state: Mutex::new(state), filled: Condvar::new(), worth }
    }

    /// Adds items of so many bytes in all. Returns `false` and drops them if the queue
    /// is closed.
    pub fn push(&self, items: impl IntoIterator<Item = T>, bytes: usize) -> bool {
        let mut state = self.lock();
        if state.is_closed {
            return false;
        }
        state.items.extend(items);
        state.bytes += bytes;
        let wakes = match state.reader {
            ReaderState::Asleep => true,
            ReaderState::Lingering => self.is_worth_it(&state),
            ReaderState::Working => false,
        };
        if wakes {
            // It is woken once.
            state.reader = ReaderState::Working;
            self.filled.notify_one();
        }
        true
    }

    /// No more items are accepted. The reader takes those that are waiting.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_one();
    }

    /// Takes the items that are waiting; does not wait.
    pub fn take_now(&self) -> Vec<T> {
        self.lock().take()
    }

    /// Takes the items that are waiting, or waits for some, or for the time `due`. Until
    /// the time `linger` it waits for enough to be worth its while.
    pub fn take(&self, linger: Instant, due: Option<Instant>) -> Taken<T> {
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let lingers = linger.saturating_duration_since(now);
            if state.is_closed || self.is_worth_it(&state) || (lingers.is_zero() && !state.items.is_empty()) {
                let items = state.take();
                return if items.is_empty() { Taken::Closed } else { Taken::Items(items) };
            }
            let until_due = due.map(|due| due.saturating_duration_since(now));
            if until_due.is_some_and(|left| left.is_zero()) {
                return Taken::Due;
            }
            let is_over = lingers.is_zero();
            state.reader = if is_over { ReaderState::Asleep } else { ReaderState::Lingering };
            let wait = (!is_over).then_some(lingers).into_iter().chain(until_due).min();
            state = match wait {
                Some(most) => self.filled.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner).0,
                None => self.filled.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
            state.reader = ReaderState::Working;
        }
    }

    fn is_worth_it(&self, state: &LazyQueueState<T>) -> bool {
        state.bytes >= self.worth.bytes || state.items.len() >= self.worth.items
    }

    fn lock(&self) -> MutexGuard<'_, LazyQueueState<T>> {
        // No code here can panic in the middle of a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> LazyQueueState<T> {
    fn take(&mut self) -> Vec<T> {
        self.bytes = 0;
        std::mem::take(&mut self.items)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::time::Duration;

    const WORTH: WorthWaking = WorthWaking { bytes: 100, items: 3 };
    const LONG: Duration = Duration::from_secs(600);

    /// Starts a reader that takes once, and waits until it waits.
    fn reader(
        queue: &Arc<LazyQueue<u32>>,
        linger: Duration,
        due: Option<Duration>,
        waits: ReaderState,
    ) -> std::thread::JoinHandle<Taken<u32>> {
        let its = Arc::clone(queue);
        let now = Instant::now();
        let reader = std::thread::spawn(move || its.take(now + linger, due.map(|due| now + due)));
        while queue.lock().reader != waits {
            std::thread::yield_now();
        }
        reader
    }

    #[test]
    fn a_lingering_reader_is_woken_for_enough_bytes_or_items() {
        for pushes in [&[(1, 99), (2, 1)][..], &[(1, 0), (2, 0), (3, 0)]] {
            let queue = Arc::new(LazyQueue::new(WORTH));
            let reader = reader(&queue, LONG, None, ReaderState::Lingering);
            for &(item, bytes) in pushes {
                assert_eq!(queue.lock().reader, ReaderState::Lingering);
                assert!(queue.push([item], bytes));
            }
            assert_eq!(reader.join().unwrap(), Taken::Items(pushes.iter().map(|&(item, _)| item).collect()));
        }
    }

    #[test]
    fn a_sleeping_reader_is_woken_for_anything() {
        let queue = Arc::new(LazyQueue::new(WORTH));
        let reader = reader(&queue, Duration::ZERO, None, ReaderState::Asleep);
        queue.push([7], 1);
        assert_eq!(reader.join().unwrap(), Taken::Items(vec![7]));
    }

    #[test]
    fn what_little_there_is_is_taken_when_the_reader_has_lingered() {
        let queue = LazyQueue::new(WORTH);
        queue.push([7], 1);
        let linger = Instant::now() + Duration::from_millis(5);
        assert_eq!(queue.take(linger, None), Taken::Items(vec![7]));
        assert!(Instant::now() >= linger);
        queue.push([8], 1);
        assert_eq!((queue.take_now(), queue.take_now()), (vec![8], vec![]));
    }

    #[test]
    fn a_due_time_ends_the_wait() {
        let queue = Arc::new(LazyQueue::<u32>::new(WORTH));
        let now = Instant::now();
        assert_eq!(queue.take(now + LONG, Some(now)), Taken::Due);
        assert_eq!(queue.take(now, Some(Instant::now() + Duration::from_millis(1))), Taken::Due);
    }

    #[test]
    fn a_closed_queue_gives_what_is_left() {
        let queue = Arc::new(LazyQueue::new(WORTH));
        queue.push([7], 1);
        queue.close();
        assert!(!queue.push([8], 1));
        let now = Instant::now();
        assert_eq!(queue.take(now + LONG, None), Taken::Items(vec![7]));
        assert_eq!(queue.take(now + LONG, None), Taken::Closed);
        let other = Arc::new(LazyQueue::<u32>::new(WORTH));
        let reader = reader(&other, LONG, None, ReaderState::Lingering);
        other.close();
        assert_eq!(reader.join().unwrap(), Taken::Closed);
    }
}
