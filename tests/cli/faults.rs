//! Items that take too long, want too much or kill their worker; what is tried
//! again, and what becomes of everybody else's items.

use crate::support::{Ended, Place, item_lines, json_lines, lines, roots, runs, workers_of};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

/// So many items with this one in the middle, and what becomes of the others.
fn around(bad: &str) -> String {
    format!("{}{bad}\n{}", lines(20), lines(20))
}

/// The `misbehave` task on a single chunk of all items, two workers.
const IN_ONE_CHUNK: [&str; 10] =
    ["-t", "misbehave", "-j2", "--chunk", "50", "-k", "--format", "jsonl", "--log-dir", "log"];

/// Checks that all items but the one in the middle were given back as they
/// were, each once and in order; returns that one's error.
fn others_are_untouched(ended: &Ended) -> Value {
    let rows: Vec<Value> = ended.out.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert_eq!(rows.len(), 41, "{}", ended.err);
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row["index"], index);
        assert!(index == 20 || row["output"] == row["input"], "{row}");
    }
    rows[20]["error"].clone()
}

/// The item lines of the only run, by item; each item has exactly one.
fn logged(place: &Place) -> BTreeMap<u64, Value> {
    let lines = item_lines(&runs(&place.path("log"))[0]);
    let count = lines.len();
    let by_item: BTreeMap<u64, Value> =
        lines.into_iter().map(|line| (line["item"].as_u64().expect("an index"), line)).collect();
    assert_eq!(by_item.len(), count, "an item is logged twice");
    by_item
}

/// How the workers of the only run ended: status or signal, by pid.
fn exits(place: &Place) -> BTreeMap<u64, (Option<i64>, Option<i64>)> {
    let lines = json_lines(&runs(&place.path("log"))[0].join("workers.jsonl"));
    let ended = lines.iter().filter(|line| line["event"] == "exited");
    ended
        .map(|line| (line["pid"].as_u64().expect("a pid"), (line["status"].as_i64(), line["signal"].as_i64())))
        .collect()
}

#[test]
fn an_item_that_takes_too_long_ends_exactly_inside_its_chunk() {
    for bad in ["hang", "deadlock", "sleep 100000"] {
        let place = Place::new();
        let args = [&IN_ONE_CHUNK[..], &["--timeout", "200ms"]].concat();
        let ended = place.run_on(&args, around(bad)).fails(1, "timed out after 200 ms (PID ");
        let error = others_are_untouched(&ended);
        assert_eq!(error, serde_json::json!({"kind": "timed-out", "message": "ran longer than 200ms"}));
        let logged = logged(&place);
        let (pid, chunk) = (logged[&20]["pid"].as_u64().expect("a pid"), logged[&20]["chunk"].clone());
        assert!(logged[&19]["chunk"] == chunk && logged[&21]["chunk"] == chunk);
        // Its own watchdog ended it, what it had finished was kept, and what
        // came after ran elsewhere.
        assert_eq!(exits(&place)[&pid], (Some(198), None), "{bad}");
        for (item, line) in logged {
            let (same, attempt) = (line["pid"] == pid, line["attempt"].as_u64());
            match item {
                _ if line["chunk"] != chunk => assert_eq!(attempt, Some(1), "{line}"),
                0..=20 => assert!(same && attempt == Some(1), "{line}"),
                _ => assert!(!same && attempt == Some(2), "{line}"),
            }
        }
    }
}

#[test]
fn every_item_has_its_own_time() {
    let place = Place::new();
    // Together they take far longer than one may.
    let input = "sleep 60\n".repeat(10);
    let args = ["-t", "misbehave", "-j1", "--chunk", "10", "--format", "lines", "--timeout", "500ms"];
    assert_eq!(place.run_on(&args, &input).ok(), input);
}

