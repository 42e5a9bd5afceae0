//! Where blocks come from and where results go.
//!
//! The driver never blocks on either: a [`Source`] says "nothing now" and wakes
//! the driver later; a [`Sink`] takes what it is given and hands it to a thread
//! of its own. Memory is bounded by one account for each job: a block counts
//! from its cut until its results are in, results count until the sink drops
//! the [`Credit`] that came with them.

use super::waker::Waker;
use bytes::Bytes;
use procession_task::Failure;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Where an item stands in what a person calls the input.
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
    /// The place after these bytes; at memory speed, as every byte of an input
    /// passes here.
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
    /// Their bytes, separators included; never empty of items.
    pub bytes: Bytes,
    /// How many items there are, at least one.
    pub items: u32,
    /// Index of the first one in the input, from 0.
    pub first: u64,
    /// Where the block begins, for items that a person can look up.
    pub place: Option<Place>,
}

/// A source's answer.
#[derive(Clone, Debug)]
pub enum Cut {
    /// The next items.
    Block(InputBlock),
    /// Nothing at the moment; the waker will be used when there is.
    Pending,
    /// No more items, now and for ever.
    End,
}

/// Where blocks come from.
pub trait Source: Send {
    /// Cuts the next block: at most `max_items` items and, unless a single item
    /// is larger, at most `max_bytes` bytes. Never blocks.
    ///
    /// A source that fails says so to whoever made it, and answers `End`.
    fn cut(&mut self, max_items: u32, max_bytes: usize) -> Cut;

    /// What to wake when there is something to cut after `Pending`. Called
    /// once, before the first cut.
    fn wake_with(&mut self, waker: Waker);

    /// About how many items are still to be cut, when that is known.
    fn remaining(&self) -> Option<u64> {
        None
    }
}

/// A failed item, with what a person needs to find it.
#[derive(Clone, Debug)]
pub struct ItemFailure {
    /// Index in the input, from 0.
    pub item: u64,
    /// The item.
    pub input: Bytes,
    /// Where it stands, if it stands anywhere.
    pub place: Option<Place>,
    /// What happened.
    pub failure: Failure,
    /// Its record within the delivery's outputs.
    pub record: Range<usize>,
    /// The process that ran it last.
    pub pid: u32,
    /// How many times it was tried: how often its process died of it, or how
    /// often it was run in the process that gave it up.
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
    /// In input order for ordered jobs, each going on where the one before ended.
    pub deliveries: Vec<Delivery>,
    /// Memory that is given back when this is dropped: keep it until the
    /// results are written.
    pub credit: Credit,
}

/// Where results go.
pub trait Sink: Send {
    /// Takes results. Never blocks: the thread that writes is the sink's own.
    fn deliver(&mut self, batch: Batch);
}

/// A job's memory account, as far as its sink is concerned: what was given back.
#[derive(Debug, Default)]
pub struct Account {
    released: AtomicU64,
    /// Whether the driver waits for memory; else it looks when it passes by.
    wanted: AtomicBool,
}

impl Account {
    /// What was given back since last asked, in bytes. From now on the driver
    /// is woken for more only if it `wants` it.
    pub fn take(&self, wants: bool) -> u64 {
        // In this order, and the other way around in `Credit::drop`: either this
        // sees what is given back, or the other side sees that it is wanted.
        self.wanted.store(wants, Ordering::SeqCst);
        if self.released.load(Ordering::SeqCst) == 0 { 0 } else { self.released.swap(0, Ordering::SeqCst) }
    }
}

/// A share of a job's memory account, given back on drop.
#[derive(Debug)]
pub struct Credit {
    bytes: u64,
    account: Arc<Account>,
    waker: Waker,
}

impl Credit {
    /// `bytes` of this account.
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
