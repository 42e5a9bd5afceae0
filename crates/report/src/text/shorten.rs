//! Cuts text to a number of columns.

use procession_task::escape_terminal;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Columns of an item or of a message that are shown.
const SHOWN_COLUMNS: usize = 120;

/// Cuts text to at most `columns` columns; a cut text ends with `…`.
pub(crate) fn shortened(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut short = String::new();
    let mut width = 1;
    for c in text.chars() {
        width += UnicodeWidthChar::width(c).unwrap_or(0);
        if width > columns {
            break;
        }
        short.push(c);
    }
    short + "…"
}

/// The first 120 columns of an item or a message, escaped for a terminal.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    // Escaping never makes text shorter, so a huge item need not be escaped whole.
    let head = &bytes[..bytes.len().min(4 * SHOWN_COLUMNS)];
    shortened(&escape_terminal(head), SHOWN_COLUMNS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_text() {
        assert_eq!(shortened("abc", 3), "abc");
        assert_eq!(shortened("abcd", 3), "ab…");
        assert_eq!(shortened("漢字漢字", 4), "漢…");
    }
}
