//! The source that the pool cuts its blocks from: slices of the segments in the
//! queue, measured at memory speed and never copied.

use super::measure::longest_fit;
use super::options::InputOptions;
use super::queue::{NextSegment, SegmentQueue};
use super::status::InputStatus;
use crate::error::{InputError, SkipCount};
use crate::mutex::lock;
use crate::resume::item_set::ItemCursor;
use crate::resume::tracker::ResumeTracker;
use bytes::Bytes;
use procession::raw::{Cut, InputBlock, Place, Source, Waker};
use procession_sys::start_thread;
use procession_task::{Items, Measure};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// What the input thread runs.
pub(crate) type ReadThread = Box<dyn FnOnce() + Send>;

/// Cuts blocks from a queue that the input thread fills.
pub struct QueueSource {
    read: Option<ReadThread>,
    queue: Arc<SegmentQueue>,
    rule: Items,
    current: Option<CurrentSegment>,
    next: u64,
    given: u64,
    /// How many items to give in all.
    size: Option<u64>,
    /// The average size of an item in the last block, in bytes.
    bytes_per_item: usize,
    status: InputStatus,
    /// How many items are left out before the first.
    skip: u64,
    ended: bool,
    /// The failed items of an earlier run, which come before the others.
    retried: ItemCursor,
    /// Receives every block, if the output can be resumed.
    tracker: Option<Arc<ResumeTracker>>,
}

/// The rest of a segment.
#[derive(Debug)]
struct CurrentSegment {
    bytes: Bytes,
    items: u64,
    place: Option<Place>,
}

impl QueueSource {
    pub(crate) fn new(
        queue: Arc<SegmentQueue>,
        options: &InputOptions,
        size: Option<u64>,
        status: InputStatus,
        read: ReadThread,
    ) -> Self {
        let next = options.first_index();
        Self {
            read: Some(read),
            queue,
            rule: options.items,
            current: None,
            next,
            given: 0,
            size,
            bytes_per_item: 8,
            status,
            skip: options.skip,
            ended: false,
            retried: ItemCursor::default(),
            tracker: None,
        }
    }

    /// Reports every block to a tracker, and begins after what an earlier run
    /// has done.
    pub(crate) fn with_tracker(mut self, tracker: Option<Arc<ResumeTracker>>) -> Self {
        let before = tracker.as_ref().map_or(0, |tracker| tracker.before());
        if let Some(retry) = tracker.as_ref().and_then(|tracker| tracker.retry()) {
            self.retried = ItemCursor::new(Arc::clone(&retry.rows.failed));
        }
        (self.next, self.given, self.tracker) = (self.next + before, before, tracker);
        self
    }

    /// Whether all wanted items were given and the prefix of a resumed run was
    /// verified.
    fn is_filled(&self) -> bool {
        self.size == Some(self.given)
            && self.retried.left() == 0
            && self.tracker.as_ref().is_none_or(|tracker| tracker.is_confirmed())
    }

    /// The segment to cut from, or why there is none.
    fn current(&mut self) -> Result<&mut CurrentSegment, Cut> {
        if self.current.is_none() {
            if self.ended || self.is_filled() {
                self.finish(None);
                return Err(Cut::End);
            }
            match self.queue.take() {
                // Checked again: the prefix may have been verified just now.
                NextSegment::Nothing if self.is_filled() => {
                    self.finish(None);
                    return Err(Cut::End);
                }
                NextSegment::Nothing => return Err(Cut::Pending),
                NextSegment::End(error) => {
                    self.finish(error);
                    return Err(Cut::End);
                }
                NextSegment::Segment(segment) => {
                    let current =
                        CurrentSegment { bytes: segment.bytes.freeze(), items: segment.items, place: segment.place };
                    return Ok(self.current.insert(current));
                }
            }
        }
        self.current.as_mut().ok_or(Cut::End)
    }

    /// No more items are wanted. The prefix of a resumed run may still have to
    /// be verified.
    fn end(&mut self) -> Cut {
        match self.current() {
            Err(other) => other,
            Ok(_) => {
                self.finish(None);
                Cut::End
            }
        }
    }

