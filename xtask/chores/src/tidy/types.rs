//! Types and their names: no two public types share one, and few types at all.

use super::tokens::{tokens, without_tests};
use std::collections::BTreeMap;

/// How many types share their name with another one.
const MOST_SHARED: usize = 30;

/// A type's place and name.
struct Type<'a> {
    name: &'a str,
    place: String,
    is_public: bool,
    /// An alias counts only where it is public: associated types are none.
    is_alias: bool,
}

/// What is wrong with the names of types in these files.
pub(super) fn check(sources: &BTreeMap<String, String>) -> Vec<String> {
    let mut by_name: BTreeMap<&str, Vec<Type<'_>>> = BTreeMap::new();
    for (file, text) in sources.iter().filter(|(file, _)| !is_of_tests(file)) {
        for found in types(file, text) {
            by_name.entry(found.name).or_default().push(found);
        }
    }
    let mut problems = Vec::new();
    let (mut shared, mut shown) = (0, Vec::new());
    for (name, all) in &by_name {
        let public = places(all, |of| of.is_public);
        if public.len() > 1 {
            problems.push(format!("{}: the public type {name} is also at {}", public[0], public[1..].join(", ")));
        }
        let same = places(all, |of| !of.is_alias);
        if same.len() > 1 {
            shared += same.len();
            shown.push(format!("  {name}: {}", same.join(", ")));
        }
    }
    if shared > MOST_SHARED {
        problems.push(format!("{shared} types share their name with another, more than {MOST_SHARED}:"));
        problems.append(&mut shown);
    }
    problems
}

fn places<'a>(all: &'a [Type<'_>], is_meant: impl Fn(&Type<'_>) -> bool) -> Vec<&'a str> {
    all.iter().filter(|of| is_meant(of)).map(|of| of.place.as_str()).collect()
}

/// The types that a file defines.
fn types<'a>(file: &str, text: &'a str) -> Vec<Type<'a>> {
    let all = tokens(text);
    let code = without_tests(&all);
    let mut found = Vec::new();
    for (at, two) in code.windows(2).enumerate() {
        let is_alias = two[0].text == "type";
        let is_public = at > 0 && code[at - 1].text == "pub";
        let is_definition = matches!(two[0].text, "struct" | "enum" | "trait" | "union") || is_alias && is_public;
        if is_definition && two[1].text.starts_with(char::is_uppercase) {
            let place = format!("{file}:{}", two[1].line);
            found.push(Type { name: two[1].text, place, is_public, is_alias });
        }
    }
    found
}

/// Whether a file is only there for tests, or to be read.
fn is_of_tests(file: &str) -> bool {
    let parts: Vec<&str> = file.split('/').collect();
    let is_test =
        |part: &&str| matches!(*part, "tests" | "tests.rs" | "examples" | "fuzz") || part.ends_with("_tests.rs");
    parts.iter().any(is_test) && !file.starts_with("tests/fake-worker/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(files: &[(&str, &str)]) -> Vec<String> {
        check(&files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn public_types_have_names_of_their_own() {
        let wrong = problems(&[("a.rs", "pub struct X;"), ("b.rs", "\npub type X = u8;")]);
        assert_eq!(wrong, ["a.rs:1: the public type X is also at b.rs:2"]);
        assert!(problems(&[("a.rs", "pub struct X;"), ("b.rs", "pub(crate) enum X {} pub use a::X;")]).is_empty());
        assert!(problems(&[("a.rs", "pub struct X;"), ("a/tests/b.rs", "pub struct X;")]).is_empty());
    }

    #[test]
    fn few_types_share_a_name() {
        let text = |count: usize| "struct X; ".repeat(count);
        assert!(problems(&[("a.rs", &text(MOST_SHARED)), ("b.rs", "impl T for X { type X = u8; }")]).is_empty());
        let wrong = problems(&[("a.rs", &text(MOST_SHARED + 1))]);
        assert!(
            wrong[0].starts_with("31 types share their name") && wrong[1].starts_with("  X: a.rs:1, "),
            "{wrong:?}"
        );
    }
}
