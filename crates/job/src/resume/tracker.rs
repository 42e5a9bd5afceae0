//! Items that were cut from the input and are not written yet. The tracker
//! connects the source, which has the bytes, with the writer, which knows how
//! far the output is complete. It can compute the input's hash up to any item,
//! also within a block, so a checkpoint can be made exactly where the output
//! ends.

use super::hash::InputHash;
use super::output_rows::OutputRows;
use super::record::ConsumedInput;
use crate::mutex::lock;
use bytes::Bytes;
use procession_task::Items;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

/// Blocks are kept until they are hashed, up to this many bytes. Beyond that
/// (large items with small results that wait for their turn) the oldest blocks
/// are hashed at once, and checkpoints are possible only at their ends.
const MAX_KEPT_BYTES: usize = 32 * 1024 * 1024;
/// Memory for a block besides its bytes.
const OVERHEAD: usize = 64;

/// The tracker of a run whose output can be resumed.
pub(crate) struct ResumeTracker {
    rule: Items,
    /// What an earlier run has consumed. The input must begin with it.
    before: ConsumedInput,
    /// What is run again of it, if anything.
    retry: Option<RetriedItems>,
    state: Mutex<TrackerState>,
}

/// The failed items of an earlier run, which are run again before any others.
#[derive(Clone, Debug)]
pub(crate) struct RetriedItems {
    /// The output of the earlier run.
    pub(crate) rows: Arc<OutputRows>,
    /// Whether the items behind that output are run too.
    pub(crate) goes_on: bool,
}

struct TrackerState {
    hash: InputHash,
    /// How many items were hashed.
    hashed: u64,
    /// Ends of blocks that were hashed before the writer reached them.
    ahead: VecDeque<ConsumedInput>,
    /// Blocks that are not hashed yet.
    blocks: VecDeque<(Bytes, u64)>,
    /// The memory that these blocks take in bytes.
    kept_bytes: usize,
    /// The hash of what was consumed before, once it was verified that the input
    /// begins with it.
    confirmed: Option<u128>,
}

impl ResumeTracker {
    pub(crate) fn new(rule: Items, before: ConsumedInput) -> Self {
        let state = TrackerState {
            hash: InputHash::new(rule),
            hashed: 0,
            ahead: VecDeque::new(),
            blocks: VecDeque::new(),
            kept_bytes: 0,
            confirmed: (before.items == 0).then_some(before.hash),
        };
        Self { rule, before, retry: None, state: Mutex::new(state) }
    }

    /// The same, where failed items of the earlier run are run again.
    pub(crate) fn with_retry(self, retry: Option<RetriedItems>) -> Self {
        Self { retry, ..self }
    }

    /// The items of the earlier run that are run again, if there are any.
    pub(crate) fn retry(&self) -> Option<&RetriedItems> {
        self.retry.as_ref()
    }

    /// How many items of the input an earlier run has consumed.
    pub(crate) fn before(&self) -> u64 {
        self.before.items
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed().is_some()
    }

    /// The hash of what was consumed before, as it is in the input now; `None` until
    /// it was verified.
    pub(crate) fn confirmed(&self) -> Option<u128> {
        lock(&self.state).confirmed
    }

    /// What the input must begin with, and how its items are separated.
    pub(crate) fn expected(&self) -> (Items, ConsumedInput) {
        (self.rule, self.before)
    }

    /// Reports that the input begins with these `items` items of this hash.
    /// What follows is new.
    pub(crate) fn confirm(&self, hash: InputHash, items: u64) {
        let mut state = lock(&self.state);
        state.confirmed = Some(hash.digest());
        (state.hash, state.hashed) = (hash, items);
    }

    /// The next block that was cut.
    pub(crate) fn push(&self, bytes: Bytes, items: u64) {
        let mut state = lock(&self.state);
        state.kept_bytes += bytes.len() + OVERHEAD;
        state.blocks.push_back((bytes, items));
        while state.kept_bytes > MAX_KEPT_BYTES && state.hash_block() {
            let end = ConsumedInput { items: state.hashed, hash: state.hash.digest() };
            state.ahead.push_back(end);
        }
    }

