//! Who did what: the log folder, and what `inspect` makes of it.

use crate::support::{Place, item_lines, json_lines, lines, runs};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;

#[test]
fn every_item_has_exactly_one_line() {
    let place = Place::new();
    place.run_on(&["-t", "sqrt", "-j3", "--log-dir", "log"], lines(5000)).ok();
    let run = runs(&place.path("log")).remove(0);
    let mut seen = BTreeMap::new();
    for line in item_lines(&run) {
        let item = line["item"].as_u64().expect("an index");
        assert_eq!(line["input"], (item + 1).to_string());
        let output = line["output"].as_f64().expect("a number");
        assert!((output - ((item + 1) as f64).sqrt()).abs() < 1e-12, "{line}");
        for field in ["pid", "host", "worker", "chunk", "attempt", "start_us", "duration_us"] {
            assert!(!line[field].is_null(), "{field} in {line}");
        }
        assert!(seen.insert(item, ()).is_none(), "item {item} twice");
    }
    assert_eq!(seen.len(), 5000);
}

#[test]
fn with_as_many_items_as_workers_each_process_has_one() {
    let place = Place::new();
    for _ in 0..5 {
        let log = tempfile::tempdir_in(place.path(".")).expect("a folder");
        let dir = log.path().join("log");
        let dir = dir.to_str().expect("UTF-8");
        place.run(&["-t", "sqrt", "--range", "0..10", "-j10", "--log-dir", dir]).ok();
        let pids: BTreeSet<u64> =
            item_lines(&runs(dir.as_ref())[0]).iter().map(|line| line["pid"].as_u64().expect("a pid")).collect();
        assert_eq!(pids.len(), 10);
    }
}

#[test]
fn a_lost_item_is_logged_with_the_process_it_died_in() {
    let place = Place::new();
    let input = format!("{}abort\n{}", lines(20), lines(20));
    place.run_on(&["-t", "misbehave", "-j2", "-k", "--log-dir", "log"], input).fails(1, "crashed");
    let run = &runs(&place.path("log"))[0];
    let lines = item_lines(run);
    assert_eq!(lines.len(), 41);
    let lost: Vec<_> = lines.iter().filter(|line| !line["error"].is_null()).collect();
    assert_eq!(lost.len(), 1);
    assert_eq!((&lost[0]["item"], &lost[0]["error"]["kind"]), (&20.into(), &"crashed".into()));
    let exits = json_lines(&run.join("workers.jsonl"));
    let died = exits.iter().any(|line| line["pid"] == lost[0]["pid"] && line["signal"].is_number());
    assert!(died, "{exits:?}");
}

#[test]
fn logs_are_for_their_owner_only() {
    let place = Place::new();
    place.run(&["-t", "sqrt", "--list", "4", "--log-dir", "log"]).ok();
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
    let log = place.path("log");
    assert_eq!(mode(&log), 0o700);
    assert_eq!(mode(&log.join("study.json")), 0o600);
    for entry in std::fs::read_dir(log.join("run-1")).expect("a run") {
        assert_eq!(mode(&entry.expect("an entry").path()), 0o600);
    }
}

#[test]
fn levels() {
    let place = Place::new();
    place.run_on(&["-t", "sqrt", "-j2", "--log", "chunk", "--log-dir", "log"], lines(1000)).ok();
    let chunks = item_lines(&runs(&place.path("log"))[0]);
    assert_eq!(chunks.iter().map(|line| line["items"].as_u64().expect("a count")).sum::<u64>(), 1000);
    place.run_on(&["-t", "sqrt", "--log", "off"], lines(10)).ok();
    assert!(!place.path("state").join("procession").exists());
    place.run_on(&["-t", "sqrt"], lines(10)).ok();
    assert!(place.path("state").join("procession").exists());
}

#[test]
fn the_tables_after_a_run() {
    let place = Place::new();
    let ended = place.run_on(&["-t", "sqrt", "-j2", "--log-dir", "log"], lines(100));
    for word in ["procs", "speedup", "pid", "items", "log"] {
        assert!(ended.err.to_lowercase().contains(word), "{word}: {}", ended.err);
    }
    let quiet = place.run_on(&["-t", "sqrt", "-j2", "-q"], lines(100));
    assert_eq!(quiet.err, "");
}

#[test]
fn verbose_lines_are_those_of_the_lecture() {
    let place = Place::new();
    let ended = place.run(&["-t", "sqrt", "--list", "2,4", "-j1", "-v", "--log", "off"]);
    let shown: Vec<&str> = ended.err.lines().filter(|line| line.starts_with("Task <pid ")).collect();
    assert_eq!(shown.len(), 2, "{}", ended.err);
    assert!(shown[0].ends_with(", worker 0> 2 1.4142135623730951"), "{}", shown[0]);
}

#[test]
fn inspect_answers_from_the_log_alone() {
    let place = Place::new();
    let input = format!("{}x\n{}", lines(50), lines(50));
    place.run_on(&["-t", "sqrt", "-j2", "-k", "--log-dir", "log"], input).fails(1, "");
    let inspect = |args: &[&str]| place.run(&[&["inspect", "log"], args].concat());
    let overview = inspect(&[]).ok();
    let pid = item_lines(&runs(&place.path("log"))[0])[0]["pid"].to_string();
    assert!(overview.contains(&pid), "{overview}");
    assert!(inspect(&["--item", "50"]).ok().contains("invalid"));
    assert!(inspect(&["--pid", &pid]).ok().contains(&pid));
    assert!(inspect(&["--failures"]).ok().contains("not a decimal number"));
    assert_eq!(inspect(&["--failures", "--inputs"]).ok(), "x\n");
    assert_eq!(inspect(&["--slowest", "3", "--inputs"]).ok().lines().count(), 3);
    let json: serde_json::Value = serde_json::from_str(&inspect(&["--json"]).ok()).expect("JSON");
    assert!(json.is_object());
    inspect(&["--run", "7"]).fails(2, "7");
    place.run(&["inspect", "nothing-here"]).fails(2, "nothing-here");
}

#[test]
fn inspect_finds_the_latest_log_by_itself() {
    let place = Place::new();
    place.run(&["-t", "sqrt", "--list", "4"]).ok();
    assert!(place.run(&["inspect"]).ok().contains("sqrt"));
}
