//! Cuts a stream of bytes into segments of whole items, at memory speed. Bytes
//! are read into large buffers; complete items are split off without copying,
//! and only the incomplete item is copied to the next buffer.

use super::segment::InputSegment;
use crate::error::InputError;
use bytes::BytesMut;
use procession::raw::Place;
use procession_task::{Items, RecordScanner};
use std::io::{self, Read};
use std::ops::ControlFlow;

/// How many bytes are read at once.
const BUFFER: usize = 1024 * 1024;
/// If less room than this is left, a new buffer is begun.
const LEAST_ROOM: usize = 64 * 1024;

/// Receives segments; returns `Break` when it wants no more.
pub(crate) type Emit<'a> = dyn FnMut(InputSegment) -> ControlFlow<()> + 'a;

/// Cuts one stream.
pub(crate) struct Cutter<'a> {
    /// How items are separated.
    pub(crate) items: Items,
    /// The largest size of an item in bytes.
    pub(crate) max_item: usize,
    /// The stream's name, for errors.
    pub(crate) name: &'a str,
    /// The place of its first byte.
    pub(crate) place: Place,
}

/// What a stream contained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct CutResult {
    /// Whether the receiver wants more.
    pub(crate) flow: ControlFlow<()>,
    /// How many items the stream had.
    pub(crate) items: u64,
}

impl Cutter<'_> {
    /// Reads the stream to its end, or until the receiver wants no more. Items
    /// are emitted as soon as they are complete, even if the stream then
    /// pauses.
    pub(crate) fn run(mut self, reader: &mut dyn Read, emit: &mut Emit<'_>) -> Result<CutResult, InputError> {
        let mut buffer = BytesMut::zeroed(BUFFER);
        let mut filled = 0;
        let mut passed = CutResult { flow: ControlFlow::Continue(()), items: 0 };
        let mut continues = false;
        let mut scanner = match self.items {
            Items::Csv(delimiter) => Some(RecordScanner::new(delimiter)),
            _ => None,
        };
        loop {
            if buffer.len() - filled < LEAST_ROOM {
                buffer = enlarged(&buffer[..filled]);
            }
            let read = self.read(reader, &mut buffer[filled..])?;
            let end = if read == 0 {
                Some(filled)
            } else {
                self.last_end(&buffer[filled..filled + read], filled, scanner.as_mut())
            };
            filled += read;
            let Some(end) = end else {
                if filled > self.max_item {
                    return Err(self.too_long());
                }
                continue;
            };
            let bytes = buffer.split_to(end);
            filled -= end;
            if let Some(segment) = self.segment(bytes, continues)? {
                passed.items += segment.items;
                continues = true;
                passed.flow = emit(segment);
            }
            if read == 0 || passed.flow.is_break() {
                return Ok(passed);
            }
        }
    }

    fn read(&self, reader: &mut dyn Read, into: &mut [u8]) -> Result<usize, InputError> {
        loop {
            match reader.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(InputError::Read { name: self.name.to_owned(), error }),
                Ok(read) => return Ok(read),
            }
        }
    }

    /// The end of the last item that these bytes complete. `before` bytes come
    /// before them.
    fn last_end(&self, bytes: &[u8], before: usize, scanner: Option<&mut RecordScanner>) -> Option<usize> {
        let at = match self.items {
            Items::Words => bytes.iter().rposition(|&byte| self.items.is_separator(byte)),
            Items::Lines | Items::Jsonl => memchr::memrchr(b'\n', bytes),
            Items::Nul => memchr::memrchr(0, bytes),
            Items::Csv(_) => scanner.and_then(|scanner| scanner.last_end(bytes)).map(|end| end - 1),
            Items::Whole | Items::Framed => None,
        };
        at.map(|at| before + at + 1)
    }

    /// These bytes as a segment, if they contain an item.
    fn segment(&mut self, bytes: BytesMut, continues: bool) -> Result<Option<InputSegment>, InputError> {
        if bytes.len() > self.max_item {
            self.check_lengths(&bytes)?;
        }
        let place = self.place;
        self.place = place.after(&bytes);
        let items = self.items.count(&bytes);
        Ok((items > 0).then_some(InputSegment { bytes, items, place: Some(place), continues }))
    }

    /// Only a segment longer than the limit can contain an item that is too
    /// long.
    fn check_lengths(&mut self, bytes: &[u8]) -> Result<(), InputError> {
        for (at, item) in self.items.split(bytes) {
            if item.len() > self.max_item {
                self.place = self.place.after(&bytes[..at]);
                return Err(self.too_long());
            }
        }
        Ok(())
    }

    fn too_long(&self) -> InputError {
        InputError::TooLong { name: self.name.to_owned(), line: self.place.line, max: self.max_item }
    }
}

/// Cuts a whole stream: the place, number of items and bytes of each segment.
/// For tests that compare the cutter with a plain implementation of the rule.
///
/// # Errors
/// An item is longer than `max_item`, or the stream can't be read.
#[doc(hidden)]
pub fn cut_all(items: Items, max_item: usize, reader: &mut dyn Read) -> Result<Vec<(Place, u64, Vec<u8>)>, InputError> {
    let mut segments = Vec::new();
    let start = Place { input: 0, line: 1, column: 1 };
    let cutter = Cutter { items, max_item, name: "f", place: start };
    cutter.run(reader, &mut |segment| {
        segments.push((segment.place.unwrap_or(start), segment.items, segment.bytes.to_vec()));
        ControlFlow::Continue(())
    })?;
    Ok(segments)
}

