//! The chunks of a job that are not completely delivered, and the order of
//! delivery.
//!
//! A range is settled once it was accepted or charged. In an ordered job it then
//! waits for every item before it. In an unordered job it is delivered at once. A
//! chunk whose items are all settled no longer needs its block.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasherDefault, Hasher};

use super::attempt::ItemRange;
use crate::model::ChunkId;

/// What follows when a range is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Deliver(ItemRange),
    /// Every item is settled: the block of this many bytes can be dropped.
    Forget(ChunkId, u64),
    /// Every item is delivered: the chunk is complete.
    Gone,
}

#[derive(Debug)]
pub(crate) struct ChunkTable {
    ordered: bool,
    /// The chunk that is cut next.
    next: u64,
    /// The chunk that is delivered next, in an ordered job.
    head: u64,
    live: HashMap<u64, ChunkProgress, BuildHasherDefault<IdHasher>>,
}

#[derive(Debug)]
struct ChunkProgress {
    items: u32,
    unsettled: u32,
    /// In an ordered job, the number of items from the front that are delivered.
    delivered: u32,
    bytes: u64,
    /// Settled ranges that are not yet delivered, in order: (first item, number of
    /// items).
    waiting: VecDeque<(u32, u32)>,
}

impl ChunkTable {
    pub(crate) fn new(ordered: bool) -> Self {
        Self { ordered, next: 0, head: 0, live: HashMap::default() }
    }

    pub(crate) fn add(&mut self, items: u32, bytes: u64) -> ChunkId {
        let id = self.next;
        self.next += 1;
        let chunk = ChunkProgress { items, unsettled: items, delivered: 0, bytes, waiting: VecDeque::new() };
        self.live.insert(id, chunk);
        ChunkId(id)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.live.is_empty()
    }

    /// The approximate number of bytes of this many items of a chunk.
    pub(crate) fn bytes(&self, chunk: ChunkId, items: u32) -> u64 {
        self.live.get(&chunk.0).map_or(0, |chunk| {
            let share = u128::from(chunk.bytes) * u128::from(items) / u128::from(chunk.items.max(1));
            u64::try_from(share).unwrap_or(u64::MAX)
        })
    }

    /// The number of items without an outcome, for the consistency check.
    pub(crate) fn unsettled(&self) -> u64 {
        self.live.values().map(|chunk| u64::from(chunk.unsettled)).sum()
    }

    /// A range is accepted or charged. None of its items was settled before.
    pub(crate) fn settle(&mut self, range: ItemRange, mut emit: impl FnMut(Step)) {
        let Some(chunk) = self.live.get_mut(&range.chunk.0) else {
            return;
        };
        chunk.unsettled = chunk.unsettled.saturating_sub(range.items);
        if chunk.unsettled == 0 {
            emit(Step::Forget(range.chunk, chunk.bytes));
        }
        if !self.ordered {
            emit(Step::Deliver(range));
            if chunk.unsettled == 0 {
                self.live.remove(&range.chunk.0);
                emit(Step::Gone);
            }
            return;
        }
        if range.chunk.0 == self.head && range.from == chunk.delivered {
            chunk.delivered += range.items;
            emit(Step::Deliver(range));
            self.deliver_waiting(emit);
        } else {
            chunk.wait(range);
        }
    }

    /// Delivers every waiting range whose turn has come, chunk after chunk.
    fn deliver_waiting(&mut self, mut emit: impl FnMut(Step)) {
        while let Some(chunk) = self.live.get_mut(&self.head) {
            while let Some((from, items)) = chunk.pop_turn() {
                emit(Step::Deliver(ItemRange { chunk: ChunkId(self.head), from, items }));
            }
            if chunk.delivered < chunk.items {
                return;
            }
            self.live.remove(&self.head);
            self.head += 1;
            emit(Step::Gone);
        }
    }
}

impl ChunkProgress {
    fn wait(&mut self, range: ItemRange) {
        let at = self.waiting.partition_point(|&(from, _)| from < range.from);
        self.waiting.insert(at, (range.from, range.items));
    }

    fn pop_turn(&mut self) -> Option<(u32, u32)> {
        let &(from, items) = self.waiting.front()?;
        if from != self.delivered {
            return None;
        }
        self.delivered += items;
        self.waiting.pop_front()
    }
}

/// Spreads the bits of consecutive numbers. The scheduler itself assigns the
/// numbers, so nobody can choose them to collide.
#[derive(Default)]
struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, id: u64) {
        self.0 = (self.0 ^ id).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(chunk: u64, from: u32, items: u32) -> ItemRange {
        ItemRange { chunk: ChunkId(chunk), from, items }
    }

    fn settle(chunks: &mut ChunkTable, range: ItemRange) -> Vec<Step> {
        let mut steps = Vec::new();
        chunks.settle(range, |step| steps.push(step));
        steps
    }

    #[test]
    fn ranges_wait_for_all_before_them() {
        let mut chunks = ChunkTable::new(true);
        chunks.add(3, 30);
        chunks.add(2, 20);
        assert_eq!(settle(&mut chunks, range(1, 0, 2)), [Step::Forget(ChunkId(1), 20)]);
        assert_eq!(settle(&mut chunks, range(0, 2, 1)), []);
        assert_eq!(settle(&mut chunks, range(0, 1, 1)), []);
        assert_eq!(
            settle(&mut chunks, range(0, 0, 1)),
            [
                Step::Forget(ChunkId(0), 30),
                Step::Deliver(range(0, 0, 1)),
                Step::Deliver(range(0, 1, 1)),
                Step::Deliver(range(0, 2, 1)),
                Step::Gone,
                Step::Deliver(range(1, 0, 2)),
                Step::Gone,
            ]
        );
        assert!(chunks.is_empty());
    }

    #[test]
    fn the_front_of_the_first_chunk_is_delivered_at_once() {
        let mut chunks = ChunkTable::new(true);
        chunks.add(3, 30);
        assert_eq!(settle(&mut chunks, range(0, 0, 2)), [Step::Deliver(range(0, 0, 2))]);
        assert_eq!(chunks.unsettled(), 1);
        assert_eq!(chunks.bytes(ChunkId(0), 2), 20);
    }

    #[test]
    fn without_order_nothing_waits() {
        let mut chunks = ChunkTable::new(false);
        chunks.add(1, 10);
        chunks.add(2, 20);
        assert_eq!(settle(&mut chunks, range(1, 1, 1)), [Step::Deliver(range(1, 1, 1))]);
        assert_eq!(
            settle(&mut chunks, range(1, 0, 1)),
            [Step::Forget(ChunkId(1), 20), Step::Deliver(range(1, 0, 1)), Step::Gone]
        );
        assert!(!chunks.is_empty());
    }
}
