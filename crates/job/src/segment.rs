//! A piece of the input: whole items in one piece of memory.

use bytes::BytesMut;
use procession::Place;

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

/// The place after these bytes; at memory speed, as every byte of the input passes here.
pub(crate) fn advance(place: Place, bytes: &[u8]) -> Place {
    let lines = memchr::memchr_iter(b'\n', bytes).count() as u64;
    let column = match memchr::memrchr(b'\n', bytes) {
        Some(at) => (bytes.len() - at) as u64,
        None => place.column + bytes.len() as u64,
    };
    Place { input: place.input, line: place.line + lines, column }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_advances_as_a_walk_does() {
        let start = Place { input: 2, line: 3, column: 5 };
        for bytes in [&b""[..], b"a", b"a\n", b"\n\n", b"a\nbc", b"\r\n\xff\0"] {
            assert_eq!(advance(start, bytes), start.after(bytes));
        }
    }
}
