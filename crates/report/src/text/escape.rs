//! Escapes text for HTML and for terminals.

use procession_task::escape_terminal;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// Escapes text for HTML and XML: between tags and in quoted attributes.
/// Control characters, most of which are invalid in XML, and bidirectional
/// controls are written as escapes.
pub(crate) fn escape_html(text: &str) -> String {
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
            c => out.push_str(&escape_terminal(c.encode_utf8(&mut [0; 4]).as_bytes())),
        }
    }
    out
}

/// Escapes a path for a terminal.
pub(crate) fn escape_path(path: &Path) -> String {
    escape_terminal(path.as_os_str().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_escaped_for_html() {
        assert_eq!(escape_html("<b a=\"x\" b='y'>&"), "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
        assert_eq!(escape_html("a\x1b[31m\u{202e}\0b\u{ffff}"), "a\\u{1b}[31m\\u{202e}\\u{0}b\u{fffd}");
        assert_eq!(escape_html("größer 漢"), "größer 漢");
    }
}
