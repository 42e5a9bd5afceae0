//! What has to be sent again, and how.
//!
//! Ranges are kept in the order of their items: the oldest is what delivery
//! waits for. A range that must be run with nothing else in its worker is
//! *exclusive*: suspects, so that the first unanswered item of a dead worker is
//! the culprit beyond doubt, and an item that is alone.

use std::collections::BTreeMap;

use crate::ChunkId;

/// How an attempt is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Like any other, with others before and behind it.
    Plain,
    /// With an answer after every item, and nothing else in the worker.
    Suspect,
    /// A single item with nothing else in the worker: a culprit.
    Alone,
}

impl Manner {
    pub(crate) fn is_exclusive(self) -> bool {
        self != Self::Plain
    }
}

/// A range of a chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Range {
    pub(crate) chunk: ChunkId,
    pub(crate) from: u32,
    pub(crate) items: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Retries {
    waiting: BTreeMap<(ChunkId, u32), (u32, Manner)>,
    exclusive: usize,
    /// How many attempts were charged to the items that have any.
    charged: BTreeMap<(ChunkId, u32), u32>,
}

impl Retries {
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Whether something waits for a worker that holds nothing.
    pub(crate) fn has_exclusive(&self) -> bool {
        self.exclusive > 0
    }

    pub(crate) fn push(&mut self, range: Range, manner: Manner) {
        if range.items == 0 {
            return;
        }
        self.exclusive += usize::from(manner.is_exclusive());
        self.waiting.insert((range.chunk, range.from), (range.items, manner));
    }

    /// Takes the oldest range: at most `plain` items of a plain one, and at
    /// most `budget` of any. What is left of it stays the oldest.
    pub(crate) fn pop(&mut self, plain: u32, budget: u32) -> Option<(Range, Manner)> {
        let ((chunk, from), (items, manner)) = self.waiting.pop_first()?;
        self.exclusive -= usize::from(manner.is_exclusive());
        let most = if manner.is_exclusive() { budget } else { plain.min(budget) };
        let taken = items.min(most.max(1));
        self.push(Range { chunk, from: from + taken, items: items - taken }, manner);
        Some((Range { chunk, from, items: taken }, manner))
    }

    /// Charges an attempt to an item; returns how many that makes.
    pub(crate) fn charge(&mut self, chunk: ChunkId, item: u32) -> u32 {
        let charged = self.charged.entry((chunk, item)).or_default();
        *charged += 1;
        *charged
    }

    /// A range has its outcome: nothing is remembered against its items.
    pub(crate) fn on_settled(&mut self, range: Range) {
        if self.charged.is_empty() {
            return;
        }
        let all = (range.chunk, range.from)..(range.chunk, range.from + range.items);
        while let Some((&key, _)) = self.charged.range(all.clone()).next() {
            self.charged.remove(&key);
        }
    }

    /// How many items wait, for the check of the whole.
    pub(crate) fn items(&self) -> u64 {
        self.waiting.values().map(|&(items, _)| u64::from(items)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(chunk: u64, from: u32, items: u32) -> Range {
        Range { chunk: ChunkId(chunk), from, items }
    }

    #[test]
    fn the_oldest_item_comes_first() {
        let mut retries = Retries::default();
        retries.push(range(7, 0, 2), Manner::Plain);
        retries.push(range(3, 5, 1), Manner::Alone);
        retries.push(range(3, 6, 4), Manner::Suspect);
        assert!(retries.has_exclusive());
        assert_eq!(retries.pop(9, 9), Some((range(3, 5, 1), Manner::Alone)));
        assert_eq!(retries.pop(9, 9), Some((range(3, 6, 4), Manner::Suspect)));
        assert!(!retries.has_exclusive());
        assert_eq!(retries.pop(9, 9), Some((range(7, 0, 2), Manner::Plain)));
        assert_eq!(retries.pop(9, 9), None);
    }

    #[test]
    fn plain_ranges_are_split_as_asked_and_suspects_only_by_the_budget() {
        let mut retries = Retries::default();
        retries.push(range(0, 2, 5), Manner::Plain);
        retries.push(range(1, 0, 5), Manner::Suspect);
        assert_eq!(retries.pop(3, 9), Some((range(0, 2, 3), Manner::Plain)));
        assert_eq!(retries.pop(3, 1), Some((range(0, 5, 1), Manner::Plain)));
        assert_eq!(retries.pop(3, 9), Some((range(0, 6, 1), Manner::Plain)));
        assert_eq!(retries.pop(1, 4), Some((range(1, 0, 4), Manner::Suspect)));
        assert_eq!(retries.items(), 1);
        assert!(retries.has_exclusive());
    }

    #[test]
    fn charges_add_up_until_the_item_is_settled() {
        let mut retries = Retries::default();
        assert_eq!(retries.charge(ChunkId(1), 2), 1);
        assert_eq!(retries.charge(ChunkId(1), 2), 2);
        assert_eq!(retries.charge(ChunkId(1), 3), 1);
        retries.on_settled(range(1, 0, 3));
        assert_eq!(retries.charge(ChunkId(1), 2), 1);
        assert_eq!(retries.charge(ChunkId(1), 3), 2);
    }
}
