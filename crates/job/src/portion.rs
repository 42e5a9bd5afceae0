//! What a run takes of an input, and in what: items, or blocks of them.

use crate::InputError;
use crate::blocks::Blocks;
use crate::cutter::Emit;
use crate::input::Inner;
use procession::ChunkSize;
use procession_task::Items;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// What a run takes of an input, and in what.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Portion {
    /// So many items instead of the options' own size.
    pub(crate) size: Option<u64>,
    /// Blocks of so many items each, instead of items.
    pub(crate) block: Option<ChunkSize>,
}

impl Portion {
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

impl Inner {
    /// Gives on what the pool is to be given: items, or blocks of them.
    pub(crate) fn supply(
        &self,
        portion: &Portion,
        read: &Arc<AtomicU64>,
        emit: &mut Emit<'_>,
    ) -> Result<(), InputError> {
        let Some(block) = portion.block else { return self.feed(read, emit) };
        let mut blocks = Blocks::new(block, &self.options, portion.size);
        // What an input that breaks off has left is no block.
        self.feed(read, &mut |segment| blocks.push(segment, emit))?;
        blocks.finish(emit)
    }
}
