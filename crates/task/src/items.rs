//! How a block of bytes is cut into items. The coordinator uses the rule to measure
//! blocks (at memory speed, without looking at items), the worker to iterate over
//! the items.

use crate::table::record_end;
use serde::{Deserialize, Serialize};

/// How the input is cut into items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Items {
    /// At white space and commas. There are no empty items.
    Words,
    /// At line feeds. A carriage return before a line feed belongs to the separator. An
    /// empty line is an item.
    Lines,
    /// At NUL bytes. There are empty items.
    Nul,
    /// Not at all: a block is one item.
    Whole,
    /// Each item follows its length (four bytes, little-endian): for binary items.
    Framed,
    /// At the ends of records of comma-separated values (RFC 4180), which may have line
    /// feeds in quotes. The byte separates their fields; if it is not known, a quote
    /// behind any usual one opens a field. Blank lines are no items.
    Csv(Option<u8>),
    /// At line feeds: a JSON value a line. Blank lines are no items.
    Jsonl,
}

/// The size of the length before a framed item or record, in bytes.
pub const FRAME_BYTES: usize = 4;

/// The result of [`Items::measure`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The number of items.
    pub items: u64,
    /// The number of bytes, including separators.
    pub bytes: usize,
}

/// Ranges up to this size, in bytes, are searched byte by byte; in larger ones the
/// items are counted first.
const WALK_BYTES: usize = 256;

impl Items {
    /// Whether this byte ends an item.
    #[must_use]
    pub fn is_separator(self, byte: u8) -> bool {
        match self {
            Self::Words => is_word_separator(byte),
            Self::Lines | Self::Jsonl => byte == b'\n',
            Self::Nul => byte == 0,
            Self::Whole | Self::Framed | Self::Csv(_) => false,
        }
    }

    /// The separator to write between items.
    #[must_use]
    pub fn separator(self) -> u8 {
        match self {
            Self::Words | Self::Lines | Self::Whole | Self::Framed | Self::Csv(_) | Self::Jsonl => b'\n',
            Self::Nul => 0,
        }
    }

    /// The number of items in this block. The last item needs no separator after it.
    #[must_use]
    pub fn count(self, block: &[u8]) -> u64 {
        if self.is_walked() {
            return self.split(block).count() as u64;
        }
        let ends = self.count_ends(block, 0, block.len());
        let open = block.last().is_some_and(|&last| !self.is_separator(last));
        ends + u64::from(open)
    }

    /// The longest prefix of `block` with at most `max_items` items: the number of its
    /// items and bytes. A separator belongs to the item before it. If the block has no
    /// more items than that, the prefix is the whole block.
    ///
    /// Reads little more of the block than the prefix.
    #[must_use]
    pub fn measure(self, block: &[u8], max_items: u64) -> Measure {
        if max_items == 0 {
            return Measure { items: 0, bytes: 0 };
        }
        if self.is_walked() {
            return self.measure_by_walking(block, max_items, usize::MAX);
        }
        let mut left = max_items;
        let mut from = 0;
        let mut window = usize::try_from(max_items).map_or(block.len(), |n| n.saturating_mul(8)).max(WALK_BYTES);
        while from < block.len() {
            let to = from.saturating_add(window).min(block.len());
            let ends = self.count_ends(block, from, to);
            if ends >= left {
                let bytes = self.nth_end(block, from, to, left);
                // If no item follows, the prefix is the whole block.
                let rest = &block[bytes..];
                let is_last = rest.iter().all(|&b| self == Self::Words && is_word_separator(b));
                return Measure { items: max_items, bytes: if is_last { block.len() } else { bytes } };
            }
            left -= ends;
            from = to;
            window *= 2;
        }
        let open = block.last().is_some_and(|&last| !self.is_separator(last));
        Measure { items: max_items - left + u64::from(open), bytes: block.len() }
    }

    /// Whether items are the records of a table.
    #[must_use]
    pub fn are_records(self) -> bool {
        matches!(self, Self::Csv(_) | Self::Jsonl)
    }

