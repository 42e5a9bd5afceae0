//! Who did what: the log folder, and what `inspect` makes of it.

use crate::support::{Place, item_lines, json_lines, lines, runs, until};
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
fn each_log_level_writes_its_files() {
    let place = Place::new();
    place.run_on(&["-t", "sqrt", "--log", "off"], lines(10)).ok();
    assert!(!place.path("state").join("procession").exists());
    place.run_on(&["-t", "sqrt", "-j2", "--log", "chunk", "--log-dir", "log"], lines(1000)).ok();
    let chunks = item_lines(&runs(&place.path("log"))[0]);
    assert_eq!(chunks.iter().map(|line| line["items"].as_u64().expect("a count")).sum::<u64>(), 1000);
    let folders = || {
        let entries = std::fs::read_dir(place.path("state/procession")).expect("a folder");
        entries.filter(|entry| entry.as_ref().is_ok_and(|entry| entry.path().is_dir())).count()
    };
    assert_eq!(folders(), 0, "only a note of where the log is");
    place.run_on(&["-t", "sqrt"], lines(10)).ok();
    assert_eq!(folders(), 1);
}

#[test]
fn the_tables_after_a_run() {
    let place = Place::new();
    let ended = place.run_on(&["-t", "sqrt", "-j2", "--log-dir", "log", "--summary", "full"], lines(100));
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

/// A killed coordinator writes no end; what stands there is shown all the same.
#[test]
fn inspect_reads_what_a_killed_coordinator_left() {
    use std::io::{BufRead, Write};
    let place = Place::new();
    let args = ["-t", "misbehave", "-j2", "-k", "--retries", "0", "--log-dir", "log"];
    let mut child = place.command(&args).stdin(std::process::Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    let hostile = "fail \u{1b}]0;evil\u{7}\u{9b}\u{202e}";
    write!(stdin, "{}{hostile}\nabort\n{}", lines(20), lines(20)).expect("written");
    let mut out = std::io::BufReader::new(child.stdout.take().expect("its output")).lines();
    (0..42).for_each(|_| drop(out.next().expect("a result").expect("text")));
    // Handed to the system, like the other lines, once nothing more comes.
    let run = place.path("log/run-1");
    until("the lines are in the log", || item_count(&run) == 42);
    child.kill().expect("it is killed");
    child.wait().expect("it is reaped");
    let inspect = |args: &[&str]| place.run(&[&["inspect", "log"], args].concat());
    let says = "run 1 did not end";
    let overview = inspect(&[]).fails(0, says);
    assert!(overview.out.contains("interrupted"), "{}", overview.out);
    let failures = inspect(&["--failures"]).fails(0, says).out;
    assert!(failures.contains("SIGABRT") && failures.contains("evil"), "{failures}");
    assert!(!failures.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{failures:?}");
    assert_eq!(inspect(&["--slowest", "3"]).fails(0, says).out.lines().count(), 4);
    assert!(inspect(&["--item", "7"]).fails(0, says).out.contains('8'));
    assert_eq!(inspect(&["--inputs"]).fails(0, says).out.lines().count(), 42);
    serde_json::from_str::<serde_json::Value>(&inspect(&["--json"]).fails(0, says).out).expect("JSON");
    // Torn by whatever took the machine down.
    for entry in std::fs::read_dir(&run).expect("a run").map(|entry| entry.expect("an entry").path()) {
        let bytes = std::fs::read(&entry).expect("a file");
        std::fs::write(&entry, &bytes[..bytes.len().saturating_sub(9)]).expect("torn");
    }
    for args in [&[][..], &["--failures"], &["--slowest", "3"], &["--item", "7"], &["--json"]] {
        inspect(args).fails(0, says);
    }
    std::fs::remove_file(run.join("run.json")).expect("removed");
    std::fs::remove_file(run.join("workers.jsonl")).expect("removed");
    for args in [&[][..], &["--failures"], &["--json"]] {
        inspect(args).fails(0, says);
    }
}

/// Whole lines about items, while they are being written.
fn item_count(run: &std::path::Path) -> usize {
    let Ok(entries) = std::fs::read_dir(run) else { return 0 };
    let files = entries.flatten().filter(|entry| {
        let name = entry.file_name().into_string().unwrap_or_default();
        name.starts_with("worker-") && name.ends_with(".jsonl")
    });
    files.map(|file| std::fs::read_to_string(file.path()).unwrap_or_default().matches('\n').count()).sum()
}

/// Everything that is said about a death stands in one line.
#[test]
fn a_lost_item_is_named_with_all_that_is_known() {
    let place = Place::new();
    let input = "1\nabort \u{1b}[31m\u{9b}\u{202e}\n";
    let ended = place.run_on(&["-t", "misbehave", "-j1", "-k", "--log-dir", "log"], input);
    let line = ended.err.lines().find(|line| line.starts_with("  -:2:1: ")).expect("the item").to_owned();
    for word in ["abort", "crashed", "SIGABRT", "(PID ", "3 attempts", "see log/run-1/worker-0-"] {
        assert!(line.contains(word), "{word}: {line}");
    }
    assert!(!ended.err.contains(|c: char| c.is_control() && c != '\n' || c == '\u{202e}'), "{:?}", ended.err);
    let file = line.rsplit("see ").next().and_then(|rest| rest.split(')').next()).expect("a file");
    assert!(place.path(file).is_file(), "{file}");
}

/// Nobody else's link decides where the log is written.
#[test]
fn links_in_the_log_s_place_are_not_followed() {
    let place = Place::new();
    std::fs::create_dir(place.path("log")).expect("a folder");
    std::os::unix::fs::symlink(place.path("victim"), place.path("log/run-1")).expect("a link");
    std::os::unix::fs::symlink(place.path("victim2"), place.path("log/study.json.new")).expect("a link");
    let args = ["-t", "sqrt", "--list", "4", "--log-dir", "log"];
    place.run(&args).fails(2, "already holds the log of another call");
    std::fs::remove_file(place.path("log/run-1")).expect("removed");
    place.run(&args).ok();
    assert!(!place.path("victim").exists() && !place.path("victim2").exists());
}
