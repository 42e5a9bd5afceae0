//! The unit that the pool receives as one item: an item of the input, or a
//! block.

use super::open::Input;
use procession::ChunkSize;
use procession::raw::Place;
use procession_task::Items;
use std::num::NonZero;

/// The unit that the pool receives as one item.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unit {
    /// An item of the input.
    #[default]
    Item,
    /// A block: as many items as a chunk, or up to 64 KiB.
    Block,
}

impl Unit {
    /// The number of items in a block, if blocks are made.
    pub(crate) fn block(self, chunk: ChunkSize) -> Option<ChunkSize> {
        match self {
            Self::Item => None,
            Self::Block => Some(chunk),
        }
    }

    /// How a worker separates what it receives.
    pub(crate) fn items(self, of_input: Items) -> Items {
        match self {
            Self::Item => of_input,
            Self::Block => Items::Whole,
        }
    }

    /// The place of an item of a shuffled input. The lines of a block come from
    /// many places.
    pub(crate) fn locate(self, input: &Input, index: u64) -> Option<Place> {
        match self {
            Self::Item => input.locate(index),
            Self::Block => None,
        }
    }

    /// How many units go into a message.
    pub(crate) fn chunk(self, chunk: ChunkSize) -> ChunkSize {
        match self {
            Self::Item => chunk,
            Self::Block => ChunkSize::Fixed(NonZero::<u32>::MIN),
        }
    }
}
