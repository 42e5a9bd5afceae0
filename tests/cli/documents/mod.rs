//! The documents: their links lead somewhere, and their shell examples run.
//!
//! A block of code that is fenced as `sh` is run by `sh -e`, in a folder of its
//! own that holds copies of the sample files. It must end with status 0, or with
//! the one that its fence gives (`sh status=1`). A block `sh no-run` is not run,
//! nor is a block in another language.

mod markdown;

use crate::support::Place;
use markdown::{Part, anchors, links, parts};
use std::path::{Path, PathBuf};

/// The documents in the repository's own folder.
const PAGES: [&str; 4] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"];
/// The chapters of the guide; `SUMMARY.md` is its table of contents.
const GUIDE: &str = "docs/src";
/// The folders whose files each example finds in its own folder.
const SAMPLES: [&str; 2] = ["data", "docs/examples"];
/// An example that runs longer is ended, with status 124.
const MOST_SECONDS: u32 = 120;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(document: impl AsRef<Path>) -> String {
    let document = document.as_ref();
    std::fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{}: {error}", document.display()))
}

fn files(folder: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("{folder}: {error}"));
    entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect()
}

/// All documents, by their names from the repository's folder.
fn documents() -> Vec<String> {
    let chapters = files(GUIDE).into_iter().filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()));
    let chapters = chapters.filter(|name| name.ends_with(".md")).map(|name| format!("{GUIDE}/{name}"));
    PAGES.into_iter().map(str::to_owned).chain(chapters).collect()
}

/// What is wrong with a link of a document.
fn broken(document: &str, target: &str) -> Option<String> {
    if target.contains("://") {
        return None;
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let folder = Path::new(document).parent().unwrap_or(Path::new(""));
    let file = if file.is_empty() { PathBuf::from(document) } else { folder.join(file) };
    if !root().join(&file).exists() {
        return Some(format!("there is no {}", file.display()));
    }
    let is_missing = !anchor.is_empty() && !anchors(&read(&file)).contains(anchor);
    is_missing.then(|| format!("{} has no heading #{anchor}", file.display()))
}

#[test]
fn links_of_the_documents_lead_to_files_and_headings() {
    let (mut count, mut problems) = (0, Vec::new());
    for document in documents() {
        for (line, target) in links(&read(&document)) {
            count += 1;
            problems.extend(broken(&document, &target).map(|what| format!("{document}:{line}: {what}")));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(count > 20, "only {count} links were found");
}

#[test]
fn the_guides_table_of_contents_has_every_chapter() {
    let contents = links(&read(Path::new(GUIDE).join("SUMMARY.md")));
    let is_listed = |chapter: &str| contents.iter().any(|(_, target)| target == chapter);
    let chapters = documents().into_iter().filter_map(|name| Some(name.strip_prefix(GUIDE)?[1..].to_owned()));
    let missing: Vec<String> = chapters.filter(|name| name != "SUMMARY.md" && !is_listed(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// The status that a shell example must end with; `None` if it is not to be run.
fn expected_status(fence: &str) -> Option<i32> {
    match fence.split_whitespace().collect::<Vec<_>>()[..] {
        ["sh"] => Some(0),
        ["sh", "no-run"] => None,
        ["sh", status] => {
            let status = status.strip_prefix("status=").and_then(|status| status.parse().ok());
            Some(status.unwrap_or_else(|| panic!("`{fence}`: neither `no-run` nor `status=N`")))
        }
        _ => None,
    }
}

/// Runs a shell example in a folder of its own; returns what is wrong with it.
fn run(script: &str, expected: i32) -> Option<String> {
    let place = Place::new();
    for sample in SAMPLES.into_iter().flat_map(files) {
        std::fs::copy(&sample, place.path("").join(sample.file_name()?)).expect("a sample is copied");
    }
    let output = place.shell(MOST_SECONDS, script).output().expect("the shell starts");
    let is_expected = output.status.code() == Some(expected);
    let errors = String::from_utf8_lossy(&output.stderr);
    (!is_expected).then(|| format!("{}, not {expected}\n{script}{errors}", output.status))
}

#[test]
fn shell_examples_of_the_documents_run() {
    let (mut count, mut problems) = (0, Vec::new());
    for document in documents() {
        for part in parts(&read(&document)) {
            let Part::Code { line, fence, text } = part else { continue };
            if let Some(status) = expected_status(fence) {
                count += 1;
                problems.extend(run(&text, status).map(|what| format!("{document}:{line}: {what}")));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(count > 20, "only {count} examples were found");
}

#[test]
fn a_shell_example_that_fails_is_told() {
    assert_eq!(["sh", "sh status=3", "sh no-run", "text"].map(expected_status), [Some(0), Some(3), None, None]);
    assert_eq!(run("coordinator --version\nls primes-8-digit.txt\nexit 3\n", 3), None);
    let problem = run("coordinator --unknown\ntrue\n", 0).expect("a problem");
    assert!(problem.contains("status: 2, not 0") && problem.contains("--unknown"), "{problem}");
}
