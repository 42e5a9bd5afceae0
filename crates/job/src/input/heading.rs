//! The heading of a file of numbers: leading lines with words, such as `The
//! First 1,000,000 Primes (from primes.utm.edu)`.

use procession_task::{Items, escape_terminal};
use std::io::{self, Read};

/// Of a line longer than this only the beginning is examined, so the line need
/// not be kept in memory.
const LONGEST_JUDGED: usize = 64 * 1024;
/// The largest length of a heading in messages in bytes.
const SHOWN: usize = 120;

/// A heading that was skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heading {
    /// How many lines had words in them.
    pub(crate) lines: u64,
    /// How many lines were skipped, including blank ones.
    pub(crate) passed: u64,
    /// The first heading line, safe for a terminal.
    pub(crate) first: Option<String>,
    /// Whether the stream had any bytes.
    pub(crate) any: bool,
}

/// What a line contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineKind {
    Blank,
    Heading,
    Data,
}

/// Reads up to the first line of data. Returns what was skipped, and the bytes
/// that were read after it.
pub(crate) fn skip_heading(reader: &mut dyn Read) -> io::Result<(Heading, Vec<u8>)> {
    let mut heading = Heading::default();
    let mut held: Vec<u8> = Vec::new();
    let mut at_end = false;
    loop {
        let line_end = memchr::memchr(b'\n', &held).map(|at| at + 1);
        let judged = line_end.or_else(|| (at_end || held.len() > LONGEST_JUDGED).then_some(held.len()));
        let Some(end) = judged else {
            at_end = fill(reader, &mut held)? == 0;
            heading.any |= !held.is_empty();
            continue;
        };
        let kind = judge(&held[..end]);
        if kind == LineKind::Data || (at_end && held.is_empty()) {
            return Ok((heading, held));
        }
        if kind == LineKind::Blank && line_end.is_none() {
            // The end of the file, or an endless blank line: neither heading
            // nor data.
            return Ok((heading, held));
        }
        if kind == LineKind::Heading {
            heading.add(&held[..end]);
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
    let (_, mut rest) = skip_heading(reader)?;
    reader.read_to_end(&mut rest)?;
    Ok(rest)
}

impl Heading {
    fn add(&mut self, line: &[u8]) {
        self.lines += 1;
        if self.first.is_none() {
            let shown = &line[..line.len().min(SHOWN)];
            let mark = if line.trim_ascii_end().len() > SHOWN { "…" } else { "" };
            self.first = Some(format!("{}{mark}", escape_terminal(shown.trim_ascii())));
        }
    }
}

fn fill(reader: &mut dyn Read, held: &mut Vec<u8>) -> io::Result<usize> {
    let before = held.len();
    held.resize(before + LONGEST_JUDGED, 0);
    loop {
        match reader.read(&mut held[before..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => {
                held.truncate(before + *result.as_ref().unwrap_or(&0));
                return result;
            }
        }
    }
}

/// Skips the rest of a long line; returns whether the stream has ended.
fn pass_line(reader: &mut dyn Read, held: &mut Vec<u8>) -> io::Result<bool> {
    loop {
        if let Some(at) = memchr::memchr(b'\n', held) {
            held.drain(..=at);
            return Ok(false);
        }
        held.clear();
        if fill(reader, held)? == 0 {
            return Ok(true);
        }
    }
}

fn judge(line: &[u8]) -> LineKind {
    let mut kind = LineKind::Blank;
    for (_, token) in Items::Words.split(line) {
        if has_letter(token) && !is_float(token) {
            return LineKind::Heading;
        }
        kind = LineKind::Data;
    }
    kind
}

fn has_letter(token: &[u8]) -> bool {
    if token.is_ascii() {
        return token.iter().any(u8::is_ascii_alphabetic);
    }
    String::from_utf8_lossy(token).chars().any(char::is_alphabetic)
}

/// Whether it is a sign, digits with a decimal point and an exponent: `1e3`,
/// `-2.5E7`, `.5e-3`.
fn is_float(token: &[u8]) -> bool {
    let decimal = |b: &u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    token.iter().all(decimal) && std::str::from_utf8(token).is_ok_and(|text| text.parse::<f64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passed(text: &str) -> (u64, u64, String) {
        let mut reader = text.as_bytes();
        let (heading, mut rest) = skip_heading(&mut reader).unwrap();
        rest.extend_from_slice(reader);
        (heading.lines, heading.passed, String::from_utf8(rest).unwrap())
    }

    #[test]
    fn the_title_of_a_list_of_primes_is_a_heading() {
        let text = "     The First 1,000,000 Primes (from primes.utm.edu)\r\n\r\n       2  3 \r\n 5\r\n";
        assert_eq!(passed(text), (1, 2, "       2  3 \r\n 5\r\n".to_owned()));
        let (heading, _) = skip_heading(&mut text.as_bytes()).unwrap();
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
        let (heading, _) = skip_heading(&mut format!("\u{1b}[31m{}\n", "x".repeat(500)).as_bytes()).unwrap();
        let first = heading.first.unwrap();
        assert!(first.starts_with("\\u{1b}[31mxx") && first.ends_with('…') && first.len() < 200, "{first}");
    }
}