    /// The hash of the first `items` items; `None` if it is no longer
    /// available. Each call must be for at least as many items as the one
    /// before.
    pub(crate) fn reach(&self, items: u64) -> Option<u128> {
        let mut state = lock(&self.state);
        while let Some(&end) = state.ahead.front() {
            if end.items >= items {
                return (end.items == items).then_some(end.hash);
            }
            state.ahead.pop_front();
        }
        while state.hashed < items {
            let wanted = items - state.hashed;
            if state.blocks.front().is_some_and(|(_, items)| *items > wanted) {
                state.hash_part(self.rule, wanted);
            } else if !state.hash_block() {
                return None;
            }
        }
        (state.hashed == items).then(|| state.hash.digest())
    }
}

impl TrackerState {
    /// Hashes the oldest block, if there is one.
    fn hash_block(&mut self) -> bool {
        let Some((bytes, items)) = self.blocks.pop_front() else { return false };
        self.kept_bytes -= bytes.len() + OVERHEAD;
        self.hash.update(&bytes, items);
        self.hashed += items;
        true
    }

    /// Hashes the first items of the oldest block, which has more than that.
    fn hash_part(&mut self, rule: Items, wanted: u64) {
        let Some((bytes, items)) = self.blocks.front_mut() else { return };
        let part = bytes.split_to(rule.measure(bytes, wanted).bytes);
        *items -= wanted;
        self.kept_bytes -= part.len();
        self.hash.update(&part, wanted);
        self.hashed += wanted;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: ConsumedInput = ConsumedInput { items: 0, hash: 0 };

    fn hash(rule: Items, text: &str) -> u128 {
        let mut hash = InputHash::new(rule);
        hash.update(text.as_bytes(), rule.count(text.as_bytes()));
        hash.digest()
    }

    #[test]
    fn the_hash_up_to_every_item_is_available() {
        for (rule, text) in
            [(Items::Lines, "a\n\nbc\nd\ne"), (Items::Words, " a  b,\n,c d\re"), (Items::Nul, "a\0\0b\0c\0d")]
        {
            let all: Vec<_> = rule.split(text.as_bytes()).map(|(_, item)| String::from_utf8_lossy(item)).collect();
            let separator = char::from(rule.separator()).to_string();
            for max in 1..=all.len() as u64 {
                let tracker = ResumeTracker::new(rule, NOTHING);
                let mut rest = Bytes::copy_from_slice(text.as_bytes());
                while rule.count(&rest) > 0 {
                    let measure = rule.measure(&rest, max);
                    tracker.push(rest.split_to(measure.bytes), measure.items);
                }
                for at in 0..all.len() {
                    let expected = hash(rule, &(all[..=at].join(&separator) + &separator));
                    assert_eq!(tracker.reach(at as u64 + 1), Some(expected), "{rule:?} {max} {at}");
                    assert_eq!(tracker.reach(at as u64 + 1), Some(expected), "asked again");
                }
                assert_eq!(tracker.reach(all.len() as u64 + 1), None);
            }
        }
    }

    #[test]
    fn kept_blocks_are_bounded_and_their_ends_are_remembered() {
        let tracker = ResumeTracker::new(Items::Lines, NOTHING);
        let block = format!("{}\n\n", "x".repeat(1 << 20));
        for _ in 0..40 {
            tracker.push(Bytes::from(block.clone()), 2);
        }
        assert!(lock(&tracker.state).kept_bytes <= MAX_KEPT_BYTES);
        assert_eq!(tracker.reach(1), None);
        assert_eq!(tracker.reach(2), Some(hash(Items::Lines, &block)));
        assert_eq!(tracker.reach(3), None);
        assert!(tracker.reach(79).is_some(), "the last ones are kept");
        assert_eq!(tracker.reach(80), Some(hash(Items::Lines, &block.repeat(40))));
    }
}