/// A new buffer that begins with the incomplete item.
fn enlarged(unfinished: &[u8]) -> BytesMut {
    let mut buffer = BytesMut::zeroed(BUFFER.max(unfinished.len() * 2));
    buffer[..unfinished.len()].copy_from_slice(unfinished);
    buffer
}

#[cfg(test)]
mod tests {
    use super::super::options::MAX_ITEM;
    use super::*;

    /// Returns its bytes in pieces of the given lengths, over and over.
    struct Pieces<'a> {
        bytes: &'a [u8],
        lengths: Vec<usize>,
        next: usize,
    }

    impl Read for Pieces<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let length = self.lengths[self.next % self.lengths.len()].min(into.len()).min(self.bytes.len());
            self.next += 1;
            into[..length].copy_from_slice(&self.bytes[..length]);
            self.bytes = &self.bytes[length..];
            Ok(length)
        }
    }

    const START: Place = Place { input: 0, line: 1, column: 1 };

    fn cut(items: Items, max_item: usize, reader: &mut dyn Read) -> Result<Vec<InputSegment>, InputError> {
        let mut segments = Vec::new();
        let cutter = Cutter { items, max_item, name: "f", place: START };
        cutter.run(reader, &mut |segment| {
            segments.push(segment);
            ControlFlow::Continue(())
        })?;
        Ok(segments)
    }

    /// Pseudo-random bytes with runs of separators.
    fn bytes(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            b"123 ,\n\r\t\x00\xffa\""[(state >> 33) as usize % 12]
        };
        (0..length).map(next).collect()
    }

    #[test]
    fn the_length_of_reads_does_not_change_the_items() {
        for rule in [Items::Words, Items::Lines, Items::Nul, Items::Csv(None), Items::Csv(Some(b'2')), Items::Jsonl] {
            for seed in 0..60 {
                let whole = bytes(seed, 1 + seed as usize * 7);
                let lengths = vec![1 + seed as usize % 5, 1, 13, 1 + seed as usize % 29];
                let segments = cut(rule, 1 << 20, &mut Pieces { bytes: &whole, lengths, next: 0 }).unwrap();
                let expected: Vec<_> = rule.split(&whole).map(|(at, item)| (START.after(&whole[..at]), item)).collect();
                let mut found = Vec::new();
                for segment in &segments {
                    let start = segment.place.unwrap();
                    let walked: Vec<_> = rule
                        .split(&segment.bytes)
                        .map(|(at, item)| (start.after(&segment.bytes[..at]), item))
                        .collect();
                    assert_eq!(segment.items, walked.len() as u64);
                    assert!(segment.items > 0);
                    found.extend(walked);
                }
                assert_eq!(found, expected, "{rule:?} {seed}");
            }
        }
    }

    #[test]
    fn segments_end_at_the_ends_of_items() {
        let whole: Vec<u8> = (0..600_000).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        let segments = cut(Items::Lines, 1 << 20, &mut &whole[..]).unwrap();
        assert!(segments.len() > 3);
        assert!(segments.iter().all(|segment| segment.bytes.ends_with(b"\n")));
        assert_eq!(segments.iter().map(|segment| segment.items).sum::<u64>(), 600_000);
        assert_eq!(segments.iter().flat_map(|segment| segment.bytes.to_vec()).collect::<Vec<_>>(), whole);
    }

    #[test]
    fn an_item_that_is_too_long_is_reported_with_its_line() {
        for (text, max, line) in [("a\nbcde\nf", 3, 2), ("ab\ncd\nefgh", 3, 3), ("abcd", 3, 1)] {
            let error = cut(Items::Lines, max, &mut text.as_bytes()).unwrap_err();
            assert!(matches!(error, InputError::TooLong { line: found, .. } if found == line), "{text}: {error}");
        }
        assert_eq!(cut(Items::Lines, 3, &mut &b"abc\r\nabc"[..]).unwrap().len(), 2 - 1 + 1);
    }

    /// An endless line that records how much was read and the largest buffer.
    struct Endless {
        given: usize,
        largest: usize,
    }

    impl Read for Endless {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            assert!(self.given < 1 << 30, "a line of 1 GiB was read");
            into.fill(b'x');
            self.given += into.len();
            self.largest = self.largest.max(into.len());
            Ok(into.len())
        }
    }

    #[test]
    fn an_endless_line_is_refused_in_bounded_memory() {
        let mut endless = Endless { given: 0, largest: 0 };
        let error = cut(Items::Lines, MAX_ITEM, &mut endless).unwrap_err();
        assert!(error.to_string().starts_with("f:1: an item is longer than 16777216 bytes"), "{error}");
        assert!(endless.given <= 2 * MAX_ITEM, "{}", endless.given);
        assert!(endless.largest <= 2 * MAX_ITEM);
    }

    #[test]
    fn endless_separators_are_not_an_item() {
        let spaces = io::repeat(b' ').take(50 << 20);
        let segments = cut(Items::Words, MAX_ITEM, &mut spaces.chain(&b"7"[..])).unwrap();
        assert_eq!(segments.len(), 1);
        assert_eq!(segments[0].items, 1);
    }
}
