//! Makes blocks of items, for tasks that take many items at a time. The pool
//! then receives each block as one item.
//!
//! The end of a block depends only on the items and on the block size: not on
//! the speed of a pipe, the ends of files, or the configuration. So the same
//! input always gives the same blocks, and an interrupted output can be resumed
//! after any of them.

use super::cutter::Emit;
use super::measure::longest_fit;
use super::options::InputOptions;
use super::segment::InputSegment;
use crate::error::{InputError, SkipCount};
use bytes::BytesMut;
use procession::ChunkSize;
use procession::raw::Place;
use procession_task::Items;
use std::mem::take;
use std::ops::ControlFlow;

/// The size in bytes at which a block ends, if the number of items is not
/// given.
const AUTO_BYTES: usize = 64 * 1024;

/// Makes blocks of the segments of an input.
pub(crate) struct BlockMaker {
    /// How a block is separated into items. Words become lines.
    rule: Items,
    words: bool,
    most: BlockLimit,
    /// The largest size of a block in bytes, unless it is a single item.
    max_bytes: usize,
    /// How many items to take in all.
    size: Option<u64>,
    /// How many items were taken.
    taken: u64,
    open: OpenBlock,
    end: Option<BlocksEnd>,
}

/// The size of a block.
#[derive(Clone, Copy)]
enum BlockLimit {
    Items(u64),
    Bytes(usize),
}

/// The block that is being filled.
#[derive(Default)]
struct OpenBlock {
    bytes: BytesMut,
    items: u64,
    place: Option<Place>,
}

/// Why no more items are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum BlocksEnd {
    /// As many items as wanted were taken.
    Filled,
    /// The receiver wants no more blocks.
    Unwanted,
    /// A block of so many items is longer than the limit.
    TooLong,
}

impl BlockMaker {
    /// Makes blocks of this many items. `size` is the number of items to take
    /// in all.
    pub(crate) fn new(block: ChunkSize, options: &InputOptions, size: Option<u64>) -> Self {
        let words = options.items == Items::Words;
        Self {
            rule: if words { Items::Lines } else { options.items },
            words,
            most: match block {
                ChunkSize::Fixed(items) => BlockLimit::Items(u64::from(items.get())),
                ChunkSize::Auto => BlockLimit::Bytes(AUTO_BYTES),
            },
            max_bytes: options.max_item,
            size,
            taken: 0,
            open: OpenBlock::default(),
            end: (size == Some(0)).then_some(BlocksEnd::Filled),
        }
    }

