//! Programs and the terminal, and programs and workers that are stopped. The
//! terminal is a true one, made by `script` of util-linux.

use crate::support::{Ended, Place, lines, nothing_is_left, state, until, workers_of};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Stdio};

/// The coordinator with these arguments, in the foreground of a terminal.
fn on_terminal(place: &Place, args: &[&str]) -> Child {
    let words: Vec<String> = args.iter().map(|arg| format!("'{arg}'")).collect();
    place.file("call", format!("exec coordinator {}\n", words.join(" ")));
    let shell = place.shell(60, "exec script -qefc 'sh ./call' /dev/null").stdin(Stdio::piped()).spawn();
    shell.expect("script, of util-linux")
}

#[test]
fn whoever_opens_the_terminal_fails_at_once() {
    let place = Place::new();
    place.file("f.py", "import getpass, os\ndef f(x):\n    return getpass.getpass() if x == 1 else 'fine'\n");
    let each = "if [ $line = 1 ]; then : </dev/tty || exit 3; fi; echo fine";
    place.script("item", &format!("#!/bin/bash\nread line; {each}\n"));
    place.script("filter", &format!("#!/bin/bash\nwhile read line; do {each}; done\n"));
    for executor in ["-j2", "--threads=1", "--serial"] {
        let programs = [("command", "./item"), ("pipe", "./item"), ("filter", "./filter"), ("python", "f.py:f")];
        for (task, program) in programs {
            // Without processes the death of a filter ends the run.
            if task == "filter" && executor != "-j2" {
                continue;
            }
            let mut args = vec!["-t", task, "--list", "1,2", executor, "--keep-going", "--log", "off"];
            args.extend([
                "-o",
                "out",
                "--overwrite",
                "--progress",
                "never",
                "--chunk",
                "1",
                "--retries",
                "0",
                "--",
                program,
            ]);
            let ended = Ended::of(on_terminal(&place, &args));
            assert_eq!(ended.status, 1, "{task} {executor}: {}", ended.out);
            assert!(ended.out.contains("1 item failed"), "{task} {executor}: {}", ended.out);
            assert!(place.read("out").contains("fine"), "{task} {executor}: {}", place.read("out"));
        }
    }
    nothing_is_left(&place);
    let there = place.shell(60, "script -qefc 'exec </dev/tty && echo there' /dev/null").spawn().expect("a shell");
    assert!(Ended::of(there).ok().contains("there"), "a terminal could be opened");
}

#[test]
fn ctrl_c_on_a_terminal_ends_the_run() {
    let place = Place::new();
    place.script("item", "#!/bin/sh\ntouch begun\nexec sleep 999\n");
    let args = ["-t", "command", "--range", "1..9", "-j2", "--log", "off", "--", "./item"];
    let mut child = on_terminal(&place, &args);
    until("an item has begun", || place.path("begun").exists());
    let mut keys = child.stdin.take().expect("a keyboard");
    keys.write_all(b"\x03").expect("typed");
    let ended = Ended::of(child);
    assert_eq!(ended.status, 130, "{}", ended.out);
    nothing_is_left(&place);
}

/// Reads standard error up to a note of a stop; returns the note and its PID.
fn stop_note(child: &mut Child) -> (String, i32) {
    let mut errors = BufReader::new(child.stderr.take().expect("standard error"));
    let mut line = String::new();
    while !line.contains(" is stopped by ") {
        line.clear();
        assert!(errors.read_line(&mut line).expect("an error is read") > 0, "no note");
    }
    child.stderr = Some(errors.into_inner());
    let pid = line.split_once("(PID ").and_then(|(_, rest)| rest.split_once(')')).map(|(pid, _)| pid.parse());
    let pid = pid.unwrap_or_else(|| panic!("no PID: {line}")).expect("a number");
    (line, pid)
}

#[test]
fn a_stopped_program_is_named_and_goes_on_when_it_is_continued() {
    let place = Place::new();
    place.file("f.py", "import os, signal\ndef f(x):\n    os.kill(os.getpid(), signal.SIGTSTP)\n    return x\n");
    let script = "kill -TTIN $$; exec cat";
    for (task, program) in
        [("command", &["sh", "-c", script][..]), ("pipe", &["sh", "-c", script]), ("python", &["f.py:f"])]
    {
        let args = [&["-t", task, "--list", "7", "-j1", "--log", "off", "--timeout", "50", "--"][..], program].concat();
        let mut child = place.command(&args).spawn().expect("it starts");
        let (note, pid) = stop_note(&mut child);
        assert!(note.contains("item 0: its program"), "{note}");
        assert_eq!(state(pid.cast_unsigned()), 'T', "{note}");
        kill(Pid::from_raw(pid), Signal::SIGCONT).expect("it is continued");
        assert!(Ended::of(child).ok().contains('7'));
    }
}

#[test]
fn a_stopped_filter_is_named_with_the_item_that_waits() {
    let place = Place::new();
    let script = "while read x; do [ $x = 3 ] && kill -STOP $$; echo $x; done";
    let args = ["-t", "filter", "-i", "in", "-j1", "--log", "off", "--timeout", "50", "--", "sh", "-c", script];
    place.file("in", lines(5));
    let mut child = place.command(&args).spawn().expect("it starts");
    let (note, pid) = stop_note(&mut child);
    assert!(note.contains("item 2: its program") && note.contains("SIGSTOP"), "{note}");
    kill(Pid::from_raw(pid), Signal::SIGCONT).expect("it is continued");
    assert_eq!(Ended::of(child).ok(), "1\t1\n2\t2\n3\t3\n4\t4\n5\t5\n");
}

/// A program may stop its whole process group, and its worker is in it.
#[test]
fn a_worker_that_was_stopped_with_its_program_is_named() {
    let place = Place::new();
    let args = ["-t", "command", "--list", "7", "-j1", "--log", "off", "--", "sh", "-c", "kill -STOP 0; cat"];
    let mut child = place.command(&args).spawn().expect("it starts");
    let (note, pid) = stop_note(&mut child);
    assert!(note.contains("item 0: its worker") && note.contains(&format!("'kill -CONT -- -{pid}'")), "{note}");
    assert_eq!(workers_of(child.id()), [pid.cast_unsigned()]);
    until("the worker is stopped", || state(pid.cast_unsigned()) == 'T');
    kill(Pid::from_raw(-pid), Signal::SIGCONT).expect("it is continued");
    assert_eq!(Ended::of(child).ok(), "7\t7\n");
}

#[test]
fn a_stopped_program_ends_by_its_time_limit() {
    let place = Place::new();
    let args = ["-t", "command", "--list", "7", "-j1", "--log", "off", "--timeout", "2", "--", "sh", "-c"];
    let ended = place.run(&[&args[..], &["kill -STOP $$"]].concat()).fails(1, "timed out after 2 s");
    assert!(ended.err.contains("is stopped by SIGSTOP"), "{}", ended.err);
    nothing_is_left(&place);
}
