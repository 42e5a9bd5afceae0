//! Where blocks come from and where results go.
//!
//! The driver never blocks on either. A [`Source`] that has nothing yet answers
//! [`Cut::Pending`] and wakes the driver later; a [`Sink`] passes results to a
//! thread of its own. Memory is bounded by one account for each job: a block counts
//! from its cut until its results have arrived, and results count until the sink
//! drops the [`Credit`] that came with them.

use super::waker::Waker;
use bytes::Bytes;
use procession_task::Failure;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Where an item is in the input, in terms that a user knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Which of the job's inputs, from 0; the job knows their names.
    pub input: u32,
    /// Line, from 1.
    pub line: u64,
    /// Column in bytes, from 1.
    pub column: u64,
}

impl Place {
    /// The place after these bytes. It works at memory speed, because every byte of
    /// an input passes through it.
    #[must_use]
    pub fn after(self, bytes: &[u8]) -> Self {
        let lines = memchr::memchr_iter(b'\n', bytes).count() as u64;
        let column = match memchr::memrchr(b'\n', bytes) {
            Some(at) => (bytes.len() - at) as u64,
            None => self.column + bytes.len() as u64,
        };
        Self { input: self.input, line: self.line + lines, column }
    }
}

/// Consecutive items, cut from the input.
#[derive(Clone, Debug)]
pub struct InputBlock {
    /// The items' bytes, separators included; at least one item.
    pub bytes: Bytes,
    /// How many items there are, at least one.
    pub items: u32,
    /// Index of the first one in the input, from 0.
    pub first: u64,
    /// Where the block begins in the input, if it comes from one.
    pub place: Option<Place>,
}

/// A source's answer.
#[derive(Clone, Debug)]
pub enum Cut {
    /// The next items.
    Block(InputBlock),
    /// No items yet; the source uses the waker when there are.
    Pending,
    /// The end of the input.
    End,
}

/// Where blocks come from.
pub trait Source: Send {
    /// Cuts the next block: at most `max_items` items and, unless a single item
    /// is larger, at most `max_bytes` bytes. Never blocks.
    ///
    /// A source that fails reports the error to its owner, and answers `End`.
    fn cut(&mut self, max_items: u32, max_bytes: usize) -> Cut;

    /// Sets the waker to use when there are items after `Pending`. Called once,
    /// before the first cut.
    fn wake_with(&mut self, waker: Waker);

    /// About how many items are still to be cut, if that is known.
    fn remaining(&self) -> Option<u64> {
        None
    }
}

/// A failed item, with what a user needs to find it.
#[derive(Clone, Debug)]
pub struct ItemFailure {
    /// Index in the input, from 0.
    pub item: u64,
    /// The item.
    pub input: Bytes,
    /// Where it is in the input, if it comes from one.
    pub place: Option<Place>,
    /// The failure.
    pub failure: Failure,
    /// Its record within the delivery's outputs.
    pub record: Range<usize>,
    /// The process that ran it last.
    pub pid: u32,
    /// How many times it was tried: how many processes died of it, or how many
    /// times the process that gave it up ran it.
    pub attempts: u32,
}

/// Results of consecutive items.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Index of the first item.
    pub first: u64,
    /// How many items.
    pub items: u32,
    /// Their records, one after the other.
    pub outputs: Bytes,
    /// The failed ones among them, in order.
    pub failures: Vec<ItemFailure>,
}

/// Results that came together.
#[derive(Debug)]
pub struct Batch {
    /// In input order for ordered jobs, each one beginning where the one before
    /// ended.
    pub deliveries: Vec<Delivery>,
    /// The memory of these results, given back on drop: keep it until the results
    /// are written.
    pub credit: Credit,
}

/// Where results go.
pub trait Sink: Send {
    /// Takes results. Never blocks: the sink writes on a thread of its own.
    fn deliver(&mut self, batch: Batch);
}

/// The part of a job's memory account that its sink gives back.
#[derive(Debug, Default)]
pub struct Account {
    released: AtomicU64,
    /// Whether the driver waits for memory. If not, it looks at the account in its
    /// next turn.
    wanted: AtomicBool,
}

impl Account {
    /// The bytes that were given back since the last call. From now on [`Credit`]
    /// wakes the driver only if it `wants` memory.
    pub fn take(&self, wants: bool) -> u64 {
        // `wanted` is stored before `released` is loaded, and the other way around
        // in `Credit::drop`: either this call sees the bytes, or the drop sees that
        // they are wanted.
        self.wanted.store(wants, Ordering::SeqCst);
        if self.released.load(Ordering::SeqCst) == 0 { 0 } else { self.released.swap(0, Ordering::SeqCst) }
    }
}

/// Bytes of a job's memory account, given back on drop.
#[derive(Debug)]
pub struct Credit {
    bytes: u64,
    account: Arc<Account>,
    waker: Waker,
}

impl Credit {
    /// A credit of `bytes` bytes of this account.
    #[must_use]
    pub fn new(bytes: u64, account: Arc<Account>, waker: Waker) -> Self {
        Self { bytes, account, waker }
    }
}

impl Drop for Credit {
    fn drop(&mut self) {
        self.account.released.fetch_add(self.bytes, Ordering::SeqCst);
        if self.account.wanted.load(Ordering::SeqCst) {
            self.waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_is_woken_for_memory_only_if_it_wants_some() {
        let woken = Arc::new(AtomicU64::new(0));
        let waker = Waker::new({
            let woken = Arc::clone(&woken);
            move || {
                woken.fetch_add(1, Ordering::SeqCst);
            }
        });
        let account = Arc::new(Account::default());
        let credit = || Credit::new(10, Arc::clone(&account), waker.clone());
        drop((credit(), credit()));
        assert_eq!((woken.load(Ordering::SeqCst), account.take(true)), (0, 20));
        drop(credit());
        assert_eq!((woken.load(Ordering::SeqCst), account.take(false)), (1, 10));
        assert_eq!(account.take(false), 0);
    }

    #[test]
    fn places_count_lines_and_columns_from_one() {
        let start = Place { input: 0, line: 3, column: 5 };
        assert_eq!(start.after(b"ab"), Place { input: 0, line: 3, column: 7 });
        assert_eq!(start.after(b"ab\n"), Place { input: 0, line: 4, column: 1 });
        assert_eq!(start.after(b"a\nb\ncd"), Place { input: 0, line: 5, column: 3 });
    }

    #[test]
    fn places_advance_as_a_walk_does() {
        let start = Place { input: 2, line: 3, column: 5 };
        for bytes in [&b""[..], b"a", b"a\n", b"\n\n", b"a\nbc", b"\r\n\xff\0"] {
            let walked = bytes.iter().fold(start, |place, &byte| match byte {
                b'\n' => Place { line: place.line + 1, column: 1, ..place },
                _ => Place { column: place.column + 1, ..place },
            });
            assert_eq!(start.after(bytes), walked);
        }
    }
}
