//! The bounded queue between the input thread and the source. The source never
//! waits; the thread waits while the queue is full.

use super::segment::InputSegment;
use crate::error::InputError;
use procession::raw::Waker;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The capacity in bytes.
const CAPACITY: usize = 4 * 1024 * 1024;

/// What the source takes.
#[derive(Debug)]
pub(crate) enum NextSegment {
    /// The next items.
    Segment(InputSegment),
    /// Nothing yet: the source's waker will be called.
    Nothing,
    /// The end of the input.
    End(Option<InputError>),
}

/// The bounded queue.
#[derive(Debug, Default)]
pub(crate) struct SegmentQueue {
    state: Mutex<SegmentQueueState>,
    room: Condvar,
}

#[derive(Debug, Default)]
struct SegmentQueueState {
    segments: VecDeque<InputSegment>,
    bytes: usize,
    items: u64,
    /// The end of the input, with its error if there was one.
    end: Option<Option<InputError>>,
    /// Whether the source was dropped.
    closed: bool,
    /// Whether the source found nothing and its waker must be called.
    is_waiting: bool,
    waker: Option<Waker>,
}

impl SegmentQueue {
    fn lock(&self) -> MutexGuard<'_, SegmentQueueState> {
        // No code here can panic in the middle of a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a segment; waits while the queue is full. Returns `Break` if the
    /// source wants no more.
    pub(crate) fn push(&self, segment: InputSegment) -> ControlFlow<()> {
        let mut state = self.lock();
        while !state.closed && state.bytes >= CAPACITY {
            state = self.room.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        if state.closed {
            return ControlFlow::Break(());
        }
        state.bytes += segment.bytes.len();
        state.items += segment.items;
        state.append(segment);
        state.wake();
        ControlFlow::Continue(())
    }

    /// Whether a push would wait. Only the pushing thread can fill the queue.
    pub(crate) fn is_full(&self) -> bool {
        let state = self.lock();
        state.bytes >= CAPACITY && !state.closed
    }

    /// Reports the end of the input.
    pub(crate) fn end(&self, error: Option<InputError>) {
        let mut state = self.lock();
        state.end = Some(error);
        state.wake();
    }

    /// Returns `Break` if the source wants no more.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        if self.lock().closed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Calls the waker if the source found nothing before: its state may have
    /// changed.
    pub(crate) fn wake(&self) {
        self.lock().wake();
    }

    /// Takes the next segment without waiting.
    pub(crate) fn take(&self) -> NextSegment {
        let mut state = self.lock();
        if let Some(segment) = state.segments.pop_front() {
            state.bytes -= segment.bytes.len();
            state.items -= segment.items;
            self.room.notify_one();
            return NextSegment::Segment(segment);
        }
        match state.end.take() {
            Some(error) => NextSegment::End(error),
            None => {
                state.is_waiting = true;
                NextSegment::Nothing
            }
        }
    }

    /// How many items are in the queue, and whether they are the last ones.
    pub(crate) fn waiting(&self) -> (u64, bool) {
        let state = self.lock();
        (state.items, state.end.is_some())
    }

    /// Sets the waker.
    pub(crate) fn wake_with(&self, waker: Waker) {
        self.lock().waker = Some(waker);
    }

    /// The source wants no more: drops the segments and lets the thread end.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.segments.clear();
        self.room.notify_all();
    }
}

impl SegmentQueueState {
    /// Joins small pieces that are adjacent in memory, so that an input that
    /// arrives in small pieces is still cut into blocks of a good size.
    fn append(&mut self, segment: InputSegment) {
        if let Some(last) = self.segments.back_mut() {
            let follows = last.bytes.as_ptr().wrapping_add(last.bytes.len()) == segment.bytes.as_ptr();
            if segment.continues && follows {
                last.bytes.unsplit(segment.bytes);
                last.items += segment.items;
                return;
            }
        }
        self.segments.push_back(segment);
    }

    fn wake(&mut self) {
        if self.is_waiting {
            self.is_waiting = false;
            if let Some(waker) = &self.waker {
                waker.wake();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::BytesMut;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc;

    fn segment(bytes: BytesMut, continues: bool) -> InputSegment {
        let items = bytes.iter().filter(|&&b| b == b'\n').count() as u64;
        InputSegment { bytes, items, place: None, continues }
    }

    #[test]
    fn adjacent_pieces_are_joined() {
        let queue = SegmentQueue::default();
        let mut buffer = BytesMut::from(&b"a\nb\nc\n"[..]);
        let first = buffer.split_to(2);
        let second = buffer.split_to(2);
        let _ = queue.push(segment(first, false));
        let _ = queue.push(segment(second, true));
        let _ = queue.push(segment(buffer, false));
        let NextSegment::Segment(both) = queue.take() else { panic!() };
        assert_eq!((&both.bytes[..], both.items), (&b"a\nb\n"[..], 2));
        let NextSegment::Segment(last) = queue.take() else { panic!() };
        assert_eq!(&last.bytes[..], b"c\n");
    }

    #[test]
    fn a_push_into_a_full_queue_waits_until_a_take_or_the_close() {
        let queue = Arc::new(SegmentQueue::default());
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                let mut pushed = 0;
                while queue.push(segment(BytesMut::zeroed(CAPACITY / 2), false)).is_continue() {
                    pushed += 1;
                    sender.send(pushed).unwrap();
                }
                pushed
            }
        });
        assert_eq!(receiver.recv(), Ok(1));
        assert_eq!(receiver.recv(), Ok(2));
        assert!(matches!(queue.take(), NextSegment::Segment(_)));
        assert_eq!(receiver.recv(), Ok(3));
        queue.close();
        assert_eq!(thread.join().unwrap(), 3);
    }

    #[test]
    fn a_push_into_a_full_queue_returns_only_after_a_take() {
        let queue = Arc::new(SegmentQueue::default());
        let is_taken = Arc::new(AtomicBool::new(false));
        for _ in 0..2 {
            let _ = queue.push(segment(BytesMut::zeroed(CAPACITY / 2), false));
        }
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn({
            let (queue, is_taken) = (Arc::clone(&queue), Arc::clone(&is_taken));
            move || {
                let extra = segment(BytesMut::zeroed(1), false);
                sender.send(()).unwrap();
                let _ = queue.push(extra);
                assert!(is_taken.load(Ordering::Acquire), "it was pushed though the queue was full");
            }
        });
        receiver.recv().unwrap();
        // Gives the thread time to return too early. If it works correctly, the
        // loop changes nothing.
        for _ in 0..10_000 {
            std::thread::yield_now();
        }
        is_taken.store(true, Ordering::Release);
        queue.take();
        thread.join().unwrap();
    }

    #[test]
    fn the_waker_is_called_once_for_each_empty_take() {
        let queue = SegmentQueue::default();
        let (woken, wakes) = mpsc::channel();
        queue.wake_with(Waker::new(move || woken.send(()).unwrap()));
        let _ = queue.push(segment(BytesMut::from("a\n"), false));
        assert!(matches!(queue.take(), NextSegment::Segment(_)));
        assert!(matches!(queue.take(), NextSegment::Nothing));
        assert!(wakes.try_recv().is_err());
        let _ = queue.push(segment(BytesMut::from("a\n"), false));
        let _ = queue.push(segment(BytesMut::from("a\n"), false));
        assert!(wakes.try_recv().is_ok());
        assert!(wakes.try_recv().is_err());
        queue.end(Some(InputError::NothingToCycle));
        assert_eq!(queue.waiting(), (2, true));
        queue.take();
        queue.take();
        assert!(matches!(queue.take(), NextSegment::End(Some(_))));
    }
}
