//! Estimates the width of text in charts.

/// Upper bound of a text's width in pixels, in the fonts of charts. DejaVu Sans is the
/// widest of these.
pub(crate) fn width(text: &str, size: i32) -> i32 {
    let percent: i32 = text.chars().map(of).sum();
    (percent * size + 99) / 100
}

fn of(c: char) -> i32 {
    match c {
        'i' | 'j' | 'l' | '|' | '\'' => 30,
        ' ' | '.' | ',' | ':' | ';' | 'f' | 't' | 'r' | 'I' | '(' | ')' | '/' | '-' => 40,
        'm' | 'w' | 'M' | 'W' | '%' | '…' | '—' => 98,
        'A'..='Z' => 72,
        c if c as u32 > 0x2e80 => 105,
        _ => 64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths() {
        assert_eq!(width("00", 10), 13);
        assert!(width("illicit", 10) < width("MMMMMMM", 10) / 2);
    }
}
