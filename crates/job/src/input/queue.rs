//! The bounded queue between the reading thread and the source: the source
//! never waits, the thread waits while the queue is full.

use super::segment::InputSegment;
use crate::error::InputError;
use procession::raw::Waker;
use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// How many bytes may wait.
const CAPACITY: usize = 4 * 1024 * 1024;

/// What the source finds.
#[derive(Debug)]
pub(crate) enum NextSegment {
    /// The next items.
    Segment(InputSegment),
    /// Nothing yet: the waker will be used.
    Nothing,
    /// The input's end.
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
    /// How the input ended, once it has.
    end: Option<Option<InputError>>,
    /// Whether the source is gone.
    closed: bool,
    /// Whether the source found nothing and is to be woken.
    is_waiting: bool,
    waker: Option<Waker>,
}

impl SegmentQueue {
    fn lock(&self) -> MutexGuard<'_, SegmentQueueState> {
        // Nothing in here can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a segment, waiting while the queue is full; `Break` when nobody
    /// wants any more.
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

    /// Whether a push has to wait. Only the thread that pushes can make it so.
    pub(crate) fn is_full(&self) -> bool {
        let state = self.lock();
        state.bytes >= CAPACITY && !state.closed
    }

    /// The input has ended.
    pub(crate) fn end(&self, error: Option<InputError>) {
        let mut state = self.lock();
        state.end = Some(error);
        state.wake();
    }

    /// Whether anybody wants any more.
    pub(crate) fn flow(&self) -> ControlFlow<()> {
        if self.lock().closed { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Wakes whoever found nothing: there is something to be known.
    pub(crate) fn wake(&self) {
        self.lock().wake();
    }

    /// Takes the next segment, without waiting.
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

    /// How many items wait, and whether these are the last.
    pub(crate) fn waiting(&self) -> (u64, bool) {
        let state = self.lock();
        (state.items, state.end.is_some())
    }

    /// Whom to wake.
    pub(crate) fn wake_with(&self, waker: Waker) {
        self.lock().waker = Some(waker);
    }

    /// The source is gone: drops what waits and lets the thread end.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        state.segments.clear();
        self.room.notify_all();
    }
}

impl SegmentQueueState {
    /// Small pieces that follow each other in memory become one, so that an
    /// input that comes in drops is still cut into blocks of a good size.
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
    fn neighbours_in_memory_become_one() {
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
    fn a_full_queue_holds_the_thread_until_it_is_taken_from_or_closed() {
        let queue = Arc::new(SegmentQueue::default());
        let (told, tell) = mpsc::channel();
        let thread = std::thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                let mut pushed = 0;
                while queue.push(segment(BytesMut::zeroed(CAPACITY / 2), false)).is_continue() {
                    pushed += 1;
                    told.send(pushed).unwrap();
                }
                pushed
            }
        });
        assert_eq!(tell.recv(), Ok(1));
        assert_eq!(tell.recv(), Ok(2));
        assert!(matches!(queue.take(), NextSegment::Segment(_)));
        assert_eq!(tell.recv(), Ok(3));
        queue.close();
        assert_eq!(thread.join().unwrap(), 3);
    }

    #[test]
    fn a_push_into_a_full_queue_returns_only_after_something_was_taken() {
        let queue = Arc::new(SegmentQueue::default());
        let is_taken = Arc::new(AtomicBool::new(false));
        for _ in 0..2 {
            let _ = queue.push(segment(BytesMut::zeroed(CAPACITY / 2), false));
        }
        let (tell, told) = mpsc::channel();
        let thread = std::thread::spawn({
            let (queue, is_taken) = (Arc::clone(&queue), Arc::clone(&is_taken));
            move || {
                let extra = segment(BytesMut::zeroed(1), false);
                tell.send(()).unwrap();
                let _ = queue.push(extra);
                assert!(is_taken.load(Ordering::Acquire), "it was pushed though the queue was full");
            }
        });
        told.recv().unwrap();
        // Gives the thread every chance to do wrong; when it does right, this changes nothing.
        for _ in 0..10_000 {
            std::thread::yield_now();
        }
        is_taken.store(true, Ordering::Release);
        queue.take();
        thread.join().unwrap();
    }

    #[test]
    fn the_waker_is_used_once_for_each_time_nothing_was_found() {
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
