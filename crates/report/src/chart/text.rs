//! Text in pictures and pages: escaped, and about how wide it is.

/// Text that may stand between tags and in quoted attributes. Control
/// characters, which neither XML nor a reader could take, and those that turn
/// the direction of writing are shown as escapes.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' => out.push('\n'),
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push_str(&procession_task::escape_terminal(c.encode_utf8(&mut [0; 4]).as_bytes())),
        }
    }
    out
}

/// Pixels that a text takes at most, in the fonts that charts ask for: those of
/// DejaVu Sans, the widest of them.
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
    fn nothing_gets_out_of_its_place() {
        assert_eq!(escaped("<b a=\"x\" b='y'>&"), "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
        assert_eq!(escaped("a\x1b[31m\u{202e}\0b\u{ffff}"), "a\\u{1b}[31m\\u{202e}\\u{0}b\u{fffd}");
        assert_eq!(escaped("größer 漢"), "größer 漢");
    }

    #[test]
    fn widths() {
        assert_eq!(width("00", 10), 13);
        assert!(width("illicit", 10) < width("MMMMMMM", 10) / 2);
    }
}
