//! The last lines of what a program wrote, for the message of a failure.

use std::fmt;

/// The maximum number of bytes to keep.
const KEPT_BYTES: usize = 1024;
/// The number of lines to show.
const LINES: usize = 3;

/// The end of a text of any length.
#[derive(Debug, Default)]
pub(crate) struct OutputTail {
    kept: Vec<u8>,
    /// Whether earlier text was dropped.
    is_cut: bool,
}

impl OutputTail {
    /// The end of this text.
    pub(crate) fn of(text: &[u8]) -> Self {
        let mut tail = Self::default();
        tail.push(text);
        tail
    }

    /// Appends text.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let tail = &bytes[bytes.len().saturating_sub(KEPT_BYTES)..];
        let excess = (self.kept.len() + tail.len()).saturating_sub(KEPT_BYTES);
        self.is_cut |= excess > 0 || tail.len() < bytes.len();
        self.kept.drain(..excess);
        self.kept.extend_from_slice(tail);
    }
}

impl fmt::Display for OutputTail {
    /// The last non-empty lines, with ` / ` between them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = String::from_utf8_lossy(&self.kept);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let from = lines.len().saturating_sub(LINES);
        if self.is_cut && from == 0 && !lines.is_empty() {
            // The first line may have lost its beginning.
            f.write_str("…")?;
        }
        f.write_str(&lines[from..].join(" / "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(parts: &[&[u8]]) -> String {
        let mut words = OutputTail::default();
        parts.iter().for_each(|part| words.push(part));
        assert!(words.kept.len() <= KEPT_BYTES);
        words.to_string()
    }

    #[test]
    fn the_last_lines_are_shown_as_one() {
        assert_eq!(told(&[]), "");
        assert_eq!(told(&[b"\n \n"]), "");
        assert_eq!(told(&[b"oops\n"]), "oops");
        assert_eq!(told(&[b"a\nb\r\n\n  c", b"d\ne\n"]), "b / cd / e");
        assert_eq!(told(&[b"\xff!\n"]), "\u{fffd}!");
    }

    #[test]
    fn the_tail_is_bounded_and_a_cut_is_marked() {
        let flood = b"x".repeat(1 << 20);
        assert_eq!(told(&[&flood]), format!("…{}", "x".repeat(KEPT_BYTES)));
        assert_eq!(told(&[&flood, b"\nlast\n"]), format!("…{} / last", "x".repeat(KEPT_BYTES - 6)));
        // Three whole lines are complete.
        assert_eq!(told(&[&b"y\n".repeat(1000), b"a\nb\nc\n"]), "a / b / c");
    }
}
