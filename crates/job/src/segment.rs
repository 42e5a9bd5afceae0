//! A piece of the input: whole items in one piece of memory.

use bytes::BytesMut;
use procession::raw::Place;

/// Whole items, as they go from the reading thread to the source.
#[derive(Debug)]
pub(crate) struct Segment {
    /// Their bytes.
    pub(crate) bytes: BytesMut,
    /// How many items they are, at least one.
    pub(crate) items: u64,
    /// Where they begin, if they stand anywhere.
    pub(crate) place: Option<Place>,
    /// Whether they follow the segment before in the same input.
    pub(crate) continues: bool,
}
