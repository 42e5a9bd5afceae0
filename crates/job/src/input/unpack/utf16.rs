//! UTF-16, as PowerShell and Excel write text, read as UTF-8.

use crate::input::held_bytes::{ReadyBytes, read_more};
use std::io::{self, Read};

/// How many bytes are read at once.
const PIECE: usize = 64 * 1024;

/// Reads UTF-16 as UTF-8.
pub(super) struct Utf16Reader<R> {
    inner: R,
    is_big_endian: bool,
    /// Bytes that are no whole character yet.
    held: Vec<u8>,
    ready: ReadyBytes,
}

impl<R: Read> Utf16Reader<R> {
    /// Text that begins behind its mark.
    pub(super) fn new(inner: R, is_big_endian: bool) -> Self {
        Self { inner, is_big_endian, held: Vec::new(), ready: ReadyBytes::default() }
    }

    /// Decodes the whole characters of what is held.
    fn decode(&mut self) -> io::Result<()> {
        let unit = |pair: &[u8; 2]| {
            if self.is_big_endian { u16::from_be_bytes(*pair) } else { u16::from_le_bytes(*pair) }
        };
        let mut units: Vec<u16> = self.held.as_chunks::<2>().0.iter().map(unit).collect();
        if units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit)) {
            units.pop();
        }
        let text: Result<String, _> = char::decode_utf16(units.iter().copied()).collect();
        let text = text.map_err(|_| io::Error::other("it is not valid UTF-16"))?;
        self.ready = text.into_bytes().into();
        self.held.drain(..units.len() * 2);
        Ok(())
    }
}

impl<R: Read> Read for Utf16Reader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.ready.is_empty() && !into.is_empty() {
            if read_more(&mut self.inner, &mut self.held, PIECE)? == 0 {
                let is_whole = self.held.is_empty();
                return if is_whole { Ok(0) } else { Err(io::Error::other("it ends within a character of UTF-16")) };
            }
            self.decode()?;
        }
        Ok(self.ready.give(into))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::held_bytes::Pieces;

    fn decoded(bytes: &[u8], is_big_endian: bool, piece: usize) -> io::Result<String> {
        let mut text = String::new();
        Utf16Reader::new(Pieces(bytes, piece), is_big_endian).read_to_string(&mut text).map(|_| text)
    }

    #[test]
    fn both_byte_orders_are_read_in_any_pieces() {
        let text = "2\nGröße \u{1f600}\r\n";
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        for piece in [1, 2, 3, 100] {
            assert_eq!(decoded(&little, false, piece).unwrap(), text);
            assert_eq!(decoded(&big, true, piece).unwrap(), text);
        }
        for end in [1, little.len() - 5] {
            assert!(decoded(&little[..end], false, 100).unwrap_err().to_string().contains("within a character"));
        }
        assert!(decoded(&0xdc00u16.to_le_bytes(), false, 2).unwrap_err().to_string().contains("not valid UTF-16"));
    }
}
