//! `cargo xtask tidy`: this repository's own rules, checked over the files that
//! git knows, so that nobody has to remember them.

mod faults;
mod tokens;
mod lengths;
mod paths;
mod modules;
mod rooms;
mod types;

use crate::cargo::root;
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// Words that no file may hold, each in two halves so that this one does not:
/// hosts of package registries, and folders of one person's machine.
const FORBIDDEN: &[(&str, &str)] =
    &[("crates", ".io"), ("docs", ".rs/"), ("/ho", "me/"), ("/ro", "ot/"), ("/wo", "rk/"), ("/Us", "ers/")];

/// Files that others write.
const NOT_OURS: &[&str] = &["Cargo.lock", "fuzz/Cargo.lock", "LICENSE-APACHE", "LICENSE-MIT"];

/// Checks every file and names everything that is wrong.
pub(crate) fn run() -> Result<()> {
    let listed = Command::new("git").current_dir(root()).args(["ls-files", "-z"]).output().context("can't run git")?;
    ensure!(listed.status.success(), "git ls-files ended with {}", listed.status);
    let names = String::from_utf8(listed.stdout).context("a file's name is not UTF-8")?;
    let mut problems = Vec::new();
    let mut sources = BTreeMap::new();
    for name in names.split_terminator('\0').filter(|name| !NOT_OURS.contains(name)) {
        // Pictures and archives are not read; a deleted file is not there yet.
        if let Ok(text) = fs::read_to_string(root().join(name)) {
            problems.extend(check_file(name, &text));
            if name.ends_with(".rs") {
                sources.insert(name.to_owned(), text);
            }
        }
    }
    let roots: Vec<&str> = sources.keys().map(String::as_str).filter(|name| has_rooms(name)).collect();
    problems.extend(rooms::check(&roots, &sources));
    problems.extend(types::check(&sources));
    let read = |name: &str| fs::read_to_string(root().join(name)).ok();
    problems.extend(faults::check(&read(faults::FILE).unwrap_or_default(), read));
    if problems.is_empty() {
        return Ok(());
    }
    bail!("{}", problems.join("\n"))
}

/// What is wrong with one file.
fn check_file(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for word in FORBIDDEN.iter().map(|(a, b)| format!("{a}{b}")).filter(|word| names_it(line, word)) {
            problems.push(format!("{name}:{}: '{word}' does not belong here", index + 1));
        }
    }
    if name.ends_with(".rs") {
        problems.extend(check_source(name, text));
    }
    if name == "crates/scheduler/Cargo.toml" && depends_on_something(text) {
        problems.push(format!("{name}: the scheduler is pure: it depends on nothing but std"));
    }
    problems
}

/// Whether a line holds the word; a path counts only where it begins.
fn names_it(line: &str, word: &str) -> bool {
    let begins_a_path = |at: usize| !line[..at].ends_with(|c: char| c.is_alphanumeric() || "._-}".contains(c));
    line.match_indices(word).any(|(at, _)| !word.starts_with('/') || begins_a_path(at))
}

fn check_source(name: &str, text: &str) -> Vec<String> {
    let mut problems = Vec::new();
    if !text.starts_with("//!") {
        problems.push(format!("{name}: says nothing about why it exists (//! at the top)"));
    }
    problems.extend(lengths::check(name, text));
    if is_crate_root(name) && !text.contains("#![forbid(unsafe_code)]") {
        problems.push(format!("{name}: a crate root without #![forbid(unsafe_code)]"));
    }
    problems
}

/// Whether this is the root of a crate that must do without `unsafe`: all that
/// is built for users, but the one whose task it is.
fn is_crate_root(name: &str) -> bool {
    let path = Path::new(name);
    let in_folder = |folder: &str| path.parent().is_some_and(|parent| parent.ends_with(folder));
    let is_root = name.ends_with("src/lib.rs") || name.ends_with("main.rs") || in_folder("src/bin");
    is_root && !name.starts_with("crates/sys/") && !name.starts_with("tests/")
}

/// Whether this is the root of a crate with several files.
fn has_rooms(name: &str) -> bool {
    name.ends_with("/lib.rs") || name.ends_with("/main.rs")
}

fn depends_on_something(manifest: &str) -> bool {
    let mut lines = manifest.lines().skip_while(|line| line.trim() != "[dependencies]").skip(1);
    lines.find(|line| !line.trim().is_empty() && !line.starts_with('#')).is_some_and(|line| !line.starts_with('['))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_say_why_they_exist() {
        assert!(check_file("a/b.rs", "//! Why.\n").is_empty());
        assert_eq!(check_file("a/b.rs", "fn main() {}\n").len(), 1);
        assert!(check_file("a/b.md", "text\n").is_empty());
    }

    #[test]
    fn crate_roots_forbid_unsafe() {
        for name in ["crates/a/src/lib.rs", "crates/worker/main.rs", "xtask/src/bin/x.rs"] {
            assert_eq!(check_file(name, "//! Why.\n").len(), 1, "{name}");
            assert!(check_file(name, "//! Why.\n#![forbid(unsafe_code)]\n").is_empty(), "{name}");
        }
        for name in ["crates/sys/src/lib.rs", "tests/cli/main.rs"] {
            assert!(check_file(name, "//! Why.\n").is_empty(), "{name}");
        }
    }

    #[test]
    fn forbidden_words_are_found_with_their_line() {
        let home = format!("see {}me/x", "/ho");
        assert!(check_file("a.md", &format!("one\n{home}\n"))[0].starts_with("a.md:2:"));
        assert!(check_file("a.md", &format!("{}{}", "crates", ".io"))[0].contains("does not belong"));
        assert!(check_file("a.md", &format!("target{}rk/", "/wo")).is_empty(), "a folder inside another");
    }

    #[test]
    fn the_scheduler_depends_on_nothing() {
        let name = "crates/scheduler/Cargo.toml";
        assert!(check_file(name, "[dependencies]\n\n[lints]\nworkspace = true\n").is_empty());
        assert!(check_file(name, "[package]\nname = \"x\"\n[dependencies]\n").is_empty());
        assert_eq!(check_file(name, "[dependencies]\nserde = \"1\"\n").len(), 1);
    }
}