    /// Takes a segment and emits the blocks that it completes.
    pub(crate) fn push(&mut self, segment: InputSegment, emit: &mut Emit<'_>) -> ControlFlow<()> {
        let mut segment = self.ended(segment);
        while segment.items > 0 && self.end.is_none() {
            let wanted = self.size.map_or(u64::MAX, |size| size - self.taken);
            let (items, bytes) = match self.most {
                BlockLimit::Items(items) => (items - self.open.items, usize::MAX),
                BlockLimit::Bytes(bytes) => (u64::MAX, bytes.saturating_sub(self.open.bytes.len())),
            };
            let found = longest_fit(self.rule, &segment.bytes, segment.items, items.min(wanted), bytes.max(1), 0);
            if found.bytes > bytes && self.open.items > 0 {
                // The next item belongs to the next block.
                self.close(emit);
                continue;
            }
            self.open.add(segment.split_to(found));
            self.taken += found.items;
            if self.open.items > 1 && self.open.bytes.len() > self.max_bytes {
                self.end = Some(BlocksEnd::TooLong);
            } else if self.size == Some(self.taken) {
                self.end = Some(BlocksEnd::Filled);
            } else if self.is_full() {
                self.close(emit);
            }
        }
        if self.end.is_none() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// Called when the input has ended without an error. Emits the last block,
    /// which may be shorter than the others.
    ///
    /// # Errors
    /// A block is too long, or the input has too few items.
    pub(crate) fn finish(mut self, emit: &mut Emit<'_>) -> Result<(), InputError> {
        match self.end {
            Some(BlocksEnd::Unwanted) => return Ok(()),
            Some(BlocksEnd::TooLong) => {
                return Err(InputError::BlockTooLong { items: self.open.items, max: self.max_bytes });
            }
            Some(BlocksEnd::Filled) | None => {}
        }
        if self.open.items > 0 {
            self.close(emit);
        }
        match self.size.filter(|&size| self.taken < size && self.end.is_none()) {
            Some(size) => Err(InputError::TooFew { size, items: self.taken, skip: SkipCount::default() }),
            None => Ok(()),
        }
    }

    fn is_full(&self) -> bool {
        match self.most {
            BlockLimit::Items(items) => self.open.items == items,
            BlockLimit::Bytes(bytes) => self.open.bytes.len() >= bytes,
        }
    }

    fn close(&mut self, emit: &mut Emit<'_>) {
        let OpenBlock { bytes, place, .. } = take(&mut self.open);
        if emit(InputSegment { bytes, items: 1, place, continues: false }).is_break() {
            self.end = Some(BlocksEnd::Unwanted);
        }
    }

    /// The segment with a separator after its last item too; words become
    /// lines.
    fn ended(&self, mut segment: InputSegment) -> InputSegment {
        let separator = self.rule.separator();
        if !self.words {
            if segment.bytes.last() != Some(&separator) {
                segment.bytes.extend_from_slice(&[separator]);
            }
            return segment;
        }
        let mut bytes = BytesMut::with_capacity(segment.bytes.len() + 1);
        for (_, word) in Items::Words.split(&segment.bytes) {
            bytes.extend_from_slice(word);
            bytes.extend_from_slice(&[separator]);
        }
        // The place of a single word is not known after this.
        InputSegment { bytes, place: None, ..segment }
    }
}

impl OpenBlock {
    fn add(&mut self, segment: InputSegment) {
        if self.items == 0 {
            *self = Self { bytes: segment.bytes, items: segment.items, place: segment.place };
        } else {
            self.bytes.extend_from_slice(&segment.bytes);
            self.items += segment.items;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZero;

    fn options(items: Items) -> InputOptions {
        InputOptions { max_item: 1 << 20, ..InputOptions::new(items) }
    }

    fn fixed(items: u32) -> ChunkSize {
        ChunkSize::Fixed(NonZero::new(items).unwrap())
    }

    /// The blocks of an input that arrives in these pieces.
    fn blocks(mut blocks: BlockMaker, rule: Items, pieces: &[&[u8]]) -> (Vec<Vec<u8>>, Result<(), InputError>) {
        let mut made = Vec::new();
        let mut emit = |segment: InputSegment| {
            assert_eq!(segment.items, 1);
            made.push(segment.bytes.to_vec());
            ControlFlow::Continue(())
        };
        for piece in pieces {
            let segment =
                InputSegment { bytes: BytesMut::from(*piece), items: rule.count(piece), place: None, continues: false };
            if segment.items > 0 && blocks.push(segment, &mut emit).is_break() {
                break;
            }
        }
        let ended = blocks.finish(&mut emit);
        (made, ended)
    }

    /// Cuts a text into pieces of about this many bytes, each of whole lines.
    fn pieces(text: &[u8], bytes: usize) -> Vec<&[u8]> {
        let mut rest = text;
        std::iter::from_fn(|| {
            let end = rest.iter().skip(bytes).position(|&b| b == b'\n').map_or(rest.len(), |at| bytes + at + 1);
            let (piece, more) = rest.split_at(end);
            rest = more;
            (!piece.is_empty()).then_some(piece)
        })
        .collect()
    }

    #[test]
    fn a_block_has_the_given_number_of_lines_and_the_last_one_the_rest() {
        let (made, ended) =
            blocks(BlockMaker::new(fixed(2), &options(Items::Lines), None), Items::Lines, &[b"a\n\nb", b"c"]);
        assert!(ended.is_ok());
        assert_eq!(made, [&b"a\n\n"[..], b"b\nc\n"]);
        let (made, _) = blocks(BlockMaker::new(fixed(3), &options(Items::Nul), None), Items::Nul, &[b"a\0\0b\0c"]);
        assert_eq!(made, [&b"a\0\0b\0"[..], b"c\0"]);
        let (made, _) =
            blocks(BlockMaker::new(fixed(2), &options(Items::Words), None), Items::Words, &[b" a, b", b"c\r\n"]);
        assert_eq!(made, [&b"a\nb\n"[..], b"c\n"], "words are lines to a program");
    }

    #[test]
    fn blocks_do_not_depend_on_how_the_input_arrives() {
        let line = |n: usize| format!("{n}{}\n", "x".repeat(n * 7919 % 3000));
        let text: String = (0..400).map(line).chain(["y".repeat(100_000) + "\n", line(9), line(1)]).collect();
        for block in [ChunkSize::Auto, fixed(7), fixed(1), fixed(1000)] {
            let make = |bytes: usize| {
                let (made, ended) = blocks(
                    BlockMaker::new(block, &InputOptions::new(Items::Lines), None),
                    Items::Lines,
                    &pieces(text.as_bytes(), bytes),
                );
                ended.unwrap();
                made
            };
            let expected = make(usize::MAX / 2);
            assert_eq!(expected.concat(), text.as_bytes());
            for bytes in [0, 1, 100, 4096, 70_000] {
                assert!(make(bytes) == expected, "{block:?} in pieces of {bytes}");
            }
            let without_end = &text.as_bytes()[..text.len() - 1];
            let (made, _) =
                blocks(BlockMaker::new(block, &InputOptions::new(Items::Lines), None), Items::Lines, &[without_end]);
            assert!(made == expected, "{block:?} without a last line feed");
            if block == ChunkSize::Auto {
                assert!(expected.iter().all(|made| made.len() <= AUTO_BYTES || made.len() == 100_001));
                // No block could take one more line.
                for pair in expected.windows(2) {
                    let next = pair[1].iter().position(|&b| b == b'\n').unwrap() + 1;
                    assert!(pair[0].len() + next > AUTO_BYTES);
                }
            }
        }
    }

    #[test]
    fn a_size_counts_lines() {
        let text: &[&[u8]] = &[b"a\nb\nc\n", b"d\ne\n"];
        let sized = |size| blocks(BlockMaker::new(fixed(2), &options(Items::Lines), Some(size)), Items::Lines, text);
        assert_eq!(sized(3).0, [&b"a\nb\n"[..], b"c\n"]);
        assert_eq!(sized(4).0, [&b"a\nb\n"[..], b"c\nd\n"]);
        assert!(sized(0).0.is_empty() && sized(0).1.is_ok());
        assert!(matches!(sized(6).1, Err(InputError::TooFew { size: 6, items: 5, .. })));
    }

    #[test]
    fn a_block_that_is_too_long_is_refused() {
        let small = InputOptions { max_item: 10, ..options(Items::Lines) };
        let (made, ended) = blocks(BlockMaker::new(fixed(3), &small, None), Items::Lines, &[b"1234\n1234\n1234\n"]);
        assert!(made.is_empty());
        let text = ended.unwrap_err().to_string();
        assert!(text.contains("--chunk"), "{text}");
    }

    #[test]
    fn no_block_is_emitted_after_a_break() {
        let mut blocks = BlockMaker::new(fixed(1), &options(Items::Lines), Some(9));
        let segment = InputSegment { bytes: BytesMut::from("a\nb\n"), items: 2, place: None, continues: false };
        let mut count = 0;
        let mut emit = |_| {
            count += 1;
            ControlFlow::Break(())
        };
        assert!(blocks.push(segment, &mut emit).is_break());
        assert!(blocks.finish(&mut emit).is_ok());
        assert_eq!(count, 1);
    }
}
