//! Makes plain words of numbers as people write them. A remark becomes blanks,
//! and so do quotes around a number and the brackets of a list; a quoted number
//! loses the commas between its thousands. Every byte stays on its line and in
//! its column, but for the digits behind such a comma.
//!
//! Bytes without any of these marks are passed on as they are, after a search at
//! memory speed.

use super::fields::{is_decimal, is_grouped};
use super::judge::{Suspicion, zero_group};
use crate::input::held_bytes::{ReadyBytes, read_more};
use std::io::{self, Read};

/// How many bytes are read at once.
const PIECE: usize = 64 * 1024;
/// The longest quoted number, in bytes.
const LONGEST_QUOTED: usize = 64;

/// Reads numbers as plain words.
pub(crate) struct NumberReader<'r> {
    inner: &'r mut dyn Read,
    /// Whether the numbers are a list in brackets.
    has_brackets: bool,
    /// Whether the last byte was in a remark.
    in_remark: bool,
    /// The last byte that was passed on.
    last: u8,
    /// Bytes that were read; those behind them decide what they are.
    held: Vec<u8>,
    /// Plain words.
    ready: ReadyBytes,
}

impl<'r> NumberReader<'r> {
    /// Numbers, perhaps a list in brackets.
    pub(crate) fn new(inner: &'r mut dyn Read, has_brackets: bool) -> Self {
        Self { inner, has_brackets, in_remark: false, last: b'\n', held: Vec::new(), ready: ReadyBytes::default() }
    }

    /// Whether no byte of these has to be changed.
    fn is_plain(&self, bytes: &[u8]) -> bool {
        !self.in_remark && self.next_mark(bytes).is_none()
    }

    fn next_mark(&self, bytes: &[u8]) -> Option<usize> {
        let mark = memchr::memchr3(b'#', b'"', b'\'', bytes);
        let bracket =
            if self.has_brackets { memchr::memchr2(b'[', b']', &bytes[..mark.unwrap_or(bytes.len())]) } else { None };
        bracket.or(mark)
    }

    /// Makes plain words of what is held, as far as it is known what it is.
    fn clean(&mut self, is_end: bool) {
        self.ready = Vec::with_capacity(self.held.len()).into();
        let held = std::mem::take(&mut self.held);
        let mut at = 0;
        while at < held.len() {
            if self.in_remark {
                at += self.pass_remark(&held[at..]);
                continue;
            }
            let Some(mark) = self.next_mark(&held[at..]) else { break };
            self.push(&held[at..at + mark]);
            at += mark;
            let Some(taken) = self.take_mark(&held[at..], is_end) else {
                self.held = held[at..].to_vec();
                return;
            };
            at += taken;
        }
        self.push(&held[at..]);
    }

    fn push(&mut self, bytes: &[u8]) {
        self.ready.bytes.extend_from_slice(bytes);
        self.last = bytes.last().copied().unwrap_or(self.last);
    }

    fn push_blanks(&mut self, count: usize) {
        self.ready.bytes.resize(self.ready.bytes.len() + count, b' ');
        self.last = b' ';
    }

    /// Replaces a remark up to the end of its line.
    fn pass_remark(&mut self, bytes: &[u8]) -> usize {
        let end = memchr::memchr(b'\n', bytes);
        self.in_remark = end.is_none();
        let length = end.unwrap_or(bytes.len());
        self.push_blanks(length);
        length
    }

    /// Handles the mark that these bytes begin with; returns how many bytes were
    /// taken, or nothing if more are needed.
    fn take_mark(&mut self, bytes: &[u8], is_end: bool) -> Option<usize> {
        match bytes[0] {
            b'#' => {
                self.in_remark = true;
                return Some(0);
            }
            b'[' | b']' => return self.take_bracket(bytes, is_end),
            _ => {}
        }
        let window = &bytes[1..bytes.len().min(LONGEST_QUOTED + 2)];
        let is_whole = is_end || bytes.len() >= LONGEST_QUOTED + 2;
        let end = window.iter().position(|&byte| byte == bytes[0] || byte == b'\n');
        let next = end.and_then(|end| bytes.get(end + 2)).copied().or(is_end.then_some(b'\n'));
        let quoted = match (end, next) {
            (Some(end), Some(next)) => Some(&window[..end]).filter(|_| window[end] == bytes[0] && is_boundary(next)),
            (Some(end), None) if window[end] != b'\n' => return None,
            (None, _) if !is_whole => return None,
            _ => None,
        };
        let is_number = |text: &&[u8]| is_decimal(text.trim_ascii()) || is_grouped(text.trim_ascii(), b',');
        match quoted.filter(is_number).filter(|_| is_boundary(self.last)) {
            Some(text) => {
                self.push_blanks(1);
                let digits: Vec<u8> = text.iter().copied().filter(|&byte| byte != b',').collect();
                self.push(&digits);
                self.push_blanks(text.len() - digits.len() + 1);
                Some(text.len() + 2)
            }
            None => {
                self.push(&bytes[..1]);
                Some(1)
            }
        }
    }

