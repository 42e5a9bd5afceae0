//! Line breaks at the width of a terminal.

/// Columns of a terminal.
const COLUMNS: usize = 80;

/// A space at which no line is broken, such as that before a unit.
pub(crate) const FIXED_SPACE: char = '\u{a0}';

/// The text with line breaks in place of spaces, so that no line is longer than 80
/// columns. A longer word has a line of its own. [`FIXED_SPACE`] becomes a space.
pub(crate) fn wrapped(text: &str) -> String {
    wrapped_at(text, COLUMNS)
}

/// As [`wrapped`], for a terminal of this width.
pub(crate) fn wrapped_at(text: &str, columns: usize) -> String {
    let (mut lines, mut column) = (String::with_capacity(text.len()), 0);
    for word in text.split(' ') {
        let width = word.chars().count();
        if column > 0 && column + 1 + width > columns {
            lines.push('\n');
            column = 0;
        } else if column > 0 {
            lines.push(' ');
            column += 1;
        }
        lines += word;
        column += width;
    }
    lines.replace(FIXED_SPACE, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrapped("short"), "short");
        assert_eq!(wrapped(&format!("{} 32\u{a0}ms", "a".repeat(76))), format!("{}\n32 ms", "a".repeat(76)));
        let text = format!("{} b {}", "a".repeat(78), "c".repeat(90));
        assert_eq!(wrapped(&text), format!("{} b\n{}", "a".repeat(78), "c".repeat(90)));
    }
}
