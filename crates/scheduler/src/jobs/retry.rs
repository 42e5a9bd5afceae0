//! The ranges that wait to be sent: chunks that were cut ahead, and what has to be
//! sent again, and how.
//!
//! Ranges are kept in the order of their items: delivery waits for the oldest. An
//! *exclusive* range must be the only one in its worker. Suspects are exclusive, so
//! that the first unanswered item of a dead worker is certainly the one that
//! crashed it. An item that is run alone is exclusive, too.

use std::collections::BTreeMap;

use super::attempt::{AttemptMode, ItemRange};
use crate::model::ChunkId;

#[derive(Debug, Default)]
pub(crate) struct RetryQueue {
    waiting: BTreeMap<(ChunkId, u32), (u32, AttemptMode)>,
    exclusive: usize,
    /// The number of charged attempts of each item that has any.
    charged: BTreeMap<(ChunkId, u32), u32>,
}

impl RetryQueue {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether a range waits for a worker that holds nothing.
    pub(crate) fn has_exclusive(&self) -> bool {
        self.exclusive > 0
    }

    pub(crate) fn push(&mut self, range: ItemRange, mode: AttemptMode) {
        if range.items == 0 {
            return;
        }
        self.exclusive += usize::from(mode.is_exclusive());
        self.waiting.insert((range.chunk, range.from), (range.items, mode));
    }

    /// Takes the oldest range: at most `plain` items of a plain range, and at most
    /// `budget` items of any. The rest of the range stays the oldest.
    pub(crate) fn pop(&mut self, plain: u32, budget: u32) -> Option<(ItemRange, AttemptMode)> {
        let ((chunk, from), (items, mode)) = self.waiting.pop_first()?;
        self.exclusive -= usize::from(mode.is_exclusive());
        let most = if mode.is_exclusive() { budget } else { plain.min(budget) };
        let taken = items.min(most.max(1));
        self.push(ItemRange { chunk, from: from + taken, items: items - taken }, mode);
        Some((ItemRange { chunk, from, items: taken }, mode))
    }

    /// Charges an attempt to an item; returns the item's number of charged attempts.
    pub(crate) fn charge(&mut self, chunk: ChunkId, item: u32) -> u32 {
        let charged = self.charged.entry((chunk, item)).or_default();
        *charged += 1;
        *charged
    }

    /// A range has its outcome: the charges of its items are dropped.
    pub(crate) fn on_settled(&mut self, range: ItemRange) {
        if self.charged.is_empty() {
            return;
        }
        let all = (range.chunk, range.from)..(range.chunk, range.from + range.items);
        while let Some((&key, _)) = self.charged.range(all.clone()).next() {
            self.charged.remove(&key);
        }
    }

    /// The number of waiting ranges.
    pub(crate) fn ranges(&self) -> usize {
        self.waiting.len()
    }

    /// The number of waiting items, for the consistency check.
    pub(crate) fn items(&self) -> u64 {
        self.waiting.values().map(|&(items, _)| u64::from(items)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(chunk: u64, from: u32, items: u32) -> ItemRange {
        ItemRange { chunk: ChunkId(chunk), from, items }
    }

    #[test]
    fn the_oldest_item_comes_first() {
        let mut retries = RetryQueue::default();
        retries.push(range(7, 0, 2), AttemptMode::Plain);
        retries.push(range(3, 5, 1), AttemptMode::Alone);
        retries.push(range(3, 6, 4), AttemptMode::Suspect);
        assert!(retries.has_exclusive());
        assert_eq!(retries.pop(9, 9), Some((range(3, 5, 1), AttemptMode::Alone)));
        assert_eq!(retries.pop(9, 9), Some((range(3, 6, 4), AttemptMode::Suspect)));
        assert!(!retries.has_exclusive());
        assert_eq!(retries.pop(9, 9), Some((range(7, 0, 2), AttemptMode::Plain)));
        assert_eq!(retries.pop(9, 9), None);
    }

    #[test]
    fn plain_ranges_are_split_as_asked_and_suspects_only_by_the_budget() {
        let mut retries = RetryQueue::default();
        retries.push(range(0, 2, 5), AttemptMode::Plain);
        retries.push(range(1, 0, 5), AttemptMode::Suspect);
        assert_eq!(retries.pop(3, 9), Some((range(0, 2, 3), AttemptMode::Plain)));
        assert_eq!(retries.pop(3, 1), Some((range(0, 5, 1), AttemptMode::Plain)));
        assert_eq!(retries.pop(3, 9), Some((range(0, 6, 1), AttemptMode::Plain)));
        assert_eq!(retries.pop(1, 4), Some((range(1, 0, 4), AttemptMode::Suspect)));
        assert_eq!(retries.items(), 1);
        assert!(retries.has_exclusive());
    }

    #[test]
    fn charges_add_up_until_the_item_is_settled() {
        let mut retries = RetryQueue::default();
        assert_eq!(retries.charge(ChunkId(1), 2), 1);
        assert_eq!(retries.charge(ChunkId(1), 2), 2);
        assert_eq!(retries.charge(ChunkId(1), 3), 1);
        retries.on_settled(range(1, 0, 3));
        assert_eq!(retries.charge(ChunkId(1), 2), 1);
        assert_eq!(retries.charge(ChunkId(1), 3), 2);
    }
}
