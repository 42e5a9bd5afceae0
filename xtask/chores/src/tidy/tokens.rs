//! Rust source as tokens, as far as our rules need them: comments are gone,
//! literals are opaque, and what only tests compile can be left out.

/// A word, a punctuation mark, `::` or a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    /// From 1.
    pub(super) line: usize,
}

impl Token<'_> {
    /// Whether it is a keyword, a name or a number.
    pub(super) fn is_word(&self) -> bool {
        self.text.starts_with(|c: char| c.is_alphanumeric() || c == '_')
    }
}

/// The tokens of a source file, without comments and white space.
pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let (mut rest, mut line) = (source, 1);
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = length_of_token(rest, first);
        let (text, behind) = rest.split_at(length);
        if !first.is_whitespace() && !text.starts_with("//") && !text.starts_with("/*") {
            found.push(Token { text, line });
        }
        line += text.matches('\n').count();
        rest = behind;
    }
    found
}

/// The bytes of the token, comment or white space at the start of `rest`.
fn length_of_token(rest: &str, first: char) -> usize {
    let until = |end: &str| rest.find(end).map_or(rest.len(), |at| at + end.len());
    match first {
        '/' if rest.starts_with("//") => until("\n"),
        '/' if rest.starts_with("/*") => length_of_comment(rest),
        ':' if rest.starts_with("::") => 2,
        '"' => length_of_string(rest),
        '\'' => length_of_char(rest),
        c if c.is_alphanumeric() || c == '_' => {
            let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            length_of_prefixed(rest, word)
        }
        other => other.len_utf8(),
    }
}

/// A block comment; such comments nest.
fn length_of_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < rest.len() {
        let here = &rest.as_bytes()[at..];
        match here {
            [b'/', b'*', ..] => (depth, at) = (depth + 1, at + 2),
            [b'*', b'/', ..] => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// A string in double quotes.
fn length_of_string(rest: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        match byte {
            b'"' if !is_escaped => return at + 1,
            byte => is_escaped = byte == b'\\' && !is_escaped,
        }
    }
    rest.len()
}

/// A character, or the quote of a lifetime.
fn length_of_char(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), _) => rest[3..].find('\'').map_or(rest.len(), |at| at + 4),
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 1,
    }
}

/// A word, or the string or character that it is the prefix of: `r"…"`,
/// `r#"…"#`, `b'…'`, `c"…"`.
fn length_of_prefixed(rest: &str, word: usize) -> usize {
    let (prefix, behind) = rest.split_at(word);
    let marks = behind.len() - behind.trim_start_matches('#').len();
    let is_raw = matches!(prefix, "r" | "br" | "cr");
    match behind[marks..].chars().next() {
        Some('"') if is_raw => {
            let end = format!("\"{}", "#".repeat(marks));
            let content = word + marks + 1;
            rest[content..].find(&end).map_or(rest.len(), |at| content + at + end.len())
        }
        Some('"') if marks == 0 && matches!(prefix, "b" | "c") => word + length_of_string(behind),
        Some('\'') if marks == 0 && prefix == "b" => word + length_of_char(behind),
        _ => word,
    }
}

/// The tokens without the items that only tests compile.
pub(super) fn without_tests<'a>(tokens: &[Token<'a>]) -> Vec<Token<'a>> {
    let mut kept = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if is_test_attribute(&tokens[at..]) {
            at = end_of_item(tokens, at);
        } else {
            kept.push(tokens[at]);
            at += 1;
        }
    }
    kept
}

/// Whether `#[cfg(test)]`, or a `cfg` that asks for tests among others, stands here.
fn is_test_attribute(tokens: &[Token<'_>]) -> bool {
    let begins = tokens.iter().map(|token| token.text).take(4).eq(["#", "[", "cfg", "("]);
    let mut condition = tokens.iter().map(|token| token.text).take_while(|text| *text != "]").collect::<Vec<_>>();
    condition.retain(|text| matches!(*text, "test" | "not"));
    begins && condition == ["test"]
}

/// Where the item ends whose first attribute stands at `from`.
fn end_of_item(tokens: &[Token<'_>], from: usize) -> usize {
    let mut at = from;
    while tokens.get(at).is_some_and(|token| token.text == "#") {
        at = end_of_group(tokens, at + 1);
    }
    let item = &tokens[at..];
    let has_body = |token: &Token<'_>| ["fn", "mod", "impl", "struct", "enum", "trait"].contains(&token.text);
    let is_ended_by_body = item.iter().take(4).any(has_body);
    let is_field = !is_ended_by_body
        && !item.iter().take(2).any(|token| ["use", "const", "static", "type", "let"].contains(&token.text));
    while let Some(token) = tokens.get(at) {
        match token.text {
            ";" => return at + 1,
            "," if is_field => return at + 1,
            "}" | ")" | "]" => return at,
            "{" => {
                at = end_of_group(tokens, at);
                if is_ended_by_body {
                    return at;
                }
            }
            "(" | "[" => at = end_of_group(tokens, at),
            _ => at += 1,
        }
    }
    at
}

/// Where the group ends that the bracket at `from` opens.
pub(super) fn end_of_group(tokens: &[Token<'_>], from: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(from) {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return at + 1;
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> String {
        tokens(source).iter().map(|token| token.text).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn comments_are_gone_and_literals_are_whole() {
        assert_eq!(words("a // b {\n/* c /* d */ e */ f"), "a f");
        assert_eq!(words(r#"x("{ \" }", '{', '\'', b'"', 'a)"#), r#"x ( "{ \" }" , '{' , '\'' , b'"' , ' a )"#);
        assert_eq!(words("r#\"a\" {\"# b r\"\\\" c"), "r#\"a\" {\"# b r\"\\\" c");
        assert_eq!(words("crate::a::{b}"), "crate :: a :: { b }");
    }

    #[test]
    fn tokens_know_their_line() {
        let lines: Vec<usize> = tokens("a\n\"x\ny\" b\n// c\nd").iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 2, 3, 5]);
    }

    #[test]
    fn what_only_tests_compile_is_left_out() {
        let kept = |source: &str| {
            let all = tokens(source);
            without_tests(&all).iter().map(|token| token.text).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(kept("a; #[cfg(test)] mod tests { fn x() {} } b"), "a ; b");
        assert_eq!(kept("#[cfg(test)] use a::{b, c}; d"), "d");
        assert_eq!(kept("#[cfg(test)] #[path = \"x.rs\"] mod tests; b"), "b");
        assert_eq!(kept("struct S { #[cfg(test)] a: u8, b: u8 }"), "struct S { b : u8 }");
        assert_eq!(kept("#[cfg(not(test))] fn a() {}").len(), "# [ cfg ( not ( test ) ) ] fn a ( ) { }".len());
        assert_eq!(kept("#[cfg(test)] fn a(x: [u8; 2]) -> u8 { 1 } b"), "b");
    }
}