    /// Whether the ends of items are not told by single bytes.
    fn is_walked(self) -> bool {
        matches!(self, Self::Whole | Self::Framed) || self.are_records()
    }

    /// Like [`Self::measure`], for rules whose items must be walked, and with at most
    /// `max_bytes` bytes; a first item larger than that is taken alone.
    #[must_use]
    pub fn measure_by_walking(self, block: &[u8], max_items: u64, max_bytes: usize) -> Measure {
        let (mut at, mut items, mut end) = (0, 0, 0);
        while items < max_items && self.next_item(block, &mut at).is_some() && (at <= max_bytes || items == 0) {
            (items, end) = (items + 1, at);
        }
        // Blank lines behind the last record belong to it.
        if self.are_records() && skip_blank_lines(block, end) == block.len() {
            end = block.len();
        }
        Measure { items, bytes: end }
    }

    /// Iterates over the items of a block, with each item's position. An incomplete
    /// item at the end of a framed block is left out.
    pub fn split(self, block: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
        let mut at = 0;
        std::iter::from_fn(move || self.next_item(block, &mut at))
    }

    #[inline]
    fn next_item<'a>(self, block: &'a [u8], at: &mut usize) -> Option<(usize, &'a [u8])> {
        if self == Self::Words {
            while *at < block.len() && is_word_separator(block[*at]) {
                *at += 1;
            }
        } else if self.are_records() {
            *at = skip_blank_lines(block, *at);
        }
        if *at >= block.len() {
            return None;
        }
        let start = *at;
        let rest = &block[start..];
        let length = match self {
            Self::Whole => None,
            Self::Framed => {
                let (head, rest) = rest.split_first_chunk::<FRAME_BYTES>()?;
                let item = rest.get(..u32::from_le_bytes(*head) as usize)?;
                *at = start + FRAME_BYTES + item.len();
                return Some((start + FRAME_BYTES, item));
            }
            Self::Words => word_length(rest),
            Self::Lines | Self::Jsonl => memchr::memchr(b'\n', rest),
            Self::Nul => memchr::memchr(0, rest),
            Self::Csv(delimiter) => record_end(rest, delimiter).map(|end| end - 1),
        };
        *at = start + length.map_or(rest.len(), |l| l + 1);
        let mut item = &rest[..length.unwrap_or(rest.len())];
        if (self == Self::Lines || self.are_records()) && length.is_some() && item.last() == Some(&b'\r') {
            item = &item[..item.len() - 1];
        }
        Some((start, item))
    }

    /// Counts the separators in `from..to` that end an item.
    fn count_ends(self, block: &[u8], from: usize, to: usize) -> u64 {
        match self {
            // The byte before the range decides whether its first byte ends a word.
            Self::Words => count_word_ends(&block[from.saturating_sub(1)..to]),
            Self::Lines => memchr::memchr_iter(b'\n', &block[from..to]).count() as u64,
            Self::Nul => memchr::memchr_iter(0, &block[from..to]).count() as u64,
            Self::Whole | Self::Framed | Self::Csv(_) | Self::Jsonl => 0,
        }
    }

    /// The position after the `n`-th separator in `from..to` that ends an item; there
    /// are at least that many. It halves the range by counting, so the cost is a few
    /// passes at memory speed instead of one step for each item.
    fn nth_end(self, block: &[u8], mut from: usize, mut to: usize, mut n: u64) -> usize {
        while to - from > WALK_BYTES {
            let middle = from + (to - from) / 2;
            let ends = self.count_ends(block, from, middle);
            if ends < n {
                n -= ends;
                from = middle;
            } else {
                to = middle;
            }
        }
        for at in from..to {
            let ends_item = match self {
                Self::Words => at > 0 && is_word_end(block[at - 1], block[at]),
                _ => self.is_separator(block[at]),
            };
            n -= u64::from(ends_item);
            if n == 0 {
                return at + usize::from(ends_item);
            }
        }
        to
    }
}

