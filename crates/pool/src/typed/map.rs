//! `map`: a lazy iterator over the outcomes of a lazy iterator's items.

use super::buffer_pool::BufferPool;
use super::feed::{EncodedInputs, FeedNews};
use super::outcome::{ItemError, Outcome};
use super::results::Results;
use super::work::Work;
use crate::jobs::PoolError;
use procession_task::FRAME_BYTES;
use procession_wire::{WireError, codec};
use serde::Serialize;
use std::any::type_name;
use std::borrow::Borrow;
use std::collections::VecDeque;
use std::iter::FusedIterator;
use std::time::{Duration, Instant};

/// Inputs are queued when they fill this many bytes, whether the pool waits for
/// them or not: a little less than the largest automatic chunk.
const SEGMENT_BYTES: usize = 120 << 10;

/// The outcomes of [`crate::Pool::map`], in the order of the inputs.
///
/// Inputs are pulled and outcomes decoded inside `next`, on the thread that calls
/// it. Dropping the iterator cancels the rest of the work; the pool goes on.
#[must_use = "nothing is done before it is iterated over"]
pub struct Map<'p, W: Work<M>, M, I: Iterator>(OutcomeStream<'p, W, M, I>);

/// The outcomes of [`crate::Pool::map_unordered`], each with the index of its
/// input, in the order in which they come. It is as lazy as [`Map`].
#[must_use = "nothing is done before it is iterated over"]
pub struct MapUnordered<'p, W: Work<M>, M, I: Iterator>(OutcomeStream<'p, W, M, I>);

pub(crate) struct OutcomeStream<'p, W: Work<M>, M, I: Iterator> {
    workers: u32,
    /// Longest input, in bytes.
    max_message: usize,
    inputs: Option<I>,
    state: StreamState<W::Output>,
    buffer: InputBuffer,
    /// Items that can't be encoded, with their errors, in order.
    unsent: VecDeque<(u64, ItemError)>,
    /// Index of the next outcome, if outcomes are in order.
    next: Option<u64>,
    marker: std::marker::PhantomData<fn() -> (W, M)>,
    /// The pool lives as long as its outcomes are read.
    pool: std::marker::PhantomData<&'p ()>,
}

enum StreamState<O> {
    /// The job could not be started.
    Failed(PoolError),
    Running(Results<O>),
    Over,
}

/// Consecutive inputs that were encoded and not queued yet.
#[derive(Default)]
struct InputBuffer {
    bytes: Vec<u8>,
    items: u32,
    /// Index of the next input.
    next: u64,
}

impl<'p, W: Work<M>, M, I: Iterator> OutcomeStream<'p, W, M, I> {
    pub(crate) fn new(
        workers: u32,
        max_message: usize,
        started: Result<Results<W::Output>, PoolError>,
        inputs: I,
        is_ordered: bool,
    ) -> Self {
        Self {
            workers,
            max_message,
            inputs: Some(inputs),
            state: started.map_or_else(StreamState::Failed, StreamState::Running),
            buffer: InputBuffer::default(),
            unsent: VecDeque::new(),
            next: is_ordered.then_some(0),
            marker: std::marker::PhantomData,
            pool: std::marker::PhantomData,
        }
    }
}

