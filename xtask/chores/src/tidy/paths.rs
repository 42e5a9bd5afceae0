//! The paths that a source file names: in `use` items, with their groups taken
//! apart, and in expressions and types.
//!
//! A `pub use` only hands a name on. It counts as an import where the file uses
//! the name itself.

use super::tokens::{Token, end_of_group};
use std::collections::BTreeSet;

/// A path as it is written, without the name behind `as`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ModulePath {
    pub(super) words: Vec<String>,
    /// The modules within the file around it (`mod NAME { … }`), outermost first.
    pub(super) inside: Vec<String>,
    pub(super) line: usize,
}

/// A name that a `use` at the top level of a file brings in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) name: String,
    pub(super) path: ModulePath,
}

/// All paths, and the names that the file imports.
pub(super) fn find(code: &[Token<'_>]) -> (Vec<ModulePath>, Vec<Use>) {
    let mut reader = Reader { code, paths: Vec::new(), uses: Vec::new() };
    let mut handed_on = Vec::new();
    let mut words = BTreeSet::new();
    // The groups in braces around the current place: a module's name, or none.
    let mut open: Vec<Option<&str>> = Vec::new();
    let mut at = 0;
    while at < code.len() {
        let inside = || open.iter().flatten().map(|name| (*name).to_owned()).collect();
        let path = || ModulePath { words: Vec::new(), inside: inside(), line: code[at].line };
        at = match code[at].text {
            "use" if is_public(code, at) => {
                let before = reader.paths.len();
                let end = reader.tree(at + 1, &path(), open.is_empty());
                handed_on.extend(reader.paths.drain(before..));
                end
            }
            "use" => reader.tree(at + 1, &path(), open.is_empty()),
            "{" => {
                let is_module = at >= 2 && code[at - 2].text == "mod";
                open.push(is_module.then(|| code[at - 1].text));
                at + 1
            }
            "}" => {
                open.pop();
                at + 1
            }
            _ if reader.begins_path(at) => {
                words.insert(code[at].text);
                reader.path(at, path())
            }
            word => {
                words.insert(word);
                at + 1
            }
        };
    }
    let is_used = |path: &ModulePath| {
        reader.uses.iter().any(|import| import.path == *path && words.contains(import.name.as_str()))
    };
    let used: Vec<ModulePath> = handed_on.into_iter().filter(is_used).collect();
    reader.paths.extend(used);
    (reader.paths, reader.uses)
}

/// Whether the `use` here is `pub`, or `pub(…)`: nothing else ends in a bracket
/// before it.
fn is_public(code: &[Token<'_>], at: usize) -> bool {
    at.checked_sub(1).is_some_and(|before| ["pub", ")"].contains(&code[before].text))
}

struct Reader<'a> {
    code: &'a [Token<'a>],
    paths: Vec<ModulePath>,
    uses: Vec<Use>,
}

impl Reader<'_> {
    fn text(&self, at: usize) -> &str {
        self.code.get(at).map_or("", |token| token.text)
    }

    fn is_word(&self, at: usize) -> bool {
        self.code.get(at).is_some_and(Token::is_word)
    }

    /// Whether a path of two words or more begins here. The path of `pub(in …)`
    /// imports nothing.
    fn begins_path(&self, at: usize) -> bool {
        let before = if at == 0 { "" } else { self.text(at - 1) };
        let is_visibility = before == "in" && at >= 2 && self.text(at - 2) == "(";
        self.is_word(at) && self.text(at + 1) == "::" && !["::", "."].contains(&before) && !is_visibility
    }

    /// Takes the path that begins here; returns the place behind it.
    fn path(&mut self, from: usize, mut path: ModulePath) -> usize {
        path.words.push(self.text(from).to_owned());
        let mut at = from + 1;
        while self.text(at) == "::" && self.is_word(at + 1) {
            path.words.push(self.text(at + 1).to_owned());
            at += 2;
        }
        self.paths.push(path);
        at
    }

    /// Takes the paths of a `use` behind this prefix; returns the place behind them.
    fn tree(&mut self, from: usize, prefix: &ModulePath, binds: bool) -> usize {
        let mut path = prefix.clone();
        let mut at = from;
        loop {
            match self.text(at) {
                "::" => at += 1,
                "{" => {
                    let end = end_of_group(self.code, at);
                    at += 1;
                    while at < end - 1 {
                        at = self.tree(at, &path, binds);
                        at += usize::from(self.text(at) == ",");
                    }
                    return end;
                }
                "*" => {
                    self.paths.push(path);
                    return at + 1;
                }
                "self" if !path.words.is_empty() => at += 1,
                "as" => {
                    let name = self.text(at + 1).to_owned();
                    self.import(path, name, binds);
                    return at + 2;
                }
                _ if self.is_word(at) => {
                    path.words.push(self.text(at).to_owned());
                    at += 1;
                }
                _ => {
                    let name = path.words.last().cloned().unwrap_or_default();
                    self.import(path, name, binds);
                    return at;
                }
            }
        }
    }

    fn import(&mut self, path: ModulePath, name: String, binds: bool) {
        self.paths.push(path.clone());
        if binds {
            self.uses.push(Use { name, path });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn paths(source: &str) -> Vec<String> {
        find(&tokens(source)).0.iter().map(|path| path.words.join("::")).collect()
    }

    #[test]
    fn groups_are_taken_apart() {
        assert_eq!(
            paths("use crate::a::{self, b::{C, D as E}, f::*}; x"),
            ["crate::a", "crate::a::b::C", "crate::a::b::D", "crate::a::f"]
        );
        assert_eq!(paths("use ::std::fs;"), ["std::fs"]);
    }

    #[test]
    fn paths_stand_anywhere() {
        assert_eq!(paths("fn a(b: crate::c::D<super::E>) { f::g(h.i::<j>()) }"), ["crate::c::D", "super::E", "f::g"]);
        assert!(paths("pub(in crate::a) struct X { y: u8 }").is_empty());
    }

    #[test]
    fn a_name_that_is_only_handed_on_is_not_imported() {
        assert!(paths("pub use a::B; pub(crate) use c::{D, E as F}; fn f() {}").is_empty());
        assert_eq!(paths("pub use a::B; pub(crate) use c::{D, E as F}; fn f(f: F) -> B {}"), ["a::B", "c::E"]);
    }

    #[test]
    fn names_are_bound_at_the_top_level_only() {
        let (_, uses) = find(&tokens("use a::b as c; fn f() { use d::e; } mod m { use g::h; fn i() { super::j() } }"));
        assert_eq!(uses.iter().map(|import| import.name.as_str()).collect::<Vec<_>>(), ["c"]);
        let (paths, _) = find(&tokens("mod m { fn i() { super::j() } }"));
        assert_eq!(paths[0].inside, ["m"]);
    }
}
