//! Starts that fail, are late, or never end: of workers, and of the programs that a
//! worker keeps running. Others do the work meanwhile; if there is nobody, the start
//! is tried again, and the run ends soon if it always fails.

use crate::hostile::Call;
use crate::support::{Ended, Place, in_time, lines, nothing_is_left};
use std::io::{BufRead as _, BufReader, Read as _};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// What a user should have to wait for a start that always fails.
const SOON: Duration = Duration::from_secs(10);

/// A start timeout that no test waits for.
const PATIENT: [&str; 4] = ["--procs", "2", "--start-timeout", "10m"];

#[test]
fn a_worker_that_never_says_hello_holds_no_item() {
    let begun = Instant::now();
    assert_eq!(Call::once("silent").with(&PATIENT).run().ok(), lines(40));
    let took = begun.elapsed();
    assert!(in_time(took, SOON), "{took:?}");
}

#[test]
fn items_are_kept_briefly_for_a_worker_that_is_late() {
    // Two items, two workers: the one that is ready waits for the other, but not long.
    for (fault, workers) in [("late:50", 2), ("late:1000", 1)] {
        let place = Place::new();
        let args = [&PATIENT[..], &["--log-dir", "log"]].concat();
        let ended = Call::once(fault).with(&args).run_in(&place, &lines(2));
        assert_eq!(ended.ok(), lines(2), "{fault}");
        let items = crate::support::item_lines(&crate::support::runs(&place.path("log"))[0]);
        let pids: std::collections::BTreeSet<_> = items.iter().map(|item| item["pid"].as_u64()).collect();
        assert_eq!((items.len(), pids.len()), (2, workers), "{fault}: {items:?}");
    }
}

/// As many failures in a row as would end the run if no other worker was starting.
#[test]
fn failed_starts_end_no_run_that_somebody_else_can_do() {
    let faults = format!("late:300{}", ",raw-end:".repeat(6));
    let ended = Call::once(&faults).with(&PATIENT).run();
    let told = ended.err.matches("note: a worker failed to start and is replaced: ").count();
    assert!(told == 1 && ended.err.contains("exited with status 0 before it was ready"), "{}", ended.err);
    assert_eq!(ended.ok(), lines(40));
}

/// Its task is refused by one process and done by the next.
#[test]
fn one_refusal_ends_no_run() {
    for args in [&["--procs", "1"][..], &["--procs", "3"]] {
        let ended = Call::once("refuse:100,refuse:100").with(args).run();
        assert!(ended.err.contains("note: a worker failed to start and is replaced: \\u{1b}[2J"), "{}", ended.err);
        assert_eq!(ended.ok(), lines(40));
    }
}

fn python(place: &Place, flags: &[&str], text: &str, input: &str) -> Ended {
    place.file("own.py", text);
    place.run_on(&[&["-t", "python", "--log", "off"], flags, &["--", "own.py:f"]].concat(), input)
}

#[test]
fn an_import_that_fails_once_is_tried_again() {
    for (fault, says) in [
        ("raise RuntimeError('not yet')", "own.py:f: RuntimeError: not yet"),
        ("os.kill(os.getpid(), 9)", "own.py:f was killed by SIGKILL before its first request"),
        ("raise MemoryError", "own.py:f: MemoryError"),
    ] {
        for procs in ["-j1", "-j3"] {
            let place = Place::new();
            let text = format!(
                "import os\nif not os.path.exists('marker'):\n    open('marker', 'w').close()\n    {fault}\n\
                 def f(x): return x + 1\n"
            );
            let ended = python(&place, &["--format", "lines", procs], &text, &lines(30));
            let told = ended.err.matches("note: a worker failed to start and is replaced: ").count();
            assert!(told == 1 && ended.err.contains(says), "{procs}: {}", ended.err);
            assert_eq!(ended.ok(), lines(31)[2..], "{procs}");
            nothing_is_left(&place);
        }
    }
}

#[test]
fn an_import_that_always_fails_in_one_worker_leaves_the_work_to_others() {
    let place = Place::new();
    let text = "import os, time\nif os.environ['PROCESSION_WORKER'] == '1': raise RuntimeError('not here')\n\
                def f(x):\n    time.sleep(0.02)\n    return x\n";
    let ended = python(&place, &["--format", "lines", "-j2"], text, &lines(100));
    assert_eq!(ended.err.matches("own.py:f: RuntimeError: not here").count(), 1, "{}", ended.err);
    assert_eq!(ended.ok(), lines(100));
}

#[test]
fn an_import_that_always_fails_ends_the_run_soon() {
    for procs in ["-j1", "-j4"] {
        let place = Place::new();
        let begun = Instant::now();
        let ended = python(&place, &[procs], "import no_such_module\n", &lines(100));
        let ended = ended.fails(3, "own.py:f: ModuleNotFoundError: No module named 'no_such_module' (own.py:1)");
        let took = begun.elapsed();
        assert!(in_time(took, SOON), "{procs}: {took:?}");
        assert!(!ended.err.contains("failed to start"), "told by the error alone: {}", ended.err);
        nothing_is_left(&place);
    }
}

#[test]
fn a_filter_that_starts_wrongly_once_is_tried_again() {
    let script = "test -e marker || { : > marker; echo early; }; exec cat";
    let place = Place::new();
    let args = ["-t", "filter", "--format", "lines", "-j1", "--log", "off", "--", "sh", "-c", script];
    let ended = place.run_on(&args, lines(30));
    assert!(ended.err.contains("replaced: sh writes a line before its first request"), "{}", ended.err);
    assert_eq!(ended.ok(), lines(30));
}

/// There is no descriptor for any worker, until somebody else makes room.
#[test]
fn a_lack_of_descriptors_that_ends_ends_no_run() {
    let place = Place::new();
    let coordinator = env!("CARGO_BIN_EXE_coordinator");
    let line = format!("ulimit -Sn 9; exec '{coordinator}' -t sqrt --list 4,9 -j2 --log off");
    let mut command = std::process::Command::new("sh");
    command.args(["-c", &line]).current_dir(place.path(".")).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("a shell");
    let mut said = BufReader::new(child.stderr.take().expect("its errors"));
    let mut told = String::new();
    while !told.contains("note: a worker cannot be started now, and is tried again: ") {
        assert_ne!(said.read_line(&mut told).expect("a line"), 0, "{told}");
    }
    raise_descriptors(child.id(), 256);
    said.read_to_string(&mut told).expect("the rest");
    assert_eq!(told.matches("note: ").count(), 1, "{told}");
    let output = child.wait_with_output().expect("its end");
    assert!(output.status.success(), "{told}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "4\t2.0\n9\t3.0\n");
}

/// Sets the soft limit of another process.
fn raise_descriptors(pid: u32, limit: u32) {
    let nofile = format!("--nofile={limit}:");
    let status = std::process::Command::new("prlimit").args(["--pid", &pid.to_string(), &nofile]).status();
    assert!(status.expect("prlimit").success());
}
