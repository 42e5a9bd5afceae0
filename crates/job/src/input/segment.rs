//! A piece of the input: whole items in one buffer.

use bytes::BytesMut;
use procession::raw::Place;
use procession_task::Measure;

/// Whole items on their way from the input thread to the source.
#[derive(Debug)]
pub(crate) struct InputSegment {
    /// Their bytes.
    pub(crate) bytes: BytesMut,
    /// How many items they are, at least one.
    pub(crate) items: u64,
    /// The place of the first byte, if the items come from a file.
    pub(crate) place: Option<Place>,
    /// Whether they directly follow the previous segment of the same input.
    pub(crate) continues: bool,
}

impl InputSegment {
    /// Splits a measured part off the front.
    pub(crate) fn split_to(&mut self, measure: Measure) -> Self {
        let bytes = self.bytes.split_to(measure.bytes);
        let place = self.place;
        self.place = place.map(|place| place.after(&bytes));
        self.items -= measure.items;
        Self { bytes, items: measure.items, place, continues: std::mem::replace(&mut self.continues, false) }
    }
}
