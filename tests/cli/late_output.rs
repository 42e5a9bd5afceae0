//! Output that arrives after a program's exit, from processes that it started:
//! the coordinator waits for it for a bounded time, and reports where output may
//! be cut.

use crate::support::{Ended, Place, in_time, item_lines, lines, nothing_is_left, runs};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The same task in each executor.
const EXECUTORS: [&[&str]; 3] = [&["-j2"], &["--threads", "2"], &["--serial"]];

/// What a note of cut outputs says of them.
const CUT: &str = "a process that the program left behind was still writing after the program's exit";

/// Runs a shell's script for each item, which is its first argument.
fn command(place: &Place, flags: &[&str], script: &str, items: &str) -> Ended {
    let program = ["--", "sh", "-c", script, "sh", "{}"];
    place.run_on(&[&["-t", "command", "-k"], flags, &program].concat(), items)
}

/// All that the programs of a run wrote to their standard error.
fn errors(place: &Place) -> String {
    let folder = std::fs::read_dir(&runs(&place.path("log"))[0]).expect("the run's folder");
    let paths = folder.flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|extension| extension == "stderr")).collect();
    files.sort();
    files.iter().map(|path| std::fs::read_to_string(path).expect("a file of errors")).collect()
}

/// Four processes that do nothing but take time; ended when they are let go of.
struct BusyLoops(Vec<Child>);

impl BusyLoops {
    fn start() -> Self {
        let start = || Command::new("sh").args(["-c", "while :; do :; done"]).stdin(Stdio::null()).spawn();
        Self((0..4).map(|_| start().expect("a busy loop starts")).collect())
    }
}

impl Drop for BusyLoops {
    fn drop(&mut self) {
        for child in &mut self.0 {
            child.kill().expect("a busy loop is killed");
            child.wait().expect("a busy loop is reaped");
        }
    }
}

#[test]
fn a_script_that_logs_itself_loses_nothing_on_a_busy_machine() {
    let (_busy, place) = (BusyLoops::start(), Place::new());
    let script = "exec > >(tee -a log.txt) 2>&1; echo \"hi $1\"";
    let flags = ["-t", "command", "-j2", "-q", "--log", "off", "--format", "lines"];
    let args = [&flags[..], &["--", "bash", "-c", script, "bash", "{}"]].concat();
    let expected: String = (1..=200).map(|n| format!("hi {n}\n")).collect();
    assert_eq!(place.run_on(&args, lines(200)).ok(), expected);
    let logged = place.read("log.txt");
    assert_eq!(logged.lines().count(), 200, "{logged}");
}

#[test]
fn what_comes_after_the_exit_is_in_the_result() {
    let late = "echo \"first $1\"; { sleep 0.02; echo \"late $1\"; } &";
    for executor in EXECUTORS {
        let place = Place::new();
        let ended =
            command(&place, &[&["-q", "--log", "off", "--format", "jsonl"], executor].concat(), late, &lines(4));
        let expected: String = (1..=4)
            .map(|n| format!("{{\"index\":{},\"input\":\"{n}\",\"output\":\"first {n}\\nlate {n}\"}}\n", n - 1))
            .collect();
        assert_eq!(ended.ok(), expected, "{executor:?}");
        let late = ["-t", "pipe", "-q", "--log", "off", "--chunk", "3"];
        let script = ["--", "sh", "-c", "n=$(wc -l); { sleep 0.02; echo $n; } &"];
        let ended = place.run_on(&[&late[..], executor, &script].concat(), lines(7));
        assert_eq!(ended.ok(), "3\n3\n1\n", "{executor:?}");
    }
}

#[test]
fn the_reason_behind_a_failure_may_come_after_the_exit() {
    for (shell, script) in [
        ("sh", "{ sleep 0.02; echo why >&2; } & exit 3"),
        ("bash", "exec 2> >(tee /dev/null >&2); echo why >&2; exit 3"),
    ] {
        for executor in EXECUTORS {
            let place = Place::new();
            let program = ["--", shell, "-c", script];
            let args = [&["-t", "command", "-q", "-k", "--log", "off"], executor, &program].concat();
            let ended = place.run_on(&args, "x\ny\n").fails(1, "");
            let message = "failed: exited with status 3: why";
            assert_eq!(ended.out, format!("x\t\t{message}\ny\t\t{message}\n"), "{executor:?}");
            let args = [&["-t", "pipe", "-k", "--retries", "0", "--log", "off"], executor, &program].concat();
            place.run_on(&args, "x\n").fails(1, "exited with status 3: why");
        }
    }
}

#[test]
fn a_silent_process_that_holds_the_pipes_is_waited_for_briefly() {
    for (task, script) in [
        ("command", "sleep 60 & echo hi"),
        ("pipe", "sleep 60 & echo hi"),
        ("filter", "sleep 60 & while read -r x; do echo hi; done"),
    ] {
        let place = Place::new();
        let begun = Instant::now();
        let args = ["-t", task, "-j1", "--chunk", "1", "--log-dir", "log", "--", "sh", "-c", script];
        let ended = place.run_on(&args, lines(4));
        assert!(in_time(begun.elapsed(), Duration::from_secs(2)), "{task} took {:?}", begun.elapsed());
        assert!(!ended.err.contains(CUT), "{}", ended.err);
        let marks = item_lines(&runs(&place.path("log"))[0]);
        assert!(marks.len() == 4 && marks.iter().all(|line| line["output_cut"].is_null()), "{marks:?}");
        assert_eq!(ended.ok().matches("hi\n").count(), 4);
        nothing_is_left(&place);
    }
}