/// The position of the first line that is not blank, from the beginning of a line.
fn skip_blank_lines(bytes: &[u8], mut at: usize) -> usize {
    loop {
        at += match &bytes[at..] {
            [b'\n', ..] => 1,
            [b'\r', b'\n', ..] => 2,
            _ => return at,
        };
    }
}

/// The length of the first word if a separator ends it; checks eight bytes at a
/// time.
#[inline]
fn word_length(bytes: &[u8]) -> Option<usize> {
    let (runs, rest) = bytes.as_chunks::<8>();
    for (at, run) in runs.iter().enumerate() {
        let found = separators(u64::from_le_bytes(*run));
        if found != 0 {
            return Some(at * 8 + found.trailing_zeros() as usize / 8);
        }
    }
    rest.iter().position(|&byte| is_word_separator(byte)).map(|at| runs.len() * 8 + at)
}

/// The high bits of those of eight bytes that are separators. The result is exact
/// up to the lowest separator, which is the only one needed.
#[inline]
fn separators(bytes: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGHS: u64 = ONES << 7;
    // The high bit of a zero byte is set here, and none below the lowest zero byte.
    let zeros = |bytes: u64| bytes.wrapping_sub(ONES) & !bytes & HIGHS;
    // Tab to carriage return: seven-bit values of at least 9 and below 14.
    let low = bytes & !HIGHS;
    let controls = (low + ONES * (0x80 - 9)) & !(low + ONES * (0x80 - 14)) & !bytes & HIGHS;
    zeros(bytes ^ (ONES * u64::from(b' '))) | zeros(bytes ^ (ONES * u64::from(b','))) | controls
}

#[inline]
fn is_word_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0b | 0x0c | b',')
}

/// Counts the separators that follow a byte which is not a separator. Written
/// without branches and with short runs of byte-wide sums, so that the compiler
/// generates vector code.
fn count_word_ends(block: &[u8]) -> u64 {
    const RUN: usize = 128;
    let mut total = 0u64;
    let Some((&first, _)) = block.split_first() else { return 0 };
    let mut before = first;
    let rest = &block[1..];
    let mut chunks = rest.chunks_exact(RUN);
    let mut offset = 0;
    for run in &mut chunks {
        let previous = &block[offset..offset + RUN];
        let ends = run.iter().zip(previous).map(|(&b, &a)| u8::from(is_word_end(a, b))).fold(0u8, u8::wrapping_add);
        total += u64::from(ends);
        offset += RUN;
        before = run[RUN - 1];
    }
    for &byte in chunks.remainder() {
        total += u64::from(is_word_end(before, byte));
        before = byte;
    }
    total
}

#[inline]
fn is_word_end(before: u8, byte: u8) -> bool {
    separator_bit(byte) & !separator_bit(before)
}

