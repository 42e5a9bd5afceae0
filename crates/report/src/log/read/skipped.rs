//! Skips and counts the lines that can't be parsed.

use super::line::LogLine;
use crate::model::skipped_lines::SkippedLines;
use std::path::Path;

impl SkippedLines {
    /// Parses a line of the file at `path`; skips and counts an invalid one.
    pub fn line<'a>(&mut self, line: &'a [u8], path: &Path) -> Option<LogLine<'a>> {
        match LogLine::parse(line, path) {
            Ok(line) => Some(line),
            Err(error) => {
                self.note_of(&error);
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipped_lines_are_counted_and_the_first_is_named() {
        let mut passed = SkippedLines::default();
        assert!(passed.line(br#"{"note":"n"}"#, Path::new("f")).is_some() && passed.note().is_none());
        assert!(passed.line(b"no JSON", Path::new("f\x1b")).is_none());
        let note = passed.note().unwrap_or_default();
        assert!(note.starts_with("1 line of the log can't be read and is left out: f\\u{1b}: "), "{note}");
        let mut all = SkippedLines::default();
        all.add(&SkippedLines::default());
        all.add(&passed);
        assert!(passed.line(b"{}", Path::new("g")).is_none());
        all.add(&passed);
        let note = all.note().unwrap_or_default();
        assert!(note.starts_with("3 lines of the log can't be read and are left out; the first: f\\u{1b}: "), "{note}");
    }
}
