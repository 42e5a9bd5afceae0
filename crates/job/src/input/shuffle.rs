//! A reproducible shuffle. The whole input is kept in memory, and its items are
//! put into an order that depends only on the seed and the number of items.
//!
//! The random generator is [`SplitMix64`], started with the seed. The algorithm
//! is Fisher–Yates: for `i` from the last position down to 1, item `i` is swapped
//! with an item at a uniformly random position in `0..=i`.

use super::cutter::Emit;
use super::segment::InputSegment;
use crate::error::InputError;
use bytes::{Bytes, BytesMut};
use procession::raw::Place;
use procession_task::{Items, SplitMix64};
use std::ops::ControlFlow;

/// Shuffled items are emitted in pieces of about this many bytes.
const PIECE: usize = 256 * 1024;

fn shuffle<T>(items: &mut [T], seed: u64) {
    let mut random = SplitMix64::new(seed);
    for i in (1..items.len()).rev() {
        let other = usize::try_from(random.below(i as u64 + 1)).unwrap_or(i);
        items.swap(i, other);
    }
}

/// An input in memory, in shuffled order.
#[derive(Debug)]
pub(crate) struct ShuffledInput {
    segments: Vec<(Bytes, Option<Place>)>,
    order: Vec<ItemPosition>,
    separator: u8,
}

/// The position of an item in memory.
#[derive(Clone, Copy, Debug)]
struct ItemPosition {
    segment: u32,
    start: u32,
    length: u32,
}

/// Collects segments to be shuffled.
#[derive(Default)]
pub(crate) struct ShuffleCollector {
    segments: Vec<(Bytes, Option<Place>)>,
    order: Vec<ItemPosition>,
}

impl ShuffleCollector {
    /// Adds the items of a segment; `None` if the segment is too large for the
    /// table (an item of 4 GiB).
    pub(crate) fn add(&mut self, segment: InputSegment, items: Items) -> Option<()> {
        let bytes = segment.bytes.freeze();
        u32::try_from(bytes.len()).ok()?;
        let number = u32::try_from(self.segments.len()).ok()?;
        for (start, item) in items.split(&bytes) {
            let (start, length) = (u32::try_from(start).ok()?, u32::try_from(item.len()).ok()?);
            self.order.push(ItemPosition { segment: number, start, length });
        }
        self.segments.push((bytes, segment.place));
        Some(())
    }

    /// Shuffles the items.
    pub(crate) fn shuffled(mut self, seed: u64, items: Items) -> ShuffledInput {
        shuffle(&mut self.order, seed);
        ShuffledInput { segments: self.segments, order: self.order, separator: items.separator() }
    }
}

impl ShuffledInput {
    /// How many items there are.
    pub(crate) fn items(&self) -> u64 {
        self.order.len() as u64
    }

    /// The place of the item of this index in the input.
    pub(crate) fn place(&self, index: u64) -> Option<Place> {
        let at = self.order.get(usize::try_from(index.checked_rem(self.items())?).ok()?)?;
        let (bytes, place) = &self.segments[at.segment as usize];
        place.map(|place| place.after(&bytes[..at.start as usize]))
    }

    /// Emits every item in shuffled order.
    pub(crate) fn pass(&self, emit: &mut Emit<'_>) -> Result<ControlFlow<()>, InputError> {
        let mut piece = BytesMut::new();
        let mut items = 0;
        for at in &self.order {
            let (start, length) = (at.start as usize, at.length as usize);
            piece.extend_from_slice(&self.segments[at.segment as usize].0[start..start + length]);
            piece.extend_from_slice(&[self.separator]);
            items += 1;
            if piece.len() >= PIECE && flush(&mut piece, &mut items, emit).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(flush(&mut piece, &mut items, emit))
    }
}

fn flush(piece: &mut BytesMut, items: &mut u64, emit: &mut Emit<'_>) -> ControlFlow<()> {
    if *items == 0 {
        return ControlFlow::Continue(());
    }
    let bytes = std::mem::take(piece);
    emit(InputSegment { bytes, items: std::mem::take(items), place: None, continues: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_a_seed_never_changes() {
        let mut numbers: Vec<u32> = (0..10).collect();
        shuffle(&mut numbers, 42);
        assert_eq!(numbers, [8, 3, 6, 5, 4, 0, 9, 2, 1, 7]);
    }

    #[test]
    fn every_order_of_four_is_about_equally_likely() {
        let mut seen = std::collections::HashMap::<[u8; 4], u32>::new();
        for seed in 0..24_000 {
            let mut items = [0, 1, 2, 3];
            shuffle(&mut items, seed);
            *seen.entry(items).or_default() += 1;
        }
        assert_eq!(seen.len(), 24);
        assert!(seen.values().all(|&count| (850..1150).contains(&count)), "{seen:?}");
    }
}