impl<W: Work<M>, M, I: Iterator<Item: Borrow<W::Input>>> OutcomeStream<'_, W, M, I> {
    #[inline]
    fn next(&mut self) -> Option<(u64, Outcome<W::Output>)> {
        loop {
            if let StreamState::Running(results) = &mut self.state
                && let Some(index) = results.next_index()
                && (self.unsent.is_empty() || self.next.is_none_or(|next| next == index))
            {
                if let Some(next) = &mut self.next {
                    *next = index + 1;
                }
                return Some((index, results.take()));
            }
            if let Some(found) = self.next_unsent() {
                return Some(found);
            }
            if let Err(error) = self.refill()? {
                self.state = StreamState::Over;
                return Some((self.next.unwrap_or(self.buffer.next), Err(error.into())));
            }
        }
    }

    /// Whether the next outcome is that of an item that could not be encoded.
    fn has_unsent(&self) -> bool {
        self.unsent.front().is_some_and(|(index, _)| self.next.is_none_or(|next| next == *index))
    }

    /// The outcome of that item.
    fn next_unsent(&mut self) -> Option<(u64, Outcome<W::Output>)> {
        if !self.has_unsent() {
            return None;
        }
        if let Some(next) = &mut self.next {
            *next += 1;
        }
        self.unsent.pop_front().map(|(index, error)| (index, Err(error)))
    }

    /// Waits for results or for another outcome; `None` at the end.
    #[inline(never)]
    fn refill(&mut self) -> Option<Result<(), PoolError>> {
        match std::mem::replace(&mut self.state, StreamState::Over) {
            StreamState::Over => None,
            StreamState::Failed(error) => Some(Err(error)),
            StreamState::Running(mut results) => {
                // After a panic of the inputs' iterator the state is `Over`.
                let went = self.wait(&mut results);
                if went.as_ref().is_some_and(Result::is_ok) {
                    self.state = StreamState::Running(results);
                }
                went
            }
        }
    }

    fn wait(&mut self, results: &mut Results<W::Output>) -> Option<Result<(), PoolError>> {
        let workers = self.workers;
        loop {
            // Items that could not be encoded wait in memory, so their number is
            // bounded.
            let takes_more = self.inputs.is_some() && self.unsent.len() < UNSENT;
            let room = if takes_more { results.feed.room(workers) } else { 0 };
            if room > 0 {
                self.pull(results, room);
            }
            if self.has_unsent() {
                return Some(Ok(()));
            }
            match results.feed.wait(takes_more.then_some(workers), None) {
                FeedNews::Results(batch) => {
                    results.put(batch);
                    if results.next_index().is_some() {
                        return Some(Ok(()));
                    }
                }
                FeedNews::Room | FeedNews::Nothing => {}
                FeedNews::Over => return results.end().err().map(Err),
            }
        }
    }

    /// Pulls inputs as long as there is room, and queues them.
    fn pull(&mut self, results: &Results<W::Output>, mut room: u64) {
        let mut pace = InputPace::begin();
        let Some(mut inputs) = self.inputs.take() else { return };
        let max = self.max_message;
        while room > 0 {
            let Some(input) = inputs.next() else {
                self.flush(results, Some(0));
                return results.feed.end();
            };
            room -= 1;
            if let Err(error) = self.buffer.add(input.borrow(), max) {
                // The next inputs begin a new segment, because this index is
                // skipped.
                self.flush(results, rest(&inputs));
                self.unsent.push_back((self.buffer.next, error));
                self.buffer.next += 1;
            }
            let is_slow = pace.is_slow();
            let hungry = results.feed.hungry();
            let is_wanted = hungry > 0 && (is_slow || self.buffer.items >= hungry);
            if is_wanted || self.buffer.bytes.len() >= SEGMENT_BYTES {
                room = room.min(self.flush(results, rest(&inputs)));
            }
            if self.unsent.len() >= UNSENT || is_slow && (results.feed.is_ready() || self.has_unsent()) {
                break;
            }
        }
        self.flush(results, rest(&inputs));
        self.inputs = Some(inputs);
    }

    /// Queues the encoded inputs; returns how much room is left.
    fn flush(&mut self, results: &Results<W::Output>, rest: Option<u64>) -> u64 {
        let Some(segment) = self.buffer.segment(&results.feed.buffers) else { return u64::MAX };
        results.feed.push(segment, rest, self.workers)
    }
}

/// How many inputs are left, if the iterator's size hint is exact.
fn rest<I: Iterator>(inputs: &I) -> Option<u64> {
    let (least, most) = inputs.size_hint();
    most.filter(|&most| most == least).map(|most| most as u64)
}

