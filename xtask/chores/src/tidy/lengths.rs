//! Files and functions that are too long to be read at once.

use super::tokens::{Token, end_of_group, tokens};

/// Lines of a source file.
const MOST_LINES: usize = 450;
/// Lines of a function: what a screen shows.
const MOST_FUNCTION_LINES: usize = 70;

/// What is too long in a file.
pub(super) fn check(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let lines = text.lines().count();
    if lines > MOST_LINES {
        problems.push(format!("{name}: {lines} lines are more than {MOST_LINES}"));
    }
    for (function, line, lines) in functions(&tokens(text)) {
        if lines > MOST_FUNCTION_LINES {
            problems.push(format!("{name}:{line}: {lines} lines of `{function}` are more than {MOST_FUNCTION_LINES}"));
        }
    }
    problems
}

/// Each function with a body: its name, its first line, and how many it has.
fn functions<'a>(code: &[Token<'a>]) -> Vec<(&'a str, usize, usize)> {
    let mut found = Vec::new();
    for (at, two) in code.windows(2).enumerate() {
        if two[0].text != "fn" || !two[1].is_word() {
            continue;
        }
        let mut behind = at + 2;
        while let Some(token) = code.get(behind) {
            match token.text {
                "(" | "[" => behind = end_of_group(code, behind),
                "{" | ";" => break,
                _ => behind += 1,
            }
        }
        let end = end_of_group(code, behind);
        if let Some(last) = code.get(end - 1).filter(|last| last.text == "}") {
            found.push((two[1].text, two[0].line, last.line + 1 - two[0].line));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_are_named() {
        assert!(check("a.rs", &"//! Why.\n".repeat(MOST_LINES)).is_empty());
        assert_eq!(check("a.rs", &"//! Why.\n".repeat(MOST_LINES + 1)), ["a.rs: 451 lines are more than 450"]);
    }

    #[test]
    fn long_functions_are_named() {
        let function = |lines: usize| format!("struct S;\nfn f(a: [u8; 2]) -> u8\n{{{}}}\n", "\n".repeat(lines - 2));
        assert!(check("a.rs", &function(MOST_FUNCTION_LINES)).is_empty());
        let wrong = check("a.rs", &function(MOST_FUNCTION_LINES + 1));
        assert_eq!(wrong, ["a.rs:2: 71 lines of `f` are more than 70"]);
        let trait_only = format!("trait T {{ fn g();\n}}\n{}", function(3));
        assert!(check("a.rs", &trait_only).is_empty());
    }
}