/// All attempts together take far longer than one may, and than a worker may be silent.
#[test]
fn every_attempt_has_its_own_time() {
    for retries in ["12", "unlimited"] {
        let place = Place::new();
        place.file("left", "12");
        let args = ["-t", "misbehave", "-j1", "--chunk", "1", "--format", "lines", "--timeout", "600ms"];
        let again = ["--retry-on", "failed", "--retries", retries];
        // Nothing waits behind it: else its worker's end would be charged to nobody at first.
        let input = "a\nfails-slowly left\n";
        assert_eq!(place.run_on(&[&args[..], &again].concat(), input).ok(), input);
        assert_eq!(place.read("left"), "0");
    }
}

#[test]
fn a_worker_that_is_stopped_is_found() {
    let place = Place::new();
    let args = ["-t", "misbehave", "-j2", "--chunk", "1", "-k", "--timeout", "100ms", "--log-dir", "log"];
    let ended = place.run_on(&args, "a\nstop\nb\n").fails(1, "timed out after 100 ms");
    assert_eq!(ended.out, "a\ta\nstop\t\ttimed-out: ran longer than 100ms\nb\tb\n");
    let pid = logged(&place)[&1]["pid"].as_u64().expect("a pid");
    assert_eq!(exits(&place)[&pid], (None, Some(9)));
}

#[test]
fn an_item_that_wants_too_much_memory_is_named() {
    for bad in ["alloc 1000000000", "leak 1000000000", "long 14000000"] {
        let place = Place::new();
        let args = [&IN_ONE_CHUNK[..], &["--memory-limit", "32M", "--retries", "0"]].concat();
        let ended = place.run_on(&args, around(bad)).fails(1, "1 item failed");
        let error = others_are_untouched(&ended);
        let message = "wanted more memory than 32 MiB";
        assert_eq!(error, serde_json::json!({"kind": "out-of-memory", "message": message}), "{bad}");
        let line = &logged(&place)[&20];
        assert_eq!(exits(&place)[&line["pid"].as_u64().expect("a pid")], (Some(197), None));
        if !bad.starts_with("long") {
            assert_eq!(line["attempt"], 1, "it is named at once");
        }
    }
}

#[test]
fn memory_refused_outside_of_the_allocator_is_a_crash() {
    let place = Place::new();
    let args = [&IN_ONE_CHUNK[..], &["--memory-limit", "32M"]].concat();
    let error = others_are_untouched(&place.run_on(&args, around("thread 1000000000")).fails(1, "3 attempts"));
    assert_eq!(error["message"], "its process was killed by SIGABRT");
}

#[test]
fn without_a_limit_the_same_item_succeeds() {
    let place = Place::new();
    let args = ["-t", "misbehave", "--format", "lines"];
    assert_eq!(place.run_on(&args, "alloc 100000000\nthread 100000000\n").ok(), "alloc 100000000\nthread 100000000\n");
}

#[test]
fn a_limit_that_leaves_nothing_to_work_with_is_refused() {
    let place = Place::new();
    for limit in ["1", "64K", "1M"] {
        place.run(&["-t", "sqrt", "--list", "4", "--memory-limit", limit]).fails(3, "too small");
    }
    for (flag, value) in [("--memory-limit", "0"), ("--timeout", "0"), ("--timeout", "soon"), ("--retry-on", "invalid")]
    {
        place.run(&["-t", "sqrt", "--list", "4", flag, value]).fails(2, flag);
    }
}

#[test]
fn crashes_are_reported_with_signal_or_exit_status() {
    for (bad, cause) in [
        ("abort", "its process was killed by SIGABRT"),
        ("segv", "its process was killed by SIGSEGV"),
        ("kill TERM", "its process was killed by SIGTERM"),
        ("kill KILL", "its process was killed by SIGKILL (out of memory?)"),
        ("exit 7", "its process exited with status 7"),
    ] {
        let place = Place::new();
        let args = [&IN_ONE_CHUNK[..], &["--retries", "1"]].concat();
        let ended = place.run_on(&args, around(bad)).fails(1, "2 attempts");
        let error = others_are_untouched(&ended);
        assert_eq!(error, serde_json::json!({"kind": "crashed", "message": cause}));
    }
}

