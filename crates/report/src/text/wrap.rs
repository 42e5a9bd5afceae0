//! Breaks sentences into lines of a terminal.

use unicode_width::UnicodeWidthStr;

/// The columns of a terminal that everything fits.
const COLUMNS: usize = 80;
/// What begins the lines after the first.
const INDENT: &str = "  ";
/// Words that stay on the line of the number before them.
const UNITS: [&str; 6] = ["%", "s", "ms", "µs", "min", "h"];

/// Breaks a sentence between words into lines of at most 80 columns, each with a line
/// feed. A longer word has a line of its own.
pub(crate) fn wrapped(sentence: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in sentence.split_whitespace() {
        let is_unit = UNITS.contains(&word.trim_end_matches(['.', ',', ';', ':', ')']));
        match words.last_mut().filter(|_| is_unit) {
            Some(number) => *number += &format!(" {word}"),
            None => words.push(word.to_owned()),
        }
    }
    let (mut text, mut column) = (String::new(), 0);
    for word in words {
        if column > 0 && column + 1 + word.width() > COLUMNS {
            text += "\n";
            text += INDENT;
            column = INDENT.len();
        } else if column > 0 {
            text += " ";
            column += 1;
        }
        text += &word;
        column += word.width();
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_between_words() {
        let sentence = "word ".repeat(40);
        let text = wrapped(&sentence);
        assert!(text.lines().all(|line| line.width() <= COLUMNS), "{text}");
        assert_eq!(text.split_whitespace().count(), 40);
        assert_eq!(wrapped("one"), "one\n");
    }

    #[test]
    fn a_number_keeps_its_unit() {
        let sentence = format!("{} 99 %.", "x".repeat(76));
        assert_eq!(wrapped(&sentence), format!("{}\n  99 %.\n", "x".repeat(76)));
    }
}
