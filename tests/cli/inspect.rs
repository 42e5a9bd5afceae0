//! `inspect` on logs that are not as they were written, and on those that it
//! finds by itself.

use crate::support::{Ended, Place, lines, runs};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use std::path::PathBuf;

/// The file with the lines of the first run's only process.
fn items_file(place: &Place) -> PathBuf {
    let run = &runs(&place.path("log"))[0];
    let mut entries = std::fs::read_dir(run).expect("a run").map(|entry| entry.expect("an entry").path());
    let is_it =
        |path: &PathBuf| path.to_string_lossy().contains("/worker-") && path.extension().is_some_and(|e| e == "jsonl");
    entries.find(is_it).expect("a file of items")
}

fn logged() -> Place {
    let place = Place::new();
    place.run_on(&["-t", "sqrt", "-j1", "-q", "--log-dir", "log"], lines(20)).ok();
    place
}

#[test]
fn unreadable_lines_are_skipped_and_counted() {
    let place = logged();
    let file = items_file(&place);
    let text = std::fs::read_to_string(&file).expect("lines");
    let mut broken: Vec<&str> = text.lines().collect();
    (broken[3], broken[7]) = ("{\"item\":3,\x1b[2J", "{\"item\":7}");
    std::fs::write(&file, broken.join("\n") + "\n").expect("it is written");
    let told = "note: 2 lines of the log can't be read and are left out; the first: log/run-1/worker-0-0-";
    for (question, left) in [(&["--slowest", "20"][..], 18 + 1), (&["--slowest", "1"], 1 + 1)] {
        let ended = place.run(&[&["inspect", "log"], question].concat());
        assert!(ended.err.contains(told) && !ended.err.contains('\x1b'), "{}", ended.err);
        assert_eq!(ended.ok().lines().count(), left, "{question:?}");
    }
    let ended = place.run(&["inspect", "log", "--inputs"]).fails(1, told);
    assert_eq!(ended.out.lines().count(), 18, "what can't be given back is no success");
    let ended = place.run(&["inspect", "log", "--report", "p.html", "--trace", "t.json", "--timings", "t.csv"]);
    assert_eq!(ended.err.matches(told).count(), 1, "{}", ended.err);
    ended.ok();
    assert_eq!(place.read("t.json").matches("\"cat\":\"item\"").count(), 18);
}

#[test]
fn a_damaged_log_file_hides_no_other_file() {
    let place = logged();
    let file = place.path("log/run-1/workers.jsonl");
    let text = std::fs::read_to_string(&file).expect("lines");
    std::fs::write(&file, format!("{{}}\n{text}")).expect("it is written");
    std::fs::write(place.path("log/run-2"), "no folder").expect("it is written");
    let told = "note: 1 line of the log can't be read and is left out: log/run-1/workers.jsonl: ";
    for files in [&[][..], &["--report", "p.html", "--timings", "t.csv"]] {
        let ended = place.run(&[&["inspect", "log"], files].concat());
        assert_eq!(ended.err.matches(told).count(), 1, "{}", ended.err);
        let out = ended.ok();
        assert!(out.contains("\nworker ") && !out.contains("interrupted"), "{out}");
    }
    assert_eq!(place.run(&["inspect", "log", "--slowest", "5"]).ok().lines().count(), 6);
}

#[test]
fn a_pipe_in_the_place_of_a_file_is_refused_at_once() {
    for name in ["items", "run-1/workers.jsonl", "run-1/run.json", "study.json", "lock"] {
        let place = logged();
        let path = if name == "items" { items_file(&place) } else { place.path("log").join(name) };
        std::fs::remove_file(&path).expect("it was there");
        mkfifo(&path, Mode::S_IRWXU).expect("a pipe");
        let ended = place.run(&["inspect", "log", "--slowest", "3"]);
        // Nobody asks who else has the log in use, or what a process's end was.
        if ["lock", "run-1/workers.jsonl"].contains(&name) {
            ended.ok();
            continue;
        }
        let _: Ended = ended.fails(2, "is no regular file");
    }
}

#[test]
fn the_latest_log_is_found_wherever_it_went() {
    let place = Place::new();
    let latest = || place.run(&["inspect"]).ok().lines().next().unwrap_or_default().to_owned();
    place.run(&["-t", "sqrt", "--list", "4", "-q"]).ok();
    assert!(latest().contains("/state/procession/"), "{}", latest());
    place.run(&["-t", "sqrt", "--list", "4", "-q", "--log-dir", "here/it is"]).ok();
    assert!(latest().ends_with("/here/it is"), "{}", latest());
    place.run(&["-t", "sqrt", "--list", "4", "-q"]).ok();
    assert!(latest().contains("/state/procession/"), "{}", latest());
    place.run(&["-t", "sqrt", "--list", "4", "-q", "--log-dir", "there"]).ok();
    std::fs::remove_dir_all(place.path("there")).expect("a log");
    assert!(latest().contains("/state/procession/"), "it has gone: {}", latest());
}
