//! What the pool is given as one item: an item of the input, or a block of them.

use super::open::Input;
use procession::ChunkSize;
use procession::raw::Place;
use procession_task::Items;
use std::num::NonZero;

/// What the pool is given as one item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// An item of the input.
    #[default]
    Item,
    /// A block of them: as many as a chunk is to have, or up to 64 KiB.
    Block,
}

impl Unit {
    /// How many items make a block, if blocks are made.
    pub(crate) fn block(self, chunk: ChunkSize) -> Option<ChunkSize> {
        match self {
            Self::Item => None,
            Self::Block => Some(chunk),
        }
    }

    /// How a worker is to cut what it is sent.
    pub(crate) fn items(self, of_input: Items) -> Items {
        match self {
            Self::Item => of_input,
            Self::Block => Items::Whole,
        }
    }

    /// Where an item of a shuffled input stands. The lines of a block then stand
    /// in many places.
    pub(crate) fn locate(self, input: &Input, index: u64) -> Option<Place> {
        match self {
            Self::Item => input.locate(index),
            Self::Block => None,
        }
    }

    /// How many of what the pool is given go into a message.
    pub(crate) fn chunk(self, chunk: ChunkSize) -> ChunkSize {
        match self {
            Self::Item => chunk,
            Self::Block => ChunkSize::Fixed(NonZero::<u32>::MIN),
        }
    }
}
