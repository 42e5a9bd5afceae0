//! Notes for the user: what was skipped in the input.

use std::fmt;

/// A note on an input; its text is safe for a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputNote {
    /// Heading lines that were skipped in a file of numbers: `FILE: skipped 1
    /// heading line: "…"`.
    Heading {
        /// The input's name.
        name: String,
        /// How many lines.
        lines: u64,
        /// The first one.
        first: String,
        /// The last one, if there are several.
        last: Option<String>,
    },
    /// A last line of words that was skipped in a file of numbers with a title.
    EndLine {
        /// The input's name.
        name: String,
        /// The line.
        line: String,
    },
}

impl fmt::Display for InputNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Heading { name, lines, first, last: None } => {
                let plural = if *lines == 1 { "" } else { "s" };
                write!(f, "{name}: skipped {lines} heading line{plural}: \"{first}\"")
            }
            Self::Heading { name, lines, first, last: Some(last) } => {
                write!(f, "{name}: skipped {lines} heading lines: \"{first}\" to \"{last}\"")
            }
            Self::EndLine { name, line } => write!(f, "{name}: skipped the last line: \"{line}\""),
        }
    }
}

/// Receives each note once; called on the input thread.
pub(crate) type OnNote = Box<dyn Fn(&InputNote) + Send + Sync>;
