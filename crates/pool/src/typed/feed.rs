//! The channel between the caller of a typed pool and the pool: a bounded queue of
//! encoded inputs in one direction, finished batches in the other.
//!
//! Only the caller's thread encodes and decodes values, so neither the values nor
//! their iterator need to be `Send`. The pool cuts its blocks from the queue
//! without copying, as large as the scheduler wants them.

use super::buffer_pool::BufferPool;
use crate::jobs::{Batch, Cut, InputBlock, Sink, Source, Waker};
use bytes::Bytes;
use procession_task::FRAME_BYTES;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes that are queued at most (one input may be larger).
const QUEUE_BYTES: usize = 1 << 20;

#[derive(Default)]
pub(crate) struct JobFeed {
    state: Mutex<FeedState>,
    changed: Condvar,
    /// How many items the pool waits for; 0 if it does not wait.
    hungry: AtomicU32,
    /// Whether there are results, or there will be no more.
    ready: AtomicBool,
    /// Buffers for encoded inputs.
    pub(crate) buffers: BufferPool,
}

#[derive(Default)]
struct FeedState {
    segments: VecDeque<EncodedInputs>,
    items: u64,
    bytes: usize,
    /// How many items the pool asked for last.
    asked: u32,
    /// About how many items are still to be queued, if that is known.
    rest: Option<u64>,
    /// Nothing more will be queued.
    ended: bool,
    batches: VecDeque<Batch>,
    /// The job is over: no more batches come.
    over: bool,
    waker: Option<Waker>,
    /// The caller waits for results or for room.
    waiting: bool,
}

/// Inputs that were encoded together.
pub(crate) struct EncodedInputs {
    /// Index of the first.
    pub(crate) first: u64,
    pub(crate) items: u32,
    pub(crate) bytes: Bytes,
}

/// What the caller is told.
pub(crate) enum FeedNews {
    Results(Batch),
    /// There is room for more inputs.
    Room,
    /// No more results will come.
    Over,
    /// The time is over.
    Nothing,
}

impl JobFeed {
    fn lock(&self) -> MutexGuard<'_, FeedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many items the pool waits for; 0 if it does not wait.
    #[inline]
    pub(crate) fn hungry(&self) -> u32 {
        self.hungry.load(Ordering::Relaxed)
    }

