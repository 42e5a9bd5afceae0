//! The end of a file of numbers that has a title: a last line of words (`end.`)
//! is no number and no mistake. It is held back until the stream has ended, and
//! left out then.

use super::heading::{is_of_words, shown};
use crate::input::held_bytes::{ReadyBytes, read_more};
use procession_task::Items;
use std::io::{self, Read};

/// The longest end that is held back, in bytes.
const LONGEST: usize = 4 * 1024;
/// How many bytes are read at once while something is held back.
const PIECE: usize = 64 * 1024;

/// Reads all but a last line of words.
pub(crate) struct EndLineReader<'r> {
    inner: &'r mut dyn Read,
    is_wanted: bool,
    /// Whether something that is not blank was given of the last line.
    has_data: bool,
    /// The last line, if it is one of words, and blank ones behind it.
    held: Vec<u8>,
    /// Bytes that were held back in vain.
    ready: ReadyBytes,
    skipped: Option<String>,
}

impl<'r> EndLineReader<'r> {
    /// Leaves out a last line of words if `is_wanted`.
    pub(crate) fn new(inner: &'r mut dyn Read, is_wanted: bool) -> Self {
        Self { inner, is_wanted, has_data: false, held: Vec::new(), ready: ReadyBytes::default(), skipped: None }
    }

    /// The line that was left out, safe for a terminal.
    pub(crate) fn skipped(self) -> Option<String> {
        self.skipped
    }

    /// How many of these bytes come before a last line of words.
    fn before_end_line(&self, bytes: &[u8]) -> usize {
        let Some(last) = bytes.iter().rposition(|byte| !byte.is_ascii_whitespace()) else { return bytes.len() };
        let start = memchr::memrchr(b'\n', &bytes[..last]).map_or(0, |at| at + 1);
        let is_begun = start == 0 && self.has_data;
        let is_complete = memchr::memchr(b'\n', &bytes[last..]).is_some();
        let may_end = |line: &[u8]| !has_number(line) && (!is_complete || is_of_words(line));
        let is_held = !is_begun && bytes.len() - start <= LONGEST && may_end(&bytes[start..=last]);
        if is_held { start } else { bytes.len() }
    }

    fn note_given(&mut self, bytes: &[u8]) {
        let line = memchr::memrchr(b'\n', bytes);
        let rest = line.map_or(bytes, |at| &bytes[at + 1..]);
        self.has_data = (line.is_none() && self.has_data) || rest.iter().any(|byte| !byte.is_ascii_whitespace());
    }
}

/// Whether a word of the line begins as a number.
fn has_number(line: &[u8]) -> bool {
    Items::Words.split(line).any(|(_, word)| word[0].is_ascii_digit() || matches!(word[0], b'+' | b'-' | b'.'))
}

impl Read for EndLineReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.ready.is_empty() {
                return Ok(self.ready.give(into));
            }
            if !self.is_wanted || into.is_empty() {
                return self.inner.read(into);
            }
            if self.held.is_empty() {
                let read = self.inner.read(into)?;
                let end = self.before_end_line(&into[..read]);
                self.held.extend_from_slice(&into[end..read]);
                self.note_given(&into[..end]);
                if end > 0 || read == 0 {
                    return Ok(end);
                }
                continue;
            }
            if read_more(self.inner, &mut self.held, PIECE)? == 0 {
                let held = std::mem::take(&mut self.held);
                if is_of_words(&held) {
                    self.skipped = Some(shown(&held));
                } else {
                    self.ready = held.into();
                }
                self.is_wanted = false;
                continue;
            }
            let end = self.before_end_line(&self.held);
            let rest = self.held.split_off(end);
            let given = std::mem::replace(&mut self.held, rest);
            self.note_given(&given);
            self.ready = given.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::held_bytes::Pieces;

    fn read(text: &str, piece: usize) -> (String, Option<String>) {
        let (mut all, mut pieces) = (String::new(), Pieces(text.as_bytes(), piece));
        let mut reader = EndLineReader::new(&mut pieces, true);
        reader.read_to_string(&mut all).unwrap();
        (all, reader.skipped())
    }

    #[test]
    fn a_last_line_of_words_is_left_out() {
        let long = "word ".repeat(10_000);
        for (text, rest, skipped) in [
            ("2\n3\nend.", "2\n3\n", Some("end.")),
            ("2 3\r\n  end of it\r\n \r\n", "2 3\r\n", Some("end of it")),
            ("2\n</pre></body></html>\n", "2\n", Some("</pre></body></html>")),
            ("2\nend.\n3\n", "2\nend.\n3\n", None),
            ("2\nthe\nend\n", "2\nthe\n", Some("end")),
            ("2\n3 end\n", "2\n3 end\n", None),
            ("2\n 3x", "2\n 3x", None),
            ("2 x\n", "2 x\n", None),
            ("2\n(", "2\n(", None),
            ("2\n-x", "2\n-x", None),
            (&long, &long, None),
        ] {
            for piece in [1, 2, 5, 100_000].into_iter().filter(|piece| text.len() / piece < 2000) {
                let (all, end) = read(text, piece);
                let found = (all.trim_end(), end.as_deref());
                assert_eq!(found, (rest.trim_end(), skipped), "{text:?} in pieces of {piece}");
            }
        }
    }
}
