//! Workers that die, don't start or misbehave; command lines that make no sense.

use crate::support::{Ended, Place, lines};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

#[test]
fn an_item_that_kills_its_worker_fails_alone() {
    let place = Place::new();
    let input = format!("{}abort\n{}exit 3\n{}", lines(200), lines(200), lines(200));
    let args = ["-t", "misbehave", "-j2", "-k", "--format", "jsonl"];
    let ended = place.run_on(&args, input).fails(1, "SIGABRT");
    let rows: Vec<serde_json::Value> = ended.out.lines().map(|l| serde_json::from_str(l).expect(l)).collect();
    assert_eq!(rows.len(), 602);
    for (index, row) in rows.iter().enumerate() {
        assert_eq!(row["index"], index);
        match index {
            200 => assert_eq!(row["error"]["kind"], "crashed"),
            401 => assert!(row["error"]["message"].as_str().is_some_and(|m| m.contains("status 3")), "{row}"),
            _ => assert_eq!(row["output"], row["input"], "{row}"),
        }
    }
}

#[test]
fn an_item_that_kills_its_worker_is_found_where_it_stands() {
    let place = Place::new();
    place.file("f", "a b\n\n\n   abort c\n");
    let args = ["-t", "misbehave", "--items", "words", "-i", "f", "-k", "-j1", "--chunk", "4"];
    place.run(&args).fails(1, "f:4:4: \"abort\": crashed");
}

#[test]
fn without_keep_going_a_crash_ends_the_run_after_what_comes_before_it() {
    let place = Place::new();
    let args = ["-t", "misbehave", "-j2", "--format", "lines", "--retries", "0"];
    let ended = place.run_on(&args, format!("{}abort\n{}", lines(50), lines(50))).fails(1, "crashed");
    assert_eq!(ended.out, lines(50));
}

#[test]
fn a_killed_worker_loses_nothing() {
    let place = Place::new();
    let mut command = place.command(&["-t", "null", "-j2", "--format", "lines", "-v", "--log", "off"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the coordinator starts");
    let mut stdin = child.stdin.take().expect("its input");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let mut err = BufReader::new(child.stderr.take().expect("its errors"));
    for round in 0..10 {
        writeln!(stdin, "round {round}").expect("an item is written");
        let mut line = String::new();
        out.read_line(&mut line).expect("its result comes");
        assert_eq!(line, format!("round {round}\n"));
        let mut shown = String::new();
        while !shown.contains("Task <pid ") {
            shown.clear();
            assert_ne!(err.read_line(&mut shown).expect("a line"), 0);
        }
        let pid: i32 = shown["Task <pid ".len()..].split(',').next().and_then(|p| p.parse().ok()).expect(&shown);
        kill(Pid::from_raw(pid), Signal::SIGKILL).expect("the worker is killed");
    }
    drop(stdin);
    child.stderr = Some(err.into_inner());
    assert_eq!(Ended::of(child).status, 0);
}

#[test]
fn prints_and_floods_of_a_task_do_no_harm() {
    let place = Place::new();
    let input = "print hello\nstderr 5000000\nplain\npanic oh no\n";
    let ended = place.run_on(&["-t", "misbehave", "-j1", "-k"], input).fails(1, "oh no");
    let expected = "print hello\tprint hello\nstderr 5000000\tstderr 5000000\nplain\tplain\npanic oh no\t\tfailed: panicked: oh no\n";
    assert_eq!(ended.out, expected);
}

#[test]
fn a_result_that_is_too_long_is_its_items_failure() {
    let place = Place::new();
    let out = place.run_on(&["-t", "misbehave", "-k"], "long 20000000\nok\n").fails(1, "longer").out;
    assert!(out.ends_with("ok\tok\n"));
}

#[test]
fn large_items_and_results_pass_both_ways_at_once() {
    let place = Place::new();
    let item = "y".repeat(8 << 20);
    let input = format!("{item}\n{item}\n{item}\n");
    let args = ["-t", "null", "-j1", "--format", "lines", "--log", "off"];
    assert!(place.run_on(&args, &input).ok() == input);
}

#[test]
fn programs_that_are_no_workers_are_refused() {
    let place = Place::new();
    let script = place.file("not-executable", "#!/bin/sh\n");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o644)).expect("permissions");
    for worker in ["/no/such/worker", "/bin/true", "/bin/cat", "/usr/bin/yes", "/tmp", "./not-executable"] {
        place.run(&["-t", "sqrt", "--list", "4", "--worker", worker]).fails(3, worker.trim_start_matches("./"));
    }
    let sleeper = place.file("sleeper", "#!/bin/sh\nexec sleep 1000\n");
    std::fs::set_permissions(&sleeper, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    let args = ["-t", "sqrt", "--list", "4", "--worker", "./sleeper", "--start-timeout", "200ms"];
    place.run(&args).fails(3, "sleeper");
}

#[test]
fn a_worker_that_says_why_it_cannot_start_is_quoted() {
    let place = Place::new();
    let script = place.file("sad", "#!/bin/sh\necho 'libsad.so: not found' >&2\nexit 127\n");
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).expect("permissions");
    let ended = place.run(&["-t", "sqrt", "--list", "4", "--worker", "./sad"]).fails(3, "libsad.so: not found");
    assert!(ended.err.contains("status 127"), "{}", ended.err);
}

#[test]
fn command_lines_that_cannot_be_used() {
    let place = Place::new();
    for (args, says) in [
        (&["-t", "sqr", "--list", "4"][..], "sqrt"),
        (&["-t", "prime", "--list", "4", "--param", "method=x"], "trial"),
        (&["-t", "prime", "--list", "4", "--param", "methd=trial"], "method"),
        (&["-t", "sqrt", "--list", "4", "--param", "a=b"], "no parameters"),
        (&["-t", "sqrt", "--list", "4", "--procs", "0"], "1 or more"),
        (&["-t", "sqrt", "--list", "4", "--procs", "1000000"], "1000000"),
        (&["-t", "sqrt", "--list", "4", "--procs", "x"], "x"),
        (&["-t", "sqrt", "--range", "1-4"], "1-4"),
        (&["-t", "sqrt", "--list", "4", "--range", "1..4"], "--range"),
        (&["-t", "sqrt", "--list", "4", "--unordered"], "csv"),
        (&["-t", "sqrt", "--list", "4", "--nonsense"], "--nonsense"),
        (&["--list", "4"], "--task"),
        (&["-t", "sqrt", "--list", "4", "--cycle"], "--size"),
        (&["-t", "prime", "primes.txt"], "--input"),
        (&["prime", "--list", "4"], "--task"),
        (&["-t", "sqrt", "--list", "4", "--retries", "x"], "whole number"),
        (&["-t", "sqrt", "--list", "4", "--skip", "-1"], "whole number"),
        (&["-t", "sqrt", "--list", "4", "--repeat", "0"], "1 or more"),
    ] {
        place.run(args).fails(2, says);
    }
}
