//! Quotes words for a shell, so that a command that is shown can be pasted and
//! run again.

use crate::record::escape_terminal;

/// Whether a shell takes this byte as it is.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"%+,-./:=@_^".contains(&byte)
}

/// Quotes the words of a command and joins them with spaces.
#[must_use]
pub fn line<W: AsRef<[u8]>>(words: &[W]) -> String {
    words.iter().map(|quoted| word(quoted.as_ref())).collect::<Vec<_>>().join(" ")
}

/// Quotes one word if it needs quotes. A word that a terminal would not show as it is
/// (control characters, characters that reorder a line, invalid UTF-8) is written as
/// `$'…'` with escapes, which bash, zsh and ksh read. Braces are quoted, since bash
/// expands `{a,b}`; the placeholder `{}` alone is not expanded.
#[must_use]
pub fn word(word: &[u8]) -> String {
    if word == b"{}" || !word.is_empty() && word.iter().all(|&byte| is_plain(byte)) {
        return String::from_utf8_lossy(word).into_owned();
    }
    match std::str::from_utf8(word) {
        Ok(text) if escape_terminal(word) == text => format!("'{}'", text.replace('\'', "'\\''")),
        _ => format!(
            "$'{}'",
            word.iter().flat_map(|&byte| std::ascii::escape_default(byte)).map(char::from).collect::<String>()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_as_a_shell_takes_them() {
        for (plain, expected) in [
            (&b"a-b/c.d=1"[..], "a-b/c.d=1"),
            (b"{}", "{}"),
            (b"{a,b}", "'{a,b}'"),
            (b"x{}", "'x{}'"),
            ("\u{202e}".as_bytes(), "$'\\xe2\\x80\\xae'"),
            (b"", "''"),
            (b"two words", "'two words'"),
            (b"it's", "'it'\\''s'"),
            (b"$HOME;`x`*~#", "'$HOME;`x`*~#'"),
            ("ä".as_bytes(), "'ä'"),
            (b"a\nb\x1b'", "$'a\\nb\\x1b\\''"),
            (b"\xff", "$'\\xff'"),
        ] {
            assert_eq!(word(plain), expected);
        }
        assert_eq!(line(&[b"echo".to_vec(), b"a b".to_vec()]), "echo 'a b'");
    }
}
