//! Counts the lines of a log that can't be parsed. They are skipped, so that one
//! of them does not hide all others.

use procession_task::counted;
use std::fmt;

/// Lines of a log that were skipped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SkippedLines {
    /// Their number.
    pub lines: u64,
    /// File and error of the first one; escaped for a terminal.
    pub first: Option<String>,
}

impl SkippedLines {
    /// Counts a line with this error.
    pub(crate) fn note_of(&mut self, error: &impl fmt::Display) {
        self.lines += 1;
        self.first.get_or_insert_with(|| error.to_string());
    }

    /// Adds the lines of another file or run.
    pub fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        if self.first.is_none() {
            self.first.clone_from(&other.first);
        }
    }

    /// A note for the user, if lines were skipped.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        self.first.as_ref().map(|_| self.to_string())
    }
}

impl fmt::Display for SkippedLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = counted(self.lines, "line");
        match (self.lines, &self.first) {
            (1, Some(first)) => write!(f, "{what} of the log can't be read and is left out: {first}"),
            (_, Some(first)) => write!(f, "{what} of the log can't be read and are left out; the first: {first}"),
            (_, None) => write!(f, "{what} of the log left out"),
        }
    }
}
