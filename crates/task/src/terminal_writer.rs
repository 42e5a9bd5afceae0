//! Writes results to a terminal: text from items and workers is escaped, line feeds
//! and tabs stay.

use crate::escape_terminal;
use std::io::{self, Write};

/// Bytes of a line without its end that are kept, so that no character is cut in two.
const MOST_KEPT: usize = 64 << 10;

/// Escapes what is written to a terminal.
#[derive(Debug)]
pub struct TerminalWriter<W> {
    out: W,
    /// A line whose end is still to come.
    line: Vec<u8>,
}

impl<W: Write> TerminalWriter<W> {
    /// Writes to this terminal.
    pub fn new(out: W) -> Self {
        Self { out, line: Vec::new() }
    }

    fn pass_on(&mut self, bytes: usize) -> io::Result<()> {
        let mut text = String::with_capacity(bytes);
        for part in self.line[..bytes].split_inclusive(|byte| matches!(byte, b'\n' | b'\t')) {
            let (rest, separator) = match part.split_last() {
                Some((&byte @ (b'\n' | b'\t'), rest)) => (rest, Some(char::from(byte))),
                _ => (part, None),
            };
            text.push_str(&escape_terminal(rest));
            text.extend(separator);
        }
        self.line.drain(..bytes);
        self.out.write_all(text.as_bytes())
    }
}

impl<W: Write> Write for TerminalWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        let lines = self.line.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
        match self.line.len() - lines {
            MOST_KEPT.. => self.pass_on(self.line.len())?,
            _ if lines > 0 => self.pass_on(lines)?,
            _ => {}
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pass_on(self.line.len())?;
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(parts: &[&[u8]]) -> String {
        let mut writer = TerminalWriter::new(Vec::new());
        parts.iter().for_each(|part| writer.write_all(part).unwrap());
        writer.flush().unwrap();
        String::from_utf8(writer.out).unwrap()
    }

    #[test]
    fn only_line_feeds_and_tabs_stay() {
        assert_eq!(shown(&[b"a\tb\n\x1b[31mred\rover\n"]), "a\tb\n\\u{1b}[31mred\\rover\n");
        assert_eq!(shown(&[b"\xff\n\n"]), "\\xff\n\n");
    }

    #[test]
    fn a_character_may_come_in_two_parts() {
        assert_eq!(shown(&[b"gr\xc3", b"\xbcn\n", b"rest"]), "gr\u{fc}n\nrest");
    }

    #[test]
    fn a_line_without_end_takes_no_more_memory_than_this() {
        let mut writer = TerminalWriter::new(Vec::new());
        for _ in 0..100 {
            writer.write_all(&[b'x'; 10_000]).unwrap();
            assert!(writer.line.len() < MOST_KEPT);
        }
        writer.flush().unwrap();
        assert_eq!(writer.out.len(), 1_000_000);
    }
}