    /// Whether there is something to take.
    #[inline]
    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::Relaxed)
    }

    /// Queues inputs; `rest` more are to come, if that is known. Returns for how
    /// many items there is room afterwards.
    pub(crate) fn push(&self, segment: EncodedInputs, rest: Option<u64>, workers: u32) -> u64 {
        let mut state = self.lock();
        state.items += u64::from(segment.items);
        state.bytes += segment.bytes.len();
        state.segments.push_back(segment);
        state.rest = rest;
        let room = state.room(workers);
        let waker = self.calls(&state);
        drop(state);
        wake(waker);
        room
    }

    /// For how many more items there is room with `workers` workers.
    pub(crate) fn room(&self, workers: u32) -> u64 {
        self.lock().room(workers)
    }

    /// No more inputs come.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        state.rest = Some(0);
        let waker = self.calls(&state);
        drop(state);
        wake(waker);
    }

    /// The waker to use, if the pool waits for items.
    fn calls(&self, state: &FeedState) -> Option<Waker> {
        if self.hungry.swap(0, Ordering::Relaxed) > 0 { state.waker.clone() } else { None }
    }

    /// Ends the inputs, and drops queued inputs and finished results.
    pub(crate) fn cancel(&self) {
        let mut state = self.lock();
        state.segments.clear();
        (state.items, state.bytes) = (0, 0);
        state.ended = true;
        let batches = std::mem::take(&mut state.batches);
        let waker = self.calls(&state);
        drop(state);
        // Their memory is given back to the pool, which may have to be woken.
        drop(batches);
        wake(waker);
    }

    /// Waits for results, or for room with `wants_room` workers; at most for
    /// `time`, if it is given.
    pub(crate) fn wait(&self, wants_room: Option<u32>, time: Option<Duration>) -> FeedNews {
        let until = time.and_then(|time| Instant::now().checked_add(time));
        let mut state = self.lock();
        loop {
            if let Some(batch) = state.batches.pop_front() {
                let is_ready = state.over || !state.batches.is_empty();
                self.ready.store(is_ready, Ordering::Relaxed);
                return FeedNews::Results(batch);
            }
            if state.over {
                return FeedNews::Over;
            }
            if wants_room.is_some_and(|workers| state.room(workers) > 0) {
                return FeedNews::Room;
            }
            state.waiting = true;
            let Some(until) = until else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return FeedNews::Nothing;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn tell(&self, mut state: MutexGuard<'_, FeedState>) {
        let waits = std::mem::take(&mut state.waiting);
        drop(state);
        if waits {
            self.changed.notify_all();
        }
    }
}

impl FeedState {
    /// Room for twice what the pool asks for, for each worker, so that no worker
    /// waits for the caller. Not for more, because inputs may be expensive to make,
    /// or few and slow.
    fn room(&self, workers: u32) -> u64 {
        if self.bytes >= QUEUE_BYTES {
            return 0;
        }
        let wanted = 2 * u64::from(workers) * u64::from(self.asked.max(1));
        wanted.saturating_sub(self.items)
    }

    fn cut(&mut self, max_items: u32, max_bytes: usize) -> Option<InputBlock> {
        let segment = self.segments.front_mut()?;
        let (first, items, bytes) = if segment.items <= max_items && segment.bytes.len() <= max_bytes {
            let whole = self.segments.pop_front()?;
            (whole.first, whole.items, whole.bytes)
        } else {
            let (items, bytes) = measure(&segment.bytes, max_items.min(segment.items), max_bytes);
            let front = (segment.first, items, segment.bytes.split_to(bytes));
            segment.first += u64::from(items);
            segment.items -= items;
            if segment.items == 0 {
                self.segments.pop_front();
            }
            front
        };
        self.items -= u64::from(items);
        self.bytes -= bytes.len();
        Some(InputBlock { bytes, items, first, place: None })
    }
}

/// The longest beginning with at most `max_items` items and, unless a single item
/// is larger, `max_bytes` bytes: its number of items, and its length.
fn measure(block: &[u8], max_items: u32, max_bytes: usize) -> (u32, usize) {
    let (mut items, mut end) = (0, 0);
    while items < max_items.max(1) {
        let Some(head) = block.get(end..).and_then(|rest| rest.first_chunk::<FRAME_BYTES>()) else { break };
        let next = end + FRAME_BYTES + u32::from_le_bytes(*head) as usize;
        if next > block.len() || (items > 0 && next > max_bytes) {
            break;
        }
        (items, end) = (items + 1, next);
    }
    (items, end)
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// The pool's side of the inputs.
pub(crate) struct FeedSource(pub(crate) Arc<JobFeed>);

impl Source for FeedSource {
    fn cut(&mut self, max_items: u32, max_bytes: usize) -> Cut {
        let mut state = self.0.lock();
        state.asked = max_items;
        let Some(block) = state.cut(max_items, max_bytes) else {
            if state.ended {
                return Cut::End;
            }
            // Set before the lock is released, so that the thread that queues
            // inputs next sees it.
            self.0.hungry.store(max_items.max(1), Ordering::Relaxed);
            self.0.tell(state);
            return Cut::Pending;
        };
        // The caller is woken only when there is enough room to be worth it.
        if state.waiting && state.items <= u64::from(max_items) {
            self.0.tell(state);
        }
        Cut::Block(block)
    }

    fn wake_with(&mut self, waker: Waker) {
        self.0.lock().waker = Some(waker);
    }

    fn remaining(&self) -> Option<u64> {
        let state = self.0.lock();
        state.rest.map(|rest| rest + state.items)
    }
}

/// The pool's side of the results; dropped when the job is over.
pub(crate) struct FeedSink(pub(crate) Arc<JobFeed>);

impl Sink for FeedSink {
    fn deliver(&mut self, batch: Batch) {
        let mut state = self.0.lock();
        state.batches.push_back(batch);
        self.0.ready.store(true, Ordering::Relaxed);
        self.0.tell(state);
    }
}

impl Drop for FeedSink {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.over = true;
        self.0.ready.store(true, Ordering::Relaxed);
        self.0.tell(state);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(lengths: &[u8]) -> Bytes {
        let frame = |&n: &u8| [&u32::from(n).to_le_bytes()[..], &vec![n; usize::from(n)]].concat();
        lengths.iter().flat_map(frame).collect()
    }

    fn block(cut: Cut) -> (u64, u32, usize) {
        match cut {
            Cut::Block(block) => (block.first, block.items, block.bytes.len()),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn blocks_are_cut_to_measure_and_never_across_a_gap() {
        let feed = Arc::new(JobFeed::default());
        let mut source = FeedSource(Arc::clone(&feed));
        assert!(matches!(source.cut(3, 100), Cut::Pending));
        assert_eq!(feed.hungry(), 3);
        feed.push(EncodedInputs { first: 0, items: 4, bytes: frames(&[1, 2, 3, 4]) }, None, 1);
        feed.push(EncodedInputs { first: 5, items: 1, bytes: frames(&[90]) }, Some(7), 1);
        assert_eq!((feed.hungry(), source.remaining()), (0, Some(12)));
        assert_eq!(block(source.cut(1, 100)), (0, 1, 5));
        assert_eq!(block(source.cut(9, 13)), (1, 2, 13));
        assert_eq!(block(source.cut(9, 100)), (3, 1, 8));
        assert_eq!(block(source.cut(9, 10)), (5, 1, 94), "an item too large for a block has one of its own");
        feed.end();
        assert!(matches!(source.cut(9, 10), Cut::End));
    }

    #[test]
    fn room_is_what_the_workers_can_use() {
        let feed = Arc::new(JobFeed::default());
        let mut source = FeedSource(Arc::clone(&feed));
        assert!(matches!(feed.wait(Some(4), None), FeedNews::Room));
        assert_eq!(feed.room(4), 8);
        assert_eq!(feed.push(EncodedInputs { first: 0, items: 8, bytes: frames(&[0; 8]) }, None, 4), 0);
        assert_eq!(block(source.cut(5, 100)), (0, 5, 20));
        assert_eq!(feed.room(4), 37);
        let much = EncodedInputs { first: 8, items: 1, bytes: vec![0; QUEUE_BYTES].into() };
        assert_eq!(feed.push(much, None, 4), 0);
    }

    #[test]
    fn a_caller_that_was_woken_without_results_is_woken_again() {
        for time in [None, Some(Duration::from_secs(60))] {
            let feed = Arc::new(JobFeed::default());
            feed.push(EncodedInputs { first: 0, items: 1, bytes: frames(&[1]) }, None, 1);
            let theirs = Arc::clone(&feed);
            let begun = Instant::now();
            let waiter = std::thread::spawn(move || matches!(theirs.wait(None, time), FeedNews::Over));
            let waits = || {
                while !feed.lock().waiting {
                    std::thread::yield_now();
                }
            };
            waits();
            let (mut source, sink) = (FeedSource(Arc::clone(&feed)), FeedSink(Arc::clone(&feed)));
            assert_eq!(block(source.cut(1, 100)), (0, 1, 5));
            waits();
            drop(sink);
            assert!(waiter.join().unwrap());
            assert!(begun.elapsed() < Duration::from_secs(30));
        }
    }

    #[test]
    fn the_end_comes_after_the_results_and_a_zero_timeout_returns_at_once() {
        let feed = Arc::new(JobFeed::default());
        assert!(matches!(feed.wait(None, Some(Duration::ZERO)), FeedNews::Nothing));
        let mut sink = FeedSink(Arc::clone(&feed));
        let credit = crate::jobs::Credit::new(1, Arc::default(), Waker::new(|| {}));
        sink.deliver(Batch { deliveries: Vec::new(), credit });
        drop(sink);
        assert!(feed.is_ready());
        assert!(matches!(feed.wait(None, None), FeedNews::Results(_)));
        assert!(feed.is_ready());
        assert!(matches!(feed.wait(None, None), FeedNews::Over));
    }
}
