//! Line breaks between words, at the width of a terminal.

use unicode_width::UnicodeWidthStr;

/// The columns of a terminal that everything fits.
const COLUMNS: usize = 80;
/// What begins the lines after the first.
const INDENT: &str = "  ";
/// Words that stay on the line of the number before them.
const UNITS: [&str; 6] = ["%", "s", "ms", "µs", "min", "h"];
/// A space at which no line is broken.
pub(crate) const FIXED_SPACE: char = '\u{a0}';

/// Breaks a sentence into lines of at most 80 columns, each with a line feed. A longer
/// word has a line of its own. A number keeps its unit.
pub(crate) fn wrapped(sentence: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in sentence.split(' ') {
        let is_unit = UNITS.contains(&word.trim_end_matches(['.', ',', ';', ':', ')']));
        match words.last_mut().filter(|_| is_unit) {
            Some(number) => {
                number.push(FIXED_SPACE);
                *number += word;
            }
            None => words.push(word.to_owned()),
        }
    }
    broken(&words.join(" "), COLUMNS) + "\n"
}

/// Breaks a line at its spaces where it is longer than this. [`FIXED_SPACE`] becomes a
/// space.
pub(crate) fn broken(line: &str, columns: usize) -> String {
    let (mut text, mut column) = (String::with_capacity(line.len()), 0);
    for (at, word) in line.split(' ').enumerate() {
        if at > 0 && column > INDENT.len() && column + 1 + word.width() > columns {
            text += "\n";
            text += INDENT;
            column = INDENT.len();
        } else if at > 0 {
            text += " ";
            column += 1;
        }
        text += word;
        column += word.width();
    }
    text.replace(FIXED_SPACE, " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words() {
        let sentence = ["word"; 40].join(" ");
        let text = wrapped(&sentence);
        assert!(text.lines().all(|line| line.width() <= COLUMNS), "{text}");
        assert_eq!(text.split_whitespace().count(), 40);
        assert_eq!(wrapped("one"), "one\n");
        assert_eq!(broken("  a    row  of a table", 80), "  a    row  of a table");
    }

    #[test]
    fn a_number_keeps_its_unit() {
        let sentence = format!("{} 99 %.", "x".repeat(76));
        assert_eq!(wrapped(&sentence), format!("{}\n  99 %.\n", "x".repeat(76)));
    }
}
