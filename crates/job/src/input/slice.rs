//! Which part of an input a run takes, and in which units: items, or blocks.

use procession::ChunkSize;
use procession_task::Items;

/// Which part of an input a run takes, and in which units.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InputSlice {
    /// How many items to take; replaces the size of the options.
    pub(crate) size: Option<u64>,
    /// The number of items in a block, if blocks are made.
    pub(crate) block: Option<ChunkSize>,
}

impl InputSlice {
    /// How the units are separated that the pool receives.
    pub(crate) fn rule(&self, items: Items) -> Items {
        if self.block.is_some() { Items::Whole } else { items }
    }

    /// How many units so many items make, if this is known.
    pub(crate) fn units(&self, items: Option<u64>) -> Option<u64> {
        match self.block {
            None => items,
            Some(ChunkSize::Fixed(of)) => items.map(|items| items.div_ceil(u64::from(of.get()))),
            Some(ChunkSize::Auto) => None,
        }
    }
}
