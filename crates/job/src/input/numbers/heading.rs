//! The heading of a file of numbers: leading lines with words, such as `The
//! First 1,000,000 Primes (from primes.utm.edu)`. What follows it is judged, so
//! that no row of a table is taken for a heading or for a list.

use super::fields::{is_decimal, without_remark};
use super::judge::{self, Suspicion};
use crate::input::held_bytes::read_more;
use procession_task::{Items, escape_terminal};
use std::io::{self, Read};

/// Of a line longer than this only the beginning is examined, so the line need
/// not be kept in memory.
const LONGEST_JUDGED: usize = 64 * 1024;
/// The largest length of a heading in messages in bytes.
const SHOWN: usize = 120;
/// A title has at least this many words in a line; a column's name has fewer.
const TITLE_WORDS: usize = 3;

/// A heading that was skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heading {
    /// How many lines had words in them.
    pub(crate) lines: u64,
    /// How many lines were skipped, including blank ones.
    pub(crate) passed: u64,
    /// The first heading line, safe for a terminal.
    pub(crate) first: Option<String>,
    /// The last one, if there are several.
    pub(crate) last: Option<String>,
    /// Whether a line of it is a title, and no names of columns.
    pub(crate) is_title: bool,
    /// Whether the stream had any bytes.
    pub(crate) any: bool,
    /// What the lines seem to be, if they seem to be no list of numbers.
    pub(crate) suspicion: Option<Suspicion>,
    /// The beginning of the last heading line.
    before: Option<Vec<u8>>,
}

/// What a line contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineKind {
    Blank,
    Heading,
    Data,
}

/// Reads up to the first line of data. Returns what was skipped, and the bytes
/// that were read after it. If the numbers are judged, `#` begins a remark, and
/// what they seem to be stands in the heading: judged on the bytes that were
/// read by then, without waiting for more.
pub(crate) fn skip_heading(reader: &mut dyn Read, is_judged: bool) -> io::Result<(Heading, Vec<u8>)> {
    let mut heading = Heading::default();
    let mut held: Vec<u8> = Vec::new();
    let mut at_end = false;
    loop {
        let line_end = memchr::memchr(b'\n', &held).map(|at| at + 1);
        let judged = line_end.or_else(|| (at_end || held.len() > LONGEST_JUDGED).then_some(held.len()));
        let Some(end) = judged else {
            at_end = read_more(reader, &mut held, LONGEST_JUDGED)? == 0;
            heading.any |= !held.is_empty();
            continue;
        };
        let line = if is_judged { without_remark(&held[..end]) } else { &held[..end] };
        let kind = kind(line);
        let before = heading.before.as_deref();
        heading.suspicion = match kind {
            LineKind::Heading if is_judged => judge::row(before, line),
            LineKind::Data if is_judged => judge::lines(before, &held),
            LineKind::Blank | LineKind::Heading | LineKind::Data => None,
        };
        if kind == LineKind::Data || heading.suspicion.is_some() || (at_end && held.is_empty()) {
            return Ok((heading, held));
        }
        if kind == LineKind::Blank && line_end.is_none() {
            // The end of the file, or an endless blank line: neither heading
            // nor data.
            return Ok((heading, held));
        }
        if kind == LineKind::Heading {
            heading.add(line);
        }
        heading.passed += 1;
        held.drain(..end);
        if line_end.is_none() && !at_end {
            at_end = pass_line(reader, &mut held)?;
        }
    }
}

/// The rest of a stream after its heading. For tests that compare it with the
/// whole stream.
///
/// # Errors
/// The stream can't be read.
#[doc(hidden)]
pub fn rest_after_heading(reader: &mut dyn Read) -> io::Result<Vec<u8>> {
    let (_, mut rest) = skip_heading(reader, false)?;
    reader.read_to_end(&mut rest)?;
    Ok(rest)
}

impl Heading {
    fn add(&mut self, line: &[u8]) {
        self.lines += 1;
        self.is_title |= Items::Words.split(line).nth(TITLE_WORDS - 1).is_some();
        self.before = Some(line.trim_ascii().to_vec());
        let text = shown(line);
        match self.first {
            None => self.first = Some(text),
            Some(_) => self.last = Some(text),
        }
    }
}

/// A line for messages: short, and safe for a terminal.
pub(super) fn shown(line: &[u8]) -> String {
    let mark = if line.trim_ascii_end().len() > SHOWN { "…" } else { "" };
    format!("{}{mark}", escape_terminal(line[..line.len().min(SHOWN)].trim_ascii()))
}

