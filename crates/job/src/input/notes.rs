//! Notes for the user: what was skipped in the input.

use procession_task::escape_terminal;
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
    /// Blank lines at the end of an input, which are items.
    BlankEnd {
        /// The input's name.
        name: String,
        /// How many lines.
        lines: usize,
    },
    /// What separates the fields of a table, judged on its first records.
    Delimiter {
        /// The input's name.
        name: String,
        /// The byte.
        delimiter: u8,
        /// The names of the columns, if there is a heading.
        names: Vec<String>,
    },
}

/// A delimiter in messages.
pub(crate) fn delimiter_name(delimiter: u8) -> String {
    if delimiter == b'\t' { "tabs".to_owned() } else { format!("'{}'", escape_terminal(&[delimiter])) }
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
            Self::Delimiter { name, delimiter, names } if names.is_empty() => {
                write!(f, "{name}: a table whose fields are separated by {}", delimiter_name(*delimiter))
            }
            Self::Delimiter { name, delimiter, names } => {
                let columns = escape_terminal(names.join(", ").as_bytes());
                write!(f, "{name}: a table with the columns {columns}, separated by {}", delimiter_name(*delimiter))
            }
            Self::BlankEnd { name, lines } => {
                let (plural, are) = if *lines == 1 { ("", "is") } else { ("s", "are") };
                let item = if *lines == 1 { "an empty item" } else { "empty items" };
                write!(f, "{name}: {lines} blank line{plural} at its end {are} {item}; --items words has none")
            }
            Self::EndLine { name, line } => write!(f, "{name}: skipped the last line: \"{line}\""),
        }
    }
}

/// Receives each note once; called on the input thread.
pub(crate) type OnNote = Box<dyn Fn(&InputNote) + Send + Sync>;
