//! A shortage of file descriptors while a worker starts programs. `prlimit` takes
//! them from the running worker and gives them back.

use crate::support::{Ended, Place, busy, until, workers_of};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The worker's own descriptors and few more.
const FEW: &str = "7";

/// Sets how many descriptors a process may have.
fn limit_descriptors(pid: u32, most: &str) {
    let set = Command::new("prlimit").args(["--pid", &pid.to_string(), &format!("--nofile={most}:")]).status();
    assert!(set.expect("prlimit, of util-linux").success());
}

/// Reads standard error up to the note; the rest is to be read by the caller.
fn read_note(child: &mut Child) -> (String, BufReader<std::process::ChildStderr>) {
    let mut errors = BufReader::new(child.stderr.take().expect("standard error"));
    let mut line = String::new();
    while !line.contains("tried again for 30 s") {
        line.clear();
        assert!(errors.read_line(&mut line).expect("an error is read") > 0, "no note");
    }
    (line, errors)
}

#[test]
fn a_shortage_for_a_moment_fails_no_item_and_is_told_once() {
    let place = Place::new();
    let args = ["-t", "command", "-j1", "--format", "lines", "--log", "off", "--retries", "0", "--", "cat"];
    let (mut child, mut stdin) = busy(&place, &args);
    let [worker] = workers_of(child.id())[..] else { panic!("one worker") };
    limit_descriptors(worker, FEW);
    stdin.write_all("again\n".repeat(20).as_bytes()).expect("written");
    let (note, mut errors) = read_note(&mut child);
    assert!(note.contains("note: 'cat' no pipe") && note.contains("Too many open files"), "{note}");
    limit_descriptors(worker, "1024");
    drop(stdin);
    let mut rest = String::new();
    errors.read_to_string(&mut rest).expect("standard error");
    let ended = Ended::of(child);
    assert_eq!((ended.status, &*ended.out), (0, &*"again\n".repeat(20)), "{rest}");
    assert!(!rest.contains("tried again"), "{rest}");
}

/// A cgroup that limits processes; `None` where none can be made.
fn process_limit() -> Option<PathBuf> {
    let name = format!("procession-shortage-{}", std::process::id());
    ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"].into_iter().find_map(|root| {
        let folder = Path::new(root).join(&name);
        std::fs::create_dir(&folder).ok()?;
        let limits = folder.join("pids.max").exists();
        if !limits {
            std::fs::remove_dir(&folder).expect("an empty cgroup is removed");
        }
        limits.then_some(folder)
    })
}

#[test]
fn a_shortage_of_processes_fails_no_item() {
    let Some(cgroup) = process_limit() else {
        eprintln!("skipped: no cgroup that limits processes can be made here");
        return;
    };
    let place = Place::new();
    let enter = "echo $$ >\"$0\" && exec coordinator -t command -j2 --format lines --log off --retries 0 -- cat";
    let mut shell = place.shell(60, &format!("exec sh -c '{enter}' '{}'", cgroup.join("cgroup.procs").display()));
    let mut child = shell.stdin(Stdio::piped()).spawn().expect("a shell");
    let mut stdin = child.stdin.take().expect("its input");
    writeln!(stdin, "first").expect("an item is written");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a result");
    std::fs::write(cgroup.join("pids.max"), "1").expect("a limit");
    stdin.write_all("again\n".repeat(20).as_bytes()).expect("written");
    let refused = || std::fs::read_to_string(cgroup.join("pids.events")).unwrap_or_default() != "max 0\n";
    until("a process was refused", refused);
    std::fs::write(cgroup.join("pids.max"), "max").expect("no limit");
    drop(stdin);
    child.stdout = Some(out.into_inner());
    let ended = Ended::of(child);
    assert_eq!((ended.status, &*ended.out), (0, &*"again\n".repeat(20)), "{}", ended.err);
    assert_eq!(ended.err.matches("it is tried again for 30 s").count(), 1, "{}", ended.err);
    std::fs::remove_dir(&cgroup).expect("an empty cgroup is removed");
}

#[test]
fn a_kept_program_is_started_when_the_shortage_is_over() {
    let place = Place::new();
    let worker = env!("CARGO_BIN_EXE_worker");
    let few = place.script("few", &format!("#!/bin/sh\nulimit -Sn {FEW}\nexec '{worker}' \"$@\"\n"));
    for (task, program) in [("filter", "cat"), ("python", "f.py:f")] {
        place.file("f.py", "def f(x):\n    return x\n");
        let few = few.to_str().expect("a name in UTF-8");
        let args =
            ["-t", task, "--list", "1,2", "-j1", "--log", "off", "--timeout", "20", "--worker", few, "--", program];
        let mut child = place.command(&args).spawn().expect("it starts");
        let (note, mut errors) = read_note(&mut child);
        assert!(note.contains("Too many open files"), "{note}");
        until("there is one worker", || workers_of(child.id()).len() == 1);
        limit_descriptors(workers_of(child.id())[0], "1024");
        let mut rest = String::new();
        errors.read_to_string(&mut rest).expect("standard error");
        let ended = Ended::of(child);
        assert_eq!((ended.status, &*ended.out), (0, "1\t1\n2\t2\n"), "{task}: {rest}");
    }
}

#[test]
fn the_time_limit_of_an_item_holds_during_a_shortage() {
    let place = Place::new();
    let args = ["-t", "command", "-j1", "--format", "lines", "--log", "off", "--timeout", "1", "--", "cat"];
    let (child, mut stdin) = busy(&place, &args);
    limit_descriptors(workers_of(child.id())[0], FEW);
    writeln!(stdin, "late").expect("written");
    drop(stdin);
    Ended::of(child).fails(1, "timed out after 1 s");
}
