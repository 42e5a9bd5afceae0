//! What is told of a program that failed, and which ends are no failures.

use crate::support::{Place, runs};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead as _, BufReader};

/// The texts that processes of the first run wrote on standard error, as the log has
/// them.
fn logged(place: &Place) -> String {
    let run = runs(&place.path("log")).remove(0);
    let files = std::fs::read_dir(run).expect("a run").map(|entry| entry.expect("an entry").path());
    let errors = files.filter(|path| path.extension().is_some_and(|extension| extension == "stderr"));
    errors.map(|path| std::fs::read_to_string(path).expect("text")).collect()
}

#[test]
fn the_reason_of_a_failure_may_stand_on_standard_output() {
    let place = Place::new();
    let args = ["-t", "command", "-k", "-q", "--log-dir", "log", "--list", "1,2", "--", "sh", "-c"];
    let script = r#"echo "line $1 a"; echo "the reason $1"; [ $1 = 1 ] || echo "in short" >&2; exit 3"#;
    let ended = place.run(&[&args[..], &[script, "_", "{}"]].concat()).fails(1, "exited with status 3: in short");
    let first = "1\t\tfailed: exited with status 3: line 1 a / the reason 1\n";
    assert_eq!(ended.out, format!("{first}2\t\tfailed: exited with status 3: in short\n"));
    let log = logged(&place);
    for line in ["line 1 a\nthe reason 1\n", "line 2 a\nthe reason 2\n", "in short\n"] {
        assert!(log.contains(line), "{log}");
    }
}

#[test]
fn the_last_lines_of_a_program_that_ran_too_long_are_told() {
    let place = Place::new();
    let args = ["-t", "command", "-k", "-q", "--log-dir", "log", "--timeout", "1s", "--list", "1,2", "--", "sh", "-c"];
    let script = r#"echo early; echo "step $1"; [ $1 = 1 ] || echo "waits for $1" >&2; exec sleep 1000"#;
    let ended = place.run(&[&args[..], &[script, "_", "{}"]].concat()).fails(1, "timed out after 1 s: early / step 1");
    let first = "1\t\ttimed-out: ran longer than 1s: early / step 1\n";
    assert_eq!(ended.out, format!("{first}2\t\ttimed-out: ran longer than 1s: waits for 2\n"));
    let log = logged(&place);
    for line in ["early\nstep 1\n", "early\nstep 2\n", "waits for 2\n"] {
        assert!(log.contains(line), "{log}");
    }
}

#[test]
fn statuses_may_be_a_success() {
    let place = Place::new();
    let log: String = (0..3000).map(|_| "ok\n").chain(["ERROR\n"]).collect();
    place.file("b.log", log);
    let pipe = ["-t", "pipe", "-i", "b.log", "--chunk", "1000", "-q"];
    let grep = ["--", "grep", "-c", "ERROR"];
    assert_eq!(place.run(&[&pipe[..], &["--ok-status", "0,1"], &grep].concat()).ok(), "0\n0\n0\n1\n");
    place.run(&[&pipe[..], &grep].concat()).fails(1, "exited with status 1: 0");
    let command = ["-t", "command", "-q", "--format", "lines", "--log", "off"];
    let call = [&command[..], &["--ok-status", "0,1", "--", "grep", "x"]].concat();
    assert_eq!(place.run_on(&call, "ax\nb\n").ok(), "ax\n\n");
    for (flags, says) in [
        (
            &["-t", "command", "--ok-status", "x", "--", "true"][..],
            "'x' is not an exit status: write numbers from 0 to 255",
        ),
        (&["-t", "filter", "--ok-status", "1", "--", "cat"], "--ok-status is about programs that end after each item"),
        (&["-t", "sqrt", "--ok-status", "1"], "--ok-status is about"),
    ] {
        place.run_on(flags, "1\n").fails(2, says);
    }
}

#[test]
fn a_filter_that_buffers_is_named_also_with_quiet() {
    let place = Place::new();
    for executor in ["-j1", "--serial"] {
        let call = format!("exec coordinator -t filter -q {executor} --list 1,2 --log off -- tr 0-9 a-j");
        let mut child = place.shell(60, &call).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("warning: tr has read "), "{line}");
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).unwrap();
        child.wait().unwrap();
    }
}

#[test]
fn a_run_without_items_has_no_tables() {
    let place = Place::new();
    let ended = place.run_on(&["-t", "command", "--", "echo", "{}"], "");
    assert_eq!((ended.err.as_str(), ended.status), ("warning: the input has no items\n", 0));
    place.file("program", b"\x7fELF\x02\x01\x01");
    let ended = place.run(&["-t", "prime", "-i", "program"]).fails(2, "is a program (ELF)");
    assert!(!ended.err.contains("executor") && !ended.err.contains("procs"), "{}", ended.err);
}
