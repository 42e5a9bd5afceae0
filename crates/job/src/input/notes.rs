//! Notes for the user: headings that were skipped.

use std::fmt;

/// Heading lines that were skipped in a file of numbers. Its text is `FILE:
/// skipped 1 heading line: "…"`, safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeadingNote {
    /// The input's name.
    pub name: String,
    /// How many lines.
    pub lines: u64,
    /// The first one.
    pub first: String,
}

impl fmt::Display for HeadingNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.lines == 1 { "" } else { "s" };
        write!(f, "{}: skipped {} heading line{plural}: \"{}\"", self.name, self.lines, self.first)
    }
}

/// Receives each heading once; called on the input thread.
pub(crate) type OnNote = Box<dyn Fn(&HeadingNote) + Send + Sync>;