    /// Ends the source, records the error if there is one, and lets the thread
    /// end.
    fn finish(&mut self, error: Option<InputError>) {
        if self.ended {
            return;
        }
        self.ended = true;
        self.current = None;
        self.queue.close();
        let too_few = || {
            let size = self.size.filter(|&size| self.given < size)?;
            let skip = SkipCount { found: self.status.skipped.load(Ordering::Relaxed), wanted: self.skip };
            Some(InputError::TooFew { size, items: self.given, skip })
        };
        *lock(&self.status.error) = error.or_else(too_few);
    }

    /// Splits a measured block off the front of the segment.
    fn split(&mut self, measure: Measure) -> Option<InputBlock> {
        let current = self.current.as_mut()?;
        let bytes = current.bytes.split_to(measure.bytes);
        let place = current.place;
        current.place = place.map(|place| place.after(&bytes));
        current.items -= measure.items;
        if current.items == 0 {
            self.current = None;
        }
        self.bytes_per_item = (bytes.len() as u64 / measure.items.max(1)) as usize + 1;
        let items = u32::try_from(measure.items).unwrap_or(u32::MAX);
        if let Some(first) = self.retried.take(measure.items) {
            return Some(InputBlock { bytes, items, first, place });
        }
        self.given += measure.items;
        let first = self.next;
        self.next += measure.items;
        if let Some(tracker) = &self.tracker {
            tracker.push(bytes.clone(), measure.items);
        }
        Some(InputBlock { bytes, items, first, place })
    }
}

impl CurrentSegment {
    /// Removes separators before the first word: a block begins with an item.
    fn trim(&mut self, rule: Items) {
        if rule == Items::Words {
            let start = self.bytes.iter().position(|&byte| !rule.is_separator(byte)).unwrap_or(0);
            let before = self.bytes.split_to(start);
            self.place = self.place.map(|place| place.after(&before));
        }
    }
}

impl QueueSource {
    /// Starts the input thread if it is not running. Called before workers are
    /// started, which may use up the user's limit of threads.
    pub(crate) fn start(&mut self) {
        let Some(read) = self.read.take() else { return };
        // Never joined: it may wait in a read for input that never comes.
        if let Err(error) = start_thread("input", None, read) {
            self.queue.end(Some(InputError::Thread(error)));
        }
    }
}

impl Source for QueueSource {
    fn cut(&mut self, max_items: u32, max_bytes: usize) -> Cut {
        let left = match self.retried.consecutive() {
            0 => self.size.map_or(u64::MAX, |size| size - self.given),
            consecutive => consecutive,
        };
        let max_items = u64::from(max_items.max(1)).min(left);
        let (rule, bytes_per_item) = (self.rule, self.bytes_per_item);
        if max_items == 0 {
            return self.end();
        }
        let measure = match self.current() {
            Err(other) => return other,
            Ok(current) => {
                current.trim(rule);
                longest_fit(rule, &current.bytes, current.items, max_items, max_bytes.max(1), bytes_per_item)
            }
        };
        self.split(measure).map_or(Cut::End, Cut::Block)
    }

    fn wake_with(&mut self, waker: Waker) {
        self.queue.wake_with(waker);
        self.start();
    }

    fn remaining(&self) -> Option<u64> {
        if self.ended {
            return Some(0);
        }
        let left = self.status.items.map(|items| items.saturating_sub(self.given) + self.retried.left());
        let (queued, is_all) = self.queue.waiting();
        let here = queued + self.current.as_ref().map_or(0, |current| current.items);
        if is_all {
            return Some(left.map_or(here, |left| left.min(here)));
        }
        left.or_else(|| {
            // Assumes as many items in each unread byte as in the bytes read.
            let read = self.status.bytes_read();
            let unread = u128::from(self.status.bytes?.saturating_sub(read));
            let to_come = (unread * u128::from(self.given + here)).checked_div(u128::from(read))?;
            Some(here.saturating_add(u64::try_from(to_come).unwrap_or(u64::MAX)))
        })
    }
}

impl fmt::Debug for QueueSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueueSource").field("given", &self.given).field("size", &self.size).finish_non_exhaustive()
    }
}

impl Drop for QueueSource {
    fn drop(&mut self) {
        self.queue.close();
    }
}

#[cfg(test)]
mod resume_tests;
#[cfg(test)]
pub(crate) mod tests;
