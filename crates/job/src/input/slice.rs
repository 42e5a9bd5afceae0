//! What a run takes of an input, and in what: items, or blocks of them.

use procession::ChunkSize;
use procession_task::Items;

/// What a run takes of an input, and in what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct InputSlice {
    /// So many items instead of the options' own size.
    pub(crate) size: Option<u64>,
    /// Blocks of so many items each, instead of items.
    pub(crate) block: Option<ChunkSize>,
}

impl InputSlice {
    /// What separates the units that the pool is given.
    pub(crate) fn rule(&self, items: Items) -> Items {
        if self.block.is_some() { Items::Whole } else { items }
    }

    /// How many units so many items make, if that can be told.
    pub(crate) fn units(&self, items: Option<u64>) -> Option<u64> {
        match self.block {
            None => items,
            Some(ChunkSize::Fixed(of)) => items.map(|items| items.div_ceil(u64::from(of.get()))),
            Some(ChunkSize::Auto) => None,
        }
    }
}
