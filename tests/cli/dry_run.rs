//! `--dry-run`: what would be run, and an estimate; nothing is written.

use crate::support::{Place, lines, nothing_is_left};
use std::process::Stdio;

#[test]
fn the_first_items_are_shown_and_the_rest_is_estimated() {
    let place = Place::new();
    let args = ["-t", "sqrt", "--range", "0..1000000", "-j2", "--dry-run", "-o", "out.csv"];
    let ended = place.run(&args);
    let expected: String = (0..10).map(|n| format!("sqrt {n}\n")).collect();
    assert_eq!((ended.status, ended.out.as_str()), (0, expected.as_str()), "{}", ended.err);
    assert!(ended.err.contains("999990 more"), "{}", ended.err);
    assert!(ended.err.contains("for all 1000000 on procs 2"), "{}", ended.err);
    assert!(!place.path("out.csv").exists() && !place.path("out.csv.resume").exists());
    assert!(!place.path("state").exists(), "there is no log");
    nothing_is_left(&place);
}

#[test]
fn an_output_that_is_there_is_left_alone() {
    let place = Place::new();
    place.file("out", "precious");
    place.run_on(&["-t", "sqrt", "--dry-run", "-o", "out"], lines(100)).ok();
    assert_eq!(place.read("out"), "precious");
}

#[test]
fn items_that_fail_are_counted_and_end_nothing() {
    for executor in ["--serial", "--threads=2", "--procs=2"] {
        let ended = Place::new().run(&["-t", "sqrt", "--list", "4,x,9,-1", executor, "--dry-run"]);
        assert_eq!((ended.status, ended.out.lines().count()), (0, 4), "{}", ended.err);
        assert!(ended.err.contains("tried 4 in") && ended.err.contains("2 of which failed"), "{}", ended.err);
    }
}

#[test]
fn an_endless_input_and_an_endless_item_are_left_after_a_second() {
    let place = Place::new();
    let mut yes = std::process::Command::new("yes").arg("4").stdout(Stdio::piped()).spawn().expect("yes");
    let mut command = place.command(&["-t", "sqrt", "--dry-run"]);
    command.stdin(yes.stdout.take().expect("its output"));
    let ended = crate::support::Ended::of(command.spawn().expect("it starts"));
    yes.kill().and_then(|()| yes.wait()).expect("it ends");
    assert!(ended.err.contains("their number is unknown"), "{}", ended.err);
    let ended = place.run(&["-t", "misbehave", "--list", "hang", "--dry-run"]);
    assert!(ended.err.contains("no estimate"), "{}", ended.err);
    nothing_is_left(&place);
}

#[test]
fn a_dry_run_refuses_what_a_run_refuses() {
    let place = Place::new();
    place.run(&["-t", "sqrt", "-i", "nowhere", "--dry-run"]).fails(2, "can't open nowhere");
    place.run(&["-t", "sqrt", "--list", "4", "--dry-run", "--worker", "/bin/false"]).fails(3, "can't be started");
    place.run_on(&["-t", "prime", "--dry-run", "--max-item", "3"], "12345\n").fails(2, "--max-item");
    let ended = place.run_on(&["-t", "sqrt", "--dry-run"], "");
    assert!(ended.status == 0 && ended.err.contains("no items"), "{}", ended.err);
}