impl InputBuffer {
    /// Encodes an input.
    #[inline]
    fn add<T: Serialize>(&mut self, input: &T, max: usize) -> Result<(), ItemError> {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(&[0; FRAME_BYTES]);
        let encoded = codec::encode(input, &mut self.bytes);
        let length = self.bytes.len() - from - FRAME_BYTES;
        if encoded.is_err() || length > max {
            self.bytes.truncate(from);
            let what = encoded.map_or_else(WireError::into_words, |_| {
                format!("{length} bytes are more than the {max} that a message may have")
            });
            let message = format!("the input of type {}: {what}", type_name::<T>());
            return Err(ItemError::NotEncodable { index: self.next, message });
        }
        // Bounded by `max`, far below 4 GiB.
        let head = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
        self.bytes[from..from + FRAME_BYTES].copy_from_slice(&head);
        self.items += 1;
        self.next += 1;
        Ok(())
    }

    fn segment(&mut self, buffers: &BufferPool) -> Option<EncodedInputs> {
        let items = std::mem::take(&mut self.items);
        if items == 0 {
            return None;
        }
        let bytes = std::mem::replace(&mut self.bytes, buffers.take());
        Some(EncodedInputs { first: self.next - u64::from(items), items, bytes: buffers.lend(bytes) })
    }
}

/// One input, encoded as it is queued.
pub(crate) fn single<T: Serialize>(input: &T, max: usize) -> Result<Option<EncodedInputs>, ItemError> {
    let mut buffer = InputBuffer::default();
    buffer.add(input, max)?;
    Ok(buffer.segment(&BufferPool::default()))
}

/// Detects inputs that come slowly. Then each input is queued at once, and a caller
/// that waits for a result does not wait for more inputs. The clock is read for
/// every input while they are slow, and less and less often while they are fast.
struct InputPace {
    moments: Instant,
    /// The number of inputs until the clock is read again.
    left: u32,
    stride: u32,
    is_slow: bool,
}

/// Items that can't be encoded and wait for their turn, at most, before pulling
/// stops.
const UNSENT: usize = 1024;
/// An input that takes longer than this is slow: far longer than queueing one
/// takes.
const SLOW: Duration = Duration::from_micros(20);
/// The clock is read at least once in this many inputs.
const MAX_STRIDE: u32 = 16;

impl InputPace {
    /// Begins before the first of some inputs: the time since the previous ones is
    /// not theirs.
    fn begin() -> Self {
        Self { moments: Instant::now(), left: 1, stride: 1, is_slow: false }
    }

    /// Notes another input; returns whether inputs are slow.
    #[inline]
    fn is_slow(&mut self) -> bool {
        self.left -= 1;
        if self.left == 0 {
            self.look();
        }
        self.is_slow
    }

    #[inline(never)]
    fn look(&mut self) {
        let now = Instant::now();
        self.is_slow = now - self.moments > SLOW * self.stride;
        self.stride = if self.is_slow { 1 } else { (self.stride * 2).min(MAX_STRIDE) };
        (self.moments, self.left) = (now, self.stride);
    }
}

impl<'p, W: Work<M>, M, I: Iterator> Map<'p, W, M, I> {
    pub(crate) fn new(stream: OutcomeStream<'p, W, M, I>) -> Self {
        Self(stream)
    }
}

impl<'p, W: Work<M>, M, I: Iterator> MapUnordered<'p, W, M, I> {
    pub(crate) fn new(stream: OutcomeStream<'p, W, M, I>) -> Self {
        Self(stream)
    }
}

impl<W: Work<M>, M, I: Iterator<Item: Borrow<W::Input>>> Iterator for Map<'_, W, M, I> {
    type Item = Outcome<W::Output>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(_, outcome)| outcome)
    }
}

impl<W: Work<M>, M, I: Iterator<Item: Borrow<W::Input>>> FusedIterator for Map<'_, W, M, I> {}

impl<W: Work<M>, M, I: Iterator<Item: Borrow<W::Input>>> Iterator for MapUnordered<'_, W, M, I> {
    type Item = (u64, Outcome<W::Output>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.0.next()
    }
}

impl<W: Work<M>, M, I: Iterator<Item: Borrow<W::Input>>> FusedIterator for MapUnordered<'_, W, M, I> {}