/// The same as [`is_word_separator`], without short-circuits.
#[inline]
fn separator_bit(byte: u8) -> bool {
    (byte == b' ') | (byte.wrapping_sub(b'\t') < 5) | (byte == b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_end_at_every_separator_at_every_position() {
        for byte in 0..=u8::MAX {
            for before in 0..20 {
                for after in 0..10 {
                    let mut text = vec![b'7'; before];
                    text.push(byte);
                    text.extend(std::iter::repeat_n(0xff, after));
                    let expected = text.iter().position(|&b| is_word_separator(b));
                    assert_eq!(word_length(&text), expected, "{text:?}");
                }
            }
        }
    }

    #[test]
    fn a_whole_block_is_one_item() {
        let found: Vec<_> = Items::Whole.split(b"a\nb\0 c").collect();
        assert_eq!(found, [(0, &b"a\nb\0 c"[..])]);
        assert_eq!(Items::Whole.count(b"a\nb"), 1);
        assert_eq!(Items::Whole.measure(b"a\nb", 5), Measure { items: 1, bytes: 3 });
    }

    #[test]
    fn framed_items_follow_their_length_and_an_incomplete_one_is_left_out() {
        let block = [&3u32.to_le_bytes()[..], b"abc", &0u32.to_le_bytes(), &2u32.to_le_bytes(), b"de"].concat();
        let found: Vec<_> = Items::Framed.split(&block).collect();
        assert_eq!(found, [(4, &b"abc"[..]), (11, b""), (15, b"de")]);
        assert_eq!(Items::Framed.measure(&block, 2), Measure { items: 2, bytes: 11 });
        for end in 12..block.len() {
            assert_eq!(Items::Framed.count(&block[..end]), 2, "{end}");
        }
        assert_eq!(Items::Framed.count(&[0xff; 9]), 0);
    }

    fn items(rule: Items, block: &str) -> Vec<String> {
        rule.split(block.as_bytes()).map(|(_, item)| String::from_utf8(item.to_vec()).unwrap()).collect()
    }

    #[test]
    fn words_are_cut_at_white_space_and_commas() {
        assert_eq!(items(Items::Words, "  2,3 ,5\r\n\t7\n"), ["2", "3", "5", "7"]);
        assert_eq!(items(Items::Words, " , \n"), [""; 0]);
    }

    #[test]
    fn lines_keep_empty_ones_and_drop_carriage_returns_before_the_end() {
        assert_eq!(items(Items::Lines, "a\r\n\nb\rc\nd"), ["a", "", "b\rc", "d"]);
        assert_eq!(items(Items::Nul, "a\n\0\0b"), ["a\n", "", "b"]);
    }

    #[test]
    fn separator_rules_agree() {
        for byte in 0..=255 {
            assert_eq!(separator_bit(byte), is_word_separator(byte), "{byte}");
        }
    }

    #[test]
    fn records_may_have_line_feeds_in_quotes_and_blank_lines_are_none() {
        let text = "a,\"b\nc\"\r\n\n\r\nd\n\"e\"\"\n\"\n\n";
        assert_eq!(items(Items::Csv(None), text), ["a,\"b\nc\"", "d", "\"e\"\"\n\""]);
        assert_eq!(items(Items::Jsonl, "1\n\n[\"\n"), ["1", "[\""]);
        let whole = Items::Csv(None).measure(text.as_bytes(), 3);
        assert_eq!(whole, Measure { items: 3, bytes: text.len() });
        assert_eq!(Items::Csv(None).measure(text.as_bytes(), 1), Measure { items: 1, bytes: 9 });
        assert_eq!(Items::Csv(None).count(b"\n\r\n"), 0);
        assert_eq!(Items::Csv(Some(b'|')).count(b"a|\"\n\"\nb,\"\n"), 2);
    }

    /// Blocks with runs of separators and words of odd lengths, from a fixed
    /// pseudo-random sequence.
    fn block(seed: u64, length: usize) -> Vec<u8> {
        let mut state = seed;
        (0..length)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                b"12 ,\n\r\t\x003a\"\n"[(state >> 33) as usize % 12]
            })
            .collect()
    }

    #[test]
    fn measuring_agrees_with_splitting() {
        for rule in [Items::Words, Items::Lines, Items::Nul, Items::Csv(None), Items::Jsonl] {
            for length in [0, 1, 2, 127, 128, 129, 255, 257, 1000, 5000] {
                let block = block(length as u64 + 1, length);
                let walked: Vec<_> = rule.split(&block).collect();
                assert_eq!(rule.count(&block), walked.len() as u64, "{rule:?} {length}");
                for n in [1, 2, 3, 10, 100, walked.len() as u64 / 2, walked.len() as u64] {
                    let found = rule.measure(&block, n);
                    let expected = n.min(walked.len() as u64);
                    assert_eq!(found.items, expected, "{rule:?} {length} {n}");
                    let again: Vec<_> = rule.split(&block[..found.bytes]).collect();
                    assert_eq!(again, walked[..expected as usize], "{rule:?} {length} {n}");
                }
            }
        }
    }
}
