//! The modules of a crate, from the `mod` lines of its files, and which file
//! imports from which.
//!
//! An import is a path in a `use` or anywhere else in the source. A path leads to
//! the file of the longest prefix that is a module. Where that file only imports
//! the next name itself, the path leads on to where the name comes from.

use super::paths::{self, ModulePath, Use};
use super::tokens::{Token, tokens, without_tests};
use std::collections::BTreeMap;

/// How many imports of a name are followed: more are a circle of names.
const MOST_STEPS: usize = 8;

/// The modules of a crate that are files; the root is the first.
pub(super) struct Modules {
    modules: Vec<Module>,
}

/// One of them.
pub(super) struct Module {
    /// Its file's path in the repository.
    pub(super) file: String,
    /// Its path in the crate; the root's is empty.
    pub(super) path: Vec<String>,
    /// Modules below it: their names and places, in the order of their `mod` lines.
    pub(super) children: Vec<(String, usize)>,
    paths: Vec<ModulePath>,
    uses: Vec<Use>,
}

/// A file imports from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The first line that imports.
    pub(super) line: usize,
}

impl Modules {
    /// The modules that this root file leads to, without those of tests.
    pub(super) fn of(root: &str, sources: &BTreeMap<String, String>) -> Self {
        let mut crate_modules = Self { modules: Vec::new() };
        crate_modules.add(root, Vec::new(), sources);
        crate_modules
    }

    fn add(&mut self, file: &str, path: Vec<String>, sources: &BTreeMap<String, String>) -> usize {
        let all = tokens(sources.get(file).map_or("", String::as_str));
        let code = without_tests(&all);
        let own = self.modules.len();
        let (paths, uses) = paths::find(&code);
        self.modules.push(Module { file: file.to_owned(), path: path.clone(), children: Vec::new(), paths, uses });
        for name in declared(&code) {
            if let Some(below) = file_of(file, path.is_empty(), name, sources) {
                let path = path.iter().cloned().chain([name.to_owned()]).collect();
                let child = self.add(&below, path, sources);
                self.modules[own].children.push((name.to_owned(), child));
            }
        }
        own
    }

    /// All modules; an [`Import`] names them by their place here.
    pub(super) fn all(&self) -> &[Module] {
        &self.modules
    }

    /// Which file imports from which, each pair once.
    pub(super) fn imports(&self) -> Vec<Import> {
        let mut found: BTreeMap<(usize, usize), usize> = BTreeMap::new();
        for (from, module) in self.modules.iter().enumerate() {
            for path in &module.paths {
                if let Some(to) = self.target(from, path).filter(|&to| to != from) {
                    found.entry((from, to)).or_insert(path.line);
                }
            }
        }
        found.into_iter().map(|((from, to), line)| Import { from, to, line }).collect()
    }

    /// Where a path in a module leads, unless it leaves the crate.
    fn target(&self, from: usize, path: &ModulePath) -> Option<usize> {
        Some(self.resolve(&self.absolute(from, path)?, MOST_STEPS))
    }

    /// The path from the crate's root.
    fn absolute(&self, from: usize, path: &ModulePath) -> Option<Vec<String>> {
        let module = &self.modules[from];
        let mut base: Vec<String> = module.path.iter().chain(&path.inside).cloned().collect();
        let mut words = path.words.iter().peekable();
        match words.peek()?.as_str() {
            "crate" => base = Vec::new(),
            "self" | "super" => {}
            child => return module.child(child).map(|_| [&base[..], &path.words[..]].concat()),
        }
        while let Some(word) = words.next_if(|word| ["crate", "self", "super"].contains(&word.as_str())) {
            if word == "super" {
                base.pop();
            }
        }
        base.extend(words.cloned());
        Some(base)
    }

    fn resolve(&self, path: &[String], steps: usize) -> usize {
        let (mut at, mut rest) = (0, path);
        while let Some((child, behind)) =
            rest.split_first().and_then(|(name, behind)| self.modules[at].child(name).zip(Some(behind)))
        {
            (at, rest) = (child, behind);
        }
        let imported = |name: &String| self.modules[at].uses.iter().find(|import| import.name == *name);
        match rest.split_first().and_then(|(name, behind)| imported(name).zip(Some(behind))) {
            Some((import, behind)) if steps > 0 => match self.absolute(at, &import.path) {
                Some(path) => self.resolve(&[&path[..], behind].concat(), steps - 1),
                // The name is another crate's.
                None => at,
            },
            _ => at,
        }
    }
}

impl Module {
    fn child(&self, name: &str) -> Option<usize> {
        self.children.iter().find(|(child, _)| child == name).map(|(_, at)| *at)
    }
}

/// The names of `mod NAME;` lines.
fn declared<'a>(code: &[Token<'a>]) -> Vec<&'a str> {
    let is_line = |three: &&[Token<'_>]| three[0].text == "mod" && three[2].text == ";";
    code.windows(3).filter(is_line).map(|three| three[1].text).collect()
}

/// The file of the module `name` that `file` declares.
fn file_of(file: &str, is_root: bool, name: &str, sources: &BTreeMap<String, String>) -> Option<String> {
    let (folder, own) = file.rsplit_once('/').unwrap_or(("", file));
    let folder = match own.strip_suffix(".rs") {
        Some(stem) if !is_root && stem != "mod" => format!("{folder}/{stem}"),
        _ => folder.to_owned(),
    };
    let names = [format!("{folder}/{name}.rs"), format!("{folder}/{name}/mod.rs")];
    names.into_iter().find(|name| sources.contains_key(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The imports of a crate of these files, as `a -> b`.
    fn imports(files: &[(&str, &str)]) -> Vec<String> {
        let sources = files.iter().map(|(name, text)| (format!("src/{name}"), (*text).to_owned())).collect();
        let modules = Modules::of("src/lib.rs", &sources);
        let name = |at: usize| modules.all()[at].file.trim_start_matches("src/").trim_end_matches(".rs").to_owned();
        modules.imports().iter().map(|import| format!("{} -> {}", name(import.from), name(import.to))).collect()
    }

    #[test]
    fn a_path_leads_to_the_longest_prefix_that_is_a_file() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a/mod.rs", "mod c; fn f() { c::g() }"),
            ("a/c.rs", "use super::super::b::{self, X::{Y, Z}}; use std::fs;"),
            ("b.rs", "pub(crate) struct X; fn f() -> crate::a::c::T {}"),
        ];
        assert_eq!(imports(&files), ["a/mod -> a/c", "a/c -> b", "b -> a/c"]);
    }

    #[test]
    fn a_name_that_is_handed_on_leads_to_its_origin() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::Thing;"),
            ("a/mod.rs", "mod c; pub use c::Real as Thing; pub struct Own;"),
            ("a/c.rs", "pub struct Real;"),
            ("b.rs", "use crate::Thing; use crate::a::Own;"),
        ];
        assert_eq!(imports(&files), ["b -> a/mod", "b -> a/c"]);
    }

    #[test]
    fn tests_and_other_crates_are_no_imports() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use clap::b; #[cfg(test)] mod tests { use crate::b::X; } #[cfg(test)] mod more;"),
            ("a/more.rs", "use crate::b::X;"),
            ("b.rs", "mod inner { use super::super::a; pub(in crate::a) struct X; }"),
        ];
        assert_eq!(imports(&files), ["b -> a"]);
        let files = [("lib.rs", "mod a; mod b;"), ("a.rs", "mod inside { fn f() { super::g() } }"), ("b.rs", "")];
        assert!(imports(&files).is_empty());
    }
}