/// Which outcomes are tried again, and what it is told then.
#[test]
fn only_the_chosen_kinds_of_failure_are_retried() {
    let any = "timed-out,crashed,out-of-memory,failed";
    for (bad, retry_on, says) in [
        ("hang", "crashed,out-of-memory", "timed out after 100 ms (PID "),
        ("hang", "timed-out", ", 2 attempts"),
        ("abort", "timed-out,failed", "killed by SIGABRT (PID "),
        ("abort", "crashed", ", 2 attempts"),
        ("alloc 1000000000", "crashed", "than 32 MiB (PID "),
        ("alloc 1000000000", "out-of-memory", ", 2 attempts"),
        ("fail no", "crashed,out-of-memory", "failed: no (PID "),
        ("fail no", "failed", ", 2 attempts"),
        ("panic no", any, ", 2 attempts"),
    ] {
        let place = Place::new();
        let flags = ["--timeout", "100ms", "--memory-limit", "32M", "--retries", "1", "--retry-on", retry_on];
        let ended = place.run_on(&[&IN_ONE_CHUNK[..], &flags].concat(), around(bad)).fails(1, says);
        others_are_untouched(&ended);
        assert_eq!(ended.err.contains("attempts"), says.contains("attempts"), "{bad}: {}", ended.err);
    }
}

#[test]
fn an_item_is_retried_until_it_succeeds() {
    for (verb, retries, attempts) in
        [("dies", "unlimited", None), ("fails", "unlimited", Some(7)), ("fails", "6", Some(7))]
    {
        let place = Place::new();
        place.file("left", "6");
        let args = [&IN_ONE_CHUNK[..], &["--retries", retries, "--retry-on", "crashed,failed"]].concat();
        let ended = place.run_on(&args, around(&format!("{verb} left")));
        assert_eq!(ended.status, 0, "{}", ended.err);
        assert_eq!(others_are_untouched(&ended), Value::Null);
        assert_eq!(place.read("left"), "0");
        let logged = logged(&place);
        // Where a process died, it counts how often the item was sent.
        let attempt = logged[&20]["attempt"].as_u64();
        assert!(attempts.map_or(attempt >= Some(7), |_| attempt == attempts), "{verb}: {attempt:?}");
    }
}

#[test]
fn a_poison_item_is_singled_out_and_its_neighbours_are_not_charged() {
    let place = Place::new();
    place.file("left", "2");
    // The neighbour dies as often as one item may; were it charged with the
    // other's deaths, it would have failed.
    let input = "a\nabort\ndies left\nb\nabort\nc\n";
    let args = ["-t", "misbehave", "-j2", "--chunk", "6", "-k", "--retries", "1"];
    let ended = place.run_on(&args, input).fails(1, "2 items failed");
    let crashed = "crashed: its process was killed by SIGABRT";
    let expected = format!("a\ta\nabort\t\t{crashed}\ndies left\tdies left\nb\tb\nabort\t\t{crashed}\nc\tc\n");
    assert_eq!(ended.out, expected);
    assert_eq!(ended.err.matches("2 attempts").count(), 2, "{}", ended.err);
    // Where a single charge is fatal, nobody else may be charged at all.
    let args = [&IN_ONE_CHUNK[..], &["--retries", "0"]].concat();
    let error = others_are_untouched(&place.run_on(&args, around("abort")).fails(1, "1 item failed"));
    assert_eq!(error["kind"], "crashed");
}

#[test]
fn failed_items_have_records_in_every_format() {
    let input = "a\nhang\nalloc 1000000000\nabort\n";
    let slow = "timed-out: ran longer than 100ms";
    let large = "out-of-memory: wanted more memory than 32 MiB";
    let dead = "crashed: its process was killed by SIGABRT";
    for (format, expected) in [
        ("tsv", format!("a\ta\nhang\t\t{slow}\nalloc 1000000000\t\t{large}\nabort\t\t{dead}\n")),
        (
            "csv",
            format!("index,input,output,error\n0,a,a,\n1,hang,,{slow}\n2,alloc 1000000000,,{large}\n3,abort,,{dead}\n"),
        ),
        ("lines", "a\n\n\n\n".to_owned()),
    ] {
        let place = Place::new();
        let limits = ["--timeout", "100ms", "--memory-limit", "32M", "--retries", "0"];
        let args = [&["-t", "misbehave", "-k", "--format", format][..], &limits].concat();
        assert_eq!(place.run_on(&args, input).fails(1, "3 items failed").out.replace("\r\n", "\n"), expected);
    }
}