    /// A bracket at the beginning or the end of a list.
    fn take_bracket(&mut self, bytes: &[u8], is_end: bool) -> Option<usize> {
        let next = bytes.get(1).copied().or(is_end.then_some(b'\n'))?;
        let is_outer = match bytes[0] {
            b'[' => is_boundary(self.last) && self.last != b'[' && next != b'[',
            _ => self.last != b']' && (is_boundary(next) && next != b']'),
        };
        if is_outer {
            self.push_blanks(1);
        } else {
            self.push(&bytes[..1]);
        }
        Some(1)
    }
}

/// Whether a number can begin behind this byte, or end before it.
fn is_boundary(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']' | b'#' | 0x0b)
}

impl Read for NumberReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.ready.is_empty() {
                return Ok(self.ready.give(into));
            }
            if into.is_empty() {
                return Ok(0);
            }
            let before = self.held.len();
            let read = if before == 0 {
                let read = self.inner.read(into)?;
                if self.is_plain(&into[..read]) {
                    self.last = into[..read].last().copied().unwrap_or(self.last);
                    return Ok(read);
                }
                self.held.extend_from_slice(&into[..read]);
                read
            } else {
                read_more(self.inner, &mut self.held, PIECE)?
            };
            self.clean(read == 0);
            if read == 0 && self.ready.is_empty() {
                return Ok(0);
            }
        }
    }
}

/// The numbers of a list on the command line, without quotes and brackets.
///
/// # Errors
/// What the list seems to be instead.
pub(crate) fn clean_list(list: &[String]) -> Result<Vec<String>, Suspicion> {
    let text = list.join(",");
    if let Some(found) = zero_group(text.as_bytes()) {
        return Err(found);
    }
    let text = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(&text);
    let bare = |item: &str| String::from_utf8_lossy(super::fields::bare(item.as_bytes())).into_owned();
    Ok(if text.is_empty() { Vec::new() } else { text.split(',').map(bare).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::held_bytes::Pieces;

    fn cleaned(text: &str, piece: usize) -> String {
        let mut all = String::new();
        let mut pieces = Pieces(text.as_bytes(), piece);
        NumberReader::new(&mut pieces, text.starts_with('[')).read_to_string(&mut all).unwrap();
        all
    }

    #[test]
    fn marks_become_blanks_in_their_places() {
        let long = format!("\"{}\"", "x".repeat(200));
        for (text, expected) in [
            ("2 3\n", "2 3\n"),
            ("3 # three\n5", "3        \n5"),
            ("# only\n2#", "      \n2 "),
            ("\"7\"\n'9'", " 7 \n 9 "),
            ("\"15,485,863\" 2", " 15485863    2"),
            ("[2, 3, 5]\n", " 2, 3, 5 \n"),
            ("[\n  2,\n  '3'\n]", " \n  2,\n   3 \n "),
            ("[[2, 3]]", "[[2, 3]]"),
            ("2[3]", "2[3]"),
            ("\"x\" \"7", "\"x\" \"7"),
            ("\"7\n9\"", "\"7\n9\""),
            ("\"7\"x 5\"6\"", "\"7\"x 5\"6\""),
            ("\"3,14\"", "\"3,14\""),
            (&long, &long),
        ] {
            for piece in [1, 2, 3, 7, 1000] {
                assert_eq!(cleaned(text, piece), expected, "{text:?} in pieces of {piece}");
            }
        }
    }

    #[test]
    fn numbers_are_not_held_back() {
        struct Pauses<'a>(&'a [u8]);
        impl Read for Pauses<'_> {
            fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
                assert!(!self.0.is_empty(), "a pausing stream was waited for");
                let length = self.0.len();
                into[..length].copy_from_slice(self.0);
                self.0 = b"";
                Ok(length)
            }
        }
        for (text, given) in [("2\n3 # x", "2\n3    "), ("2\n\"7\" \"", "2\n 7  ")] {
            let mut pauses = Pauses(text.as_bytes());
            let mut into = [0; 100];
            let read = NumberReader::new(&mut pauses, false).read(&mut into).unwrap();
            assert_eq!(&into[..read], given.as_bytes());
        }
    }

    #[test]
    fn lists_lose_quotes_and_brackets() {
        let list = |text: &str| clean_list(&text.split(',').map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(list("[2, 3]").unwrap(), ["2", "3"]);
        assert_eq!(list("\"7\",9").unwrap(), ["7", "9"]);
        assert_eq!(list("7,101,103").unwrap(), ["7", "101", "103"]);
        assert!(list("1,000").unwrap_err().to_string().contains("write 1000"));
    }
}
