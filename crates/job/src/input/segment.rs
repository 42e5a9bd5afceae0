//! A piece of the input: whole items in one piece of memory.

use bytes::BytesMut;
use procession::raw::Place;
use procession_task::Measure;

/// Whole items, as they go from the reading thread to the source.
#[derive(Debug)]
pub(crate) struct InputSegment {
    /// Their bytes.
    pub(crate) bytes: BytesMut,
    /// How many items they are, at least one.
    pub(crate) items: u64,
    /// Where they begin, if they stand anywhere.
    pub(crate) place: Option<Place>,
    /// Whether they follow the segment before in the same input.
    pub(crate) continues: bool,
}

impl InputSegment {
    /// Takes a measured part off the front.
    pub(crate) fn split_to(&mut self, measure: Measure) -> Self {
        let bytes = self.bytes.split_to(measure.bytes);
        let place = self.place;
        self.place = place.map(|place| place.after(&bytes));
        self.items -= measure.items;
        Self { bytes, items: measure.items, place, continues: std::mem::replace(&mut self.continues, false) }
    }
}