/// Skips the rest of a long line; returns whether the stream has ended.
fn pass_line(reader: &mut dyn Read, held: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        if let Some(at) = memchr::memchr(b'\n', held) {
            held.drain(..=at);
            return Ok(false);
        }
        held.clear();
        if read_more(reader, held, LONGEST_JUDGED)? == 0 {
            return Ok(true);
        }
    }
}

fn kind(line: &[u8]) -> LineKind {
    if is_of_words(line) {
        LineKind::Heading
    } else if Items::Words.split(line).next().is_none() {
        LineKind::Blank
    } else {
        LineKind::Data
    }
}

/// Whether a token of the line has a letter and is no number.
pub(super) fn is_of_words(line: &[u8]) -> bool {
    Items::Words.split(line).any(|(_, token)| has_letter(token) && !is_decimal(token))
}

fn has_letter(token: &[u8]) -> bool {
    if token.is_ascii() {
        return token.iter().any(u8::is_ascii_alphabetic);
    }
    String::from_utf8_lossy(token).chars().any(char::is_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(text: &str) -> (u64, u64, String) {
        let mut reader = text.as_bytes();
        let (heading, mut rest) = skip_heading(&mut reader, false).unwrap();
        rest.extend_from_slice(reader);
        (heading.lines, heading.passed, String::from_utf8(rest).unwrap())
    }

    #[test]
    fn the_title_of_a_list_of_primes_is_a_heading() {
        let text = "     The First 1,000,000 Primes (from primes.utm.edu)\r\n\r\n       2  3 \r\n 5\r\n";
        assert_eq!(passed(text), (1, 2, "       2  3 \r\n 5\r\n".to_owned()));
        let (heading, _) = skip_heading(&mut text.as_bytes(), false).unwrap();
        assert_eq!(heading.first.unwrap(), "The First 1,000,000 Primes (from primes.utm.edu)");
    }

    #[test]
    fn numbers_are_not_a_heading() {
        for text in ["1e3\n2\n", "-2.5E7,3\n", "2\nabc\n", "---\n", "", "2", "+7\n"] {
            assert_eq!(passed(text), (0, 0, text.to_owned()));
        }
    }

    #[test]
    fn only_leading_lines_count() {
        assert_eq!(passed("a\n\nb 1\n2 3\nc\n"), (2, 3, "2 3\nc\n".to_owned()));
        assert_eq!(passed("a"), (1, 1, String::new()));
        assert_eq!(passed("a\n \n"), (1, 2, String::new()));
        assert_eq!(passed("Größe\n1"), (1, 1, "1".to_owned()));
        assert_eq!(passed("1 2 x\n3"), (1, 1, "3".to_owned()));
    }

    #[test]
    fn long_lines_are_classified_by_their_beginning() {
        let numbers = "12345,".repeat(100_000);
        assert_eq!(passed(&numbers), (0, 0, numbers.clone()));
        let words = "word ".repeat(100_000);
        assert_eq!(passed(&format!("{words}\n7\n")), (1, 1, "7\n".to_owned()));
        assert_eq!(passed(&words), (1, 1, String::new()));
    }

    #[test]
    fn the_shown_heading_is_short_and_escaped() {
        let (heading, _) = skip_heading(&mut format!("\u{1b}[31m{}\n", "x".repeat(500)).as_bytes(), false).unwrap();
        let first = heading.first.unwrap();
        assert!(first.starts_with("\\u{1b}[31mxx") && first.ends_with('…') && first.len() < 200, "{first}");
    }

    fn judged(text: &str) -> (Heading, String) {
        let (heading, rest) = skip_heading(&mut text.as_bytes(), true).unwrap();
        (heading, String::from_utf8(rest).unwrap())
    }

    #[test]
    fn the_first_and_the_last_line_are_kept() {
        let (heading, rest) = judged("The first primes\n# a remark\n\nand their end\n2\n");
        assert_eq!(
            (heading.first.as_deref(), heading.last.as_deref()),
            (Some("The first primes"), Some("and their end"))
        );
        assert_eq!((heading.lines, heading.passed, rest.as_str()), (2, 4, "2\n"));
        assert!(heading.is_title && heading.suspicion.is_none());
        assert!(!judged("prime number\n2\n").0.is_title);
    }

    #[test]
    fn rows_of_a_table_are_no_heading() {
        let (heading, _) = judged("name,number\nalice,7\nbob,9\n11\n");
        let says = heading.suspicion.unwrap().to_string();
        assert!(says.contains("the columns name, number: --items csv --column number"), "{says}");
        assert!(judged("id,number\n1,7\n").0.suspicion.is_some());
        assert!(judged("number\n7\n9\n").0.suspicion.is_none());
    }
}