#[test]
fn possibly_cut_output_is_reported_once_and_marked_in_the_log() {
    for (executor, stream) in EXECUTORS.into_iter().zip(["", ">&2", ""]) {
        let place = Place::new();
        let for_ever = format!("test $1 = 2 || {{ while sleep 0.02; do echo more {stream}; done & }}; echo hi");
        let ended = command(&place, &[&["--log-dir", "log"], executor].concat(), &for_ever, "1\n2\n3\n");
        assert_eq!(ended.status, 0, "{}", ended.err);
        assert!(ended.err.contains(&format!("note: item 0 (and 1 more): {CUT}")), "{executor:?}: {}", ended.err);
        assert_eq!(ended.err.matches(CUT).count(), 1, "{}", ended.err);
        let mut logged = item_lines(&runs(&place.path("log"))[0]);
        logged.sort_by_key(|line| line["item"].as_u64());
        let marks: Vec<_> = logged.iter().map(|line| line["output_cut"].as_bool()).collect();
        assert_eq!(marks, [Some(true), None, Some(true)], "{executor:?}");
        assert!(ended.out.contains("2\thi\n"), "{}", ended.out);
        nothing_is_left(&place);
    }
}

#[test]
fn a_time_limit_ends_the_wait_for_who_was_left_behind() {
    let place = Place::new();
    let for_ever = "test $1 = 2 || exit 0; while sleep 0.02; do echo more; done & echo hi";
    let ended = command(&place, &["-j1", "--timeout", "1s", "--log-dir", "log"], for_ever, "1\n2\n3\n");
    assert_eq!(ended.out, "1\t\n2\t\ttimed-out: ran longer than 1s: more / more / more\n3\t\n");
    nothing_is_left(&place);
}

#[test]
fn a_filter_s_answer_may_come_after_its_exit() {
    let script = "while read -r x; do [ $x != 3 ] || { { sleep 0.02; echo 3; } & exit 0; }; echo $x; done";
    for retries in ["0", "2"] {
        let place = Place::new();
        let args = ["-t", "filter", "-j1", "-k", "--retries", retries, "--log-dir", "log", "--format", "lines"];
        let ended = place.run_on(&[&args[..], &["--", "sh", "-c", script]].concat(), lines(3));
        assert_eq!(ended.ok(), lines(3));
        let logged = item_lines(&runs(&place.path("log"))[0]);
        assert!(logged.iter().all(|line| line["attempt"] == 1), "{logged:?}");
    }
}

#[test]
fn what_a_kept_program_leaves_is_in_the_log_though_its_worker_ends() {
    let python = "import os, subprocess\ndef f(x):\n    \
                  subprocess.Popen(['sh', '-c', 'sleep 0.02; echo why >&2'])\n    os._exit(3)\n";
    let shell = "read -r x; { sleep 0.02; echo why >&2; } & exit 3";
    for program in [&["filter", "--", "sh", "-c", shell][..], &["python", "--", "own.py:f"]] {
        let place = Place::new();
        place.file("own.py", python);
        let args = [&["-j1", "-k", "--retries", "0", "--log-dir", "log", "-t"], program].concat();
        let ended = place.run_on(&args, "x\n").fails(1, "-:1:1: \"x\": crashed");
        assert_eq!(ended.out, "x\t\tcrashed: its process exited with status 3\n", "{program:?}");
        // On a busy machine an import may take so long that this is told, too.
        let errors = errors(&place);
        let said: Vec<&str> = errors.lines().filter(|line| !line.starts_with("note: ")).collect();
        assert_eq!(said, ["why"], "{program:?}");
    }
}

/// Its end is a good one, with its input's.
#[test]
fn what_a_kept_program_leaves_at_its_end_can_finish() {
    let python = "import atexit, subprocess\ndef f(x): return x\n\
                  atexit.register(lambda: subprocess.Popen(['sh', '-c', 'sleep 0.02; echo ended >> ended']))\n";
    let shell = "while read -r x; do echo $x; done; { sleep 0.02; echo ended >> ended; } & exit 0";
    for program in [&["filter", "--", "sh", "-c", shell][..], &["python", "--", "own.py:f"]] {
        let place = Place::new();
        place.file("own.py", python);
        let args = [&["-j1", "-q", "--format", "lines", "--log", "off", "-t"], program].concat();
        assert_eq!(place.run_on(&args, lines(3)).ok(), lines(3), "{program:?}");
        assert_eq!(place.read("ended"), "ended\n", "{program:?}");
    }
}

#[test]
fn a_filter_that_exits_while_another_process_writes_is_reported() {
    let place = Place::new();
    let script = "read -r x; while sleep 0.02; do echo more >&2; done & exit 3";
    let args = ["-t", "filter", "-j1", "-k", "--retries", "0", "--log-dir", "log", "--", "sh", "-c", script];
    let ended = place.run_on(&args, "x\n").fails(1, &format!("note: item 0: {CUT}"));
    assert_eq!(ended.out, "x\t\tcrashed: its process exited with status 3\n");
    nothing_is_left(&place);
}
