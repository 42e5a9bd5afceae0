//! The hash of the input consumed so far. It covers the items, not the pieces
//! in which they were read: how the stream was read, how blocks were cut, and
//! whether the last line ended with a line feed make no difference.

use procession_task::Items;
use xxhash_rust::xxh3::Xxh3;

/// Words are normalised in pieces of this many bytes.
const PIECE: usize = 16 * 1024;

/// XXH3-128 over the items, each followed by the separator of its rule. Between
/// words any run of separators counts as one; lines and NUL-ended items count
/// as they are. The hash is not cryptographic: it finds accidental changes, not
/// forgeries.
#[derive(Clone)]
pub(crate) struct InputHash {
    rule: Items,
    state: Box<Xxh3>,
}

impl InputHash {
    pub(crate) fn new(rule: Items) -> Self {
        Self { rule, state: Box::new(Xxh3::new()) }
    }

    /// Adds the next `items` items: whole ones, as in a block or a part of it.
    pub(crate) fn update(&mut self, bytes: &[u8], items: u64) {
        if self.rule == Items::Words {
            return self.update_words(bytes, items);
        }
        if self.rule.are_records() {
            // Blank lines between records, and how lines end, make no difference.
            for (_, record) in self.rule.split(bytes) {
                self.state.update(record);
                self.state.update(b"\n");
            }
            return;
        }
        self.state.update(bytes);
        let separator = self.rule.separator();
        if bytes.last().is_some_and(|&last| last != separator) {
            // The end of the input replaces the separator. A carriage return
            // there belongs to the item; before a line feed it would not.
            if self.rule == Items::Lines && bytes.ends_with(b"\r") {
                self.state.update(b"\0");
            }
            self.state.update(&[separator]);
        }
    }

    /// Hashes each run of separators as one line feed, none before the first
    /// word and one after the last.
    fn update_words(&mut self, bytes: &[u8], items: u64) {
        let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return };
        let is_open = !is_word_separator(last);
        let separators = bytes.chunks(128).map(separators).sum::<u64>();
        let is_single = !is_word_separator(first) && separators + u64::from(is_open) == items;
        if is_single && memchr::memchr_iter(b'\n', bytes).count() as u64 == separators {
            self.state.update(bytes);
        } else if is_single {
            self.update_single(bytes);
        } else {
            self.update_runs(bytes);
        }
        if is_open {
            self.state.update(b"\n");
        }
    }

    /// Words with exactly one separator between them: hashed at memory speed.
    fn update_single(&mut self, bytes: &[u8]) {
        let mut plain = [0; PIECE];
        for piece in bytes.chunks(PIECE) {
            for (plain, &byte) in plain.iter_mut().zip(piece) {
                *plain = if is_word_separator(byte) { b'\n' } else { byte };
            }
            self.state.update(&plain[..piece.len()]);
        }
    }

    /// Words with runs of separators: hashed byte by byte.
    fn update_runs(&mut self, bytes: &[u8]) {
        let mut plain = [0; PIECE];
        let mut after_separator = true;
        for piece in bytes.chunks(PIECE) {
            let mut length = 0;
            for &byte in piece {
                let is_separator = is_word_separator(byte);
                // Written in any case, then kept or overwritten: no branches.
                plain[length] = if is_separator { b'\n' } else { byte };
                length += usize::from(!(is_separator & after_separator));
                after_separator = is_separator;
            }
            self.state.update(&plain[..length]);
        }
    }

    pub(crate) fn digest(&self) -> u128 {
        self.state.digest128()
    }
}

/// How many separators are in at most 255 bytes. The sum is one byte wide, so
/// that the compiler can vectorise the loop.
fn separators(bytes: &[u8]) -> u64 {
    u64::from(bytes.iter().map(|&byte| u8::from(is_word_separator(byte))).fold(0, u8::wrapping_add))
}

/// The same rule as `Items::Words`, without short-circuit evaluation.
#[inline]
fn is_word_separator(byte: u8) -> bool {
    (byte == b' ') | (byte == b',') | (byte.wrapping_sub(b'\t') < 5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(rule: Items, pieces: &[&str]) -> u128 {
        let mut hash = InputHash::new(rule);
        for piece in pieces {
            hash.update(piece.as_bytes(), rule.count(piece.as_bytes()));
        }
        hash.digest()
    }

    #[test]
    fn separators_and_pieces_do_not_change_the_hash_of_words() {
        let expected = hash(Items::Words, &["2\n30\n5\n"]);
        for pieces in [
            &["2 30,5"][..],
            &["  2 ,\r\n30", "5"],
            &["2 ", " 30\n\n", "5\n"],
            &["2\n", "30\n5\n"],
            &["2\n", "30\n", "5"],
        ] {
            assert_eq!(hash(Items::Words, pieces), expected, "{pieces:?}");
        }
        for other in [&["2\n3\n05\n"][..], &["23\n0\n5\n"], &["2\n30\n"], &["2\n30\n5\n5\n"], &["230\n5\n"]] {
            assert_ne!(hash(Items::Words, other), expected, "{other:?}");
        }
    }

    #[test]
    fn word_separators_match_the_items_rule() {
        for byte in 0..=255 {
            assert_eq!(is_word_separator(byte), Items::Words.is_separator(byte), "{byte}");
        }
    }

    #[test]
    fn large_blocks_hash_like_their_words() {
        let words: Vec<_> = (0..20_000).map(|n: u32| n.pow(2).to_string()).collect();
        let plain = words.join("\n");
        for between in [" ", ",\n", "   ", "\r\n"] {
            assert_eq!(hash(Items::Words, &[&words.join(between)]), hash(Items::Words, &[&plain]), "{between:?}");
        }
    }

    #[test]
    fn blank_lines_between_records_do_not_change_the_hash() {
        let csv = Items::Csv(None);
        assert_eq!(hash(csv, &["a,\"b\n\"\nc\n"]), hash(csv, &["a,\"b\n\"\r\n\n", "\n\nc"]));
        assert_ne!(hash(csv, &["a\nb\n"]), hash(csv, &["a\n\"b\"\n"]));
        assert_eq!(hash(Items::Jsonl, &["1\n\n2\n"]), hash(Items::Jsonl, &["1\n", "2"]));
    }

    #[test]
    fn a_missing_last_line_feed_does_not_change_the_hash() {
        assert_eq!(hash(Items::Lines, &["a\nb"]), hash(Items::Lines, &["a\n", "b\n"]));
        assert_eq!(hash(Items::Nul, &["a\0b"]), hash(Items::Nul, &["a\0", "b\0"]));
        assert_ne!(hash(Items::Lines, &["a\nb\n"]), hash(Items::Lines, &["a\nb\n\n"]));
        assert_ne!(hash(Items::Lines, &["a\r"]), hash(Items::Lines, &["a\r\n"]), "the item is another");
    }
}