#[test]
fn workers_that_are_replaced_lose_nothing_whatever_happens_meanwhile() {
    let place = Place::new();
    let args = ["-t", "sqrt", "-j3", "--max-tasks-per-worker", "1", "--timeout", "20s", "--memory-limit", "64M"];
    assert_eq!(place.run_on(&args, lines(60)).ok(), roots(60));
    let bad = ["hang", "abort", "alloc 1000000000", "exit 0"];
    let input: String = (0..200).map(|i| format!("{}\n", if i % 50 == 25 { bad[i / 50] } else { "x" })).collect();
    for most in ["1", "3", "7"] {
        let place = Place::new();
        let flags = ["--max-tasks-per-worker", most, "--timeout", "100ms", "--memory-limit", "32M", "--retries", "1"];
        let shape = ["-t", "misbehave", "-j3", "-k", "--format", "lines", "--chunk", "4", "--log-dir", "log"];
        let ended = place.run_on(&[&shape[..], &flags].concat(), &input).fails(1, "4 items failed");
        let expected: String = (0..200).map(|i| if i % 50 == 25 { "\n" } else { "x\n" }).collect();
        assert_eq!(ended.out, expected);
        let logged = logged(&place);
        assert_eq!(logged.len(), 200);
        let mut items = BTreeMap::new();
        logged.values().for_each(|line| *items.entry(line["pid"].as_u64()).or_insert(0) += 1);
        let most: i32 = most.parse().expect("a number");
        assert!(items.values().all(|&count| count <= most), "{items:?}");
    }
}

#[test]
fn what_a_worker_started_ends_with_it() {
    let place = Place::new();
    let input = "spawn 100000000\nhang\nspawn 100000000\nabort\nspawn 100000000\n";
    let args = ["-t", "misbehave", "-j1", "-k", "--timeout", "100ms", "--retries", "0", "--log-dir", "log"];
    place.run_on(&args, input).fails(1, "2 items failed");
    let groups: Vec<u64> = exits(&place).into_keys().collect();
    assert!(groups.len() >= 3, "{groups:?}");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while groups.iter().any(|&group| has_members(group)) {
        assert!(std::time::Instant::now() < deadline, "what a worker started lives on");
        std::thread::yield_now();
    }
}

/// Whether a process runs in this group.
fn has_members(group: u64) -> bool {
    let all = std::fs::read_dir("/proc").expect("/proc").flatten();
    let stats = all.filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok());
    // `pid (name) state ppid pgrp …`
    stats.filter_map(|stat| Some(stat.rsplit_once(") ")?.1.to_owned())).any(|rest| {
        let fields: Vec<&str> = rest.split(' ').collect();
        fields[0] != "Z" && fields[2] == group.to_string()
    })
}

#[test]
fn a_worker_that_ignores_the_signal_to_end_is_killed() {
    let place = Place::new();
    let worker = env!("CARGO_BIN_EXE_worker");
    let script = place.file("deaf", format!("#!/bin/sh\ntrap '' TERM\nexec '{worker}' \"$@\"\n"));
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    let args = ["-t", "misbehave", "-j1", "--format", "lines", "--worker", "./deaf"];
    let mut child = place.command(&args).stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    write!(stdin, "first\nhang\n").expect("items are written");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a result");
    child.stdout = Some(out.into_inner());
    let coordinator = child.id();
    assert_eq!(workers_of(coordinator).len(), 1);
    kill(Pid::from_raw(coordinator.cast_signed()), Signal::SIGTERM).expect("the signal is sent");
    assert_eq!(Ended::of(child).status, 143);
    assert_eq!(workers_of(coordinator), [0; 0]);
    drop(stdin);
}
