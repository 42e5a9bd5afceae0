//! A set of items by their indices, as runs of consecutive ones: failed items are
//! few, or they stand together.

use std::ops::Range;
use std::sync::Arc;

/// A set of items. It takes 24 bytes for each run of consecutive indices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ItemSet {
    runs: Vec<ItemRun>,
}

/// Consecutive items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ItemRun {
    first: u64,
    items: u64,
    /// How many items of the set stand before the first.
    rank: u64,
}

impl ItemSet {
    /// Adds an item, which must stand behind all others; false if it does not.
    pub(crate) fn push(&mut self, item: u64) -> bool {
        let rank = self.count();
        match self.runs.last_mut() {
            Some(last) if last.first + last.items > item => return false,
            Some(last) if last.first + last.items == item => last.items += 1,
            _ => self.runs.push(ItemRun { first: item, items: 1, rank }),
        }
        true
    }

    /// How many items it has.
    pub(crate) fn count(&self) -> u64 {
        self.runs.last().map_or(0, |last| last.rank + last.items)
    }

    /// How many items of the set stand before this one; `None` if it is not in it.
    pub(crate) fn rank(&self, item: u64) -> Option<u64> {
        let after = self.runs.partition_point(|run| run.first <= item);
        let run = self.runs.get(after.checked_sub(1)?)?;
        (item - run.first < run.items).then(|| run.rank + (item - run.first))
    }

    /// The parts of the set among these items, in order.
    pub(crate) fn within(&self, items: Range<u64>) -> impl Iterator<Item = Range<u64>> {
        let from = self.runs.partition_point(|run| run.first + run.items <= items.start);
        self.runs[from..]
            .iter()
            .map(move |run| run.first.max(items.start)..(run.first + run.items).min(items.end))
            .take_while(|part| !part.is_empty())
    }
}

impl FromIterator<u64> for ItemSet {
    /// The items in any order; each counts once.
    fn from_iter<T: IntoIterator<Item = u64>>(items: T) -> Self {
        let mut all: Vec<u64> = items.into_iter().collect();
        all.sort_unstable();
        let mut set = Self::default();
        for item in all {
            set.push(item);
        }
        set
    }
}

/// Passes through the items of a set.
#[derive(Clone, Debug, Default)]
pub(crate) struct ItemCursor {
    set: Arc<ItemSet>,
    run: usize,
    /// How many items of this run were taken.
    taken: u64,
}

impl ItemCursor {
    pub(crate) fn new(set: Arc<ItemSet>) -> Self {
        Self { set, run: 0, taken: 0 }
    }

    /// How many consecutive items are next; 0 at the end.
    pub(crate) fn consecutive(&self) -> u64 {
        self.set.runs.get(self.run).map_or(0, |run| run.items - self.taken)
    }

    /// How many items are left.
    pub(crate) fn left(&self) -> u64 {
        let passed = self.set.runs.get(self.run).map_or(self.set.count(), |run| run.rank + self.taken);
        self.set.count() - passed
    }

    /// Takes the next items, of which there must be so many consecutive ones.
    /// Returns the index of the first.
    pub(crate) fn take(&mut self, items: u64) -> Option<u64> {
        let run = self.set.runs.get(self.run)?;
        let first = run.first + self.taken;
        self.taken += items;
        if self.taken >= run.items {
            (self.run, self.taken) = (self.run + 1, 0);
        }
        Some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set() -> ItemSet {
        [9, 3, 4, 20, 5, 21, 3].into_iter().collect()
    }

    #[test]
    fn items_are_found_by_index_and_by_rank() {
        let set = set();
        let ranks: Vec<_> = (0..24).filter_map(|item| set.rank(item).map(|rank| (item, rank))).collect();
        assert_eq!(ranks, [(3, 0), (4, 1), (5, 2), (9, 3), (20, 4), (21, 5)]);
        assert_eq!((set.count(), set.runs.len()), (6, 3));
        assert!(!set.clone().push(21) && set.clone().push(22));
        let parts = |range| set.within(range).collect::<Vec<_>>();
        assert_eq!(parts(0..100), [3..6, 9..10, 20..22]);
        assert_eq!(parts(4..21), [4..6, 9..10, 20..21]);
        assert_eq!((parts(6..9), parts(0..3), parts(22..30), parts(5..5)), (vec![], vec![], vec![], vec![]));
    }

    #[test]
    fn a_cursor_passes_each_run_once() {
        let mut cursor = ItemCursor::new(Arc::new(set()));
        let (mut seen, mut left) = (Vec::new(), Vec::new());
        while cursor.consecutive() > 0 {
            let items = cursor.consecutive().min(2);
            seen.push((cursor.take(items).unwrap(), items));
            left.push(cursor.left());
        }
        assert_eq!(left, [4, 3, 2, 0]);
        assert_eq!(seen, [(3, 2), (5, 1), (9, 1), (20, 2)]);
        assert_eq!(cursor.take(1), None);
    }
}
