//! Lines that can't be read: passed over and counted, so that one of them does
//! not hide all others.

use super::Line;
use crate::runlog::LogError;
use std::fmt;
use std::path::Path;

/// Lines of a log that were passed over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PassedOver {
    /// How many.
    pub lines: u64,
    /// Where the first one stands and what is wrong with it; safe for a terminal.
    pub first: Option<String>,
}

impl PassedOver {
    /// Reads a line of the file at `path`, or passes it over.
    pub fn line<'a>(&mut self, line: &'a [u8], path: &Path) -> Option<Line<'a>> {
        match Line::parse(line, path) {
            Ok(line) => Some(line),
            Err(error) => {
                self.note_of(&error);
                None
            }
        }
    }

    /// One more, and what is wrong with it.
    pub(crate) fn note_of(&mut self, error: &LogError) {
        self.lines += 1;
        self.first.get_or_insert_with(|| error.to_string());
    }

    /// Those of another file or run, too.
    pub fn add(&mut self, other: &Self) {
        self.lines += other.lines;
        if self.first.is_none() {
            self.first.clone_from(&other.first);
        }
    }

    /// What people should know, if there were any.
    #[must_use]
    pub fn note(&self) -> Option<String> {
        self.first.as_ref().map(|_| self.to_string())
    }
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = crate::units::counted(self.lines, "line");
        match (self.lines, &self.first) {
            (1, Some(first)) => write!(f, "{what} of the log can't be read and is left out: {first}"),
            (_, Some(first)) => write!(f, "{what} of the log can't be read and are left out; the first: {first}"),
            (_, None) => write!(f, "{what} of the log left out"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_passed_over_is_counted_and_the_first_is_told() {
        let mut passed = PassedOver::default();
        assert!(passed.line(br#"{"note":"n"}"#, Path::new("f")).is_some() && passed.note().is_none());
        assert!(passed.line(b"no JSON", Path::new("f\x1b")).is_none());
        let note = passed.note().unwrap_or_default();
        assert!(note.starts_with("1 line of the log can't be read and is left out: f\\u{1b}: "), "{note}");
        let mut all = PassedOver::default();
        all.add(&PassedOver::default());
        all.add(&passed);
        assert!(passed.line(b"{}", Path::new("g")).is_none());
        all.add(&passed);
        let note = all.note().unwrap_or_default();
        assert!(note.starts_with("3 lines of the log can't be read and are left out; the first: f\\u{1b}: "), "{note}");
    }
}
