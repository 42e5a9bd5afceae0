//! Signals: those that end a call, and those that hold it.

use crate::support::{Ended, Place, busy, is_running, item_lines, runs, state, until, workers_of};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn send(pid: u32, signal: Signal) {
    kill(Pid::from_raw(pid.cast_signed()), signal).expect("the signal is sent");
}

/// A coordinator in a group of its own, as a shell would have it.
fn in_group(place: &Place, args: &[&str]) -> Child {
    place.command(args).process_group(0).stdin(Stdio::piped()).spawn().expect("it starts")
}

fn wait_until_stopped(coordinator: u32, workers: &[u32]) {
    until("the coordinator is stopped", || state(coordinator) == 'T');
    // It was the last to be stopped.
    for &worker in workers {
        assert_eq!(state(worker), 'T', "worker {worker} goes on");
    }
}

#[test]
fn signals_end_the_run_with_their_status() {
    for (signal, status) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        let place = Place::new();
        let (child, stdin) = busy(&place, &["-t", "null", "-j2", "--format", "lines"]);
        let coordinator = child.id();
        kill(Pid::from_raw(coordinator.cast_signed()), signal).expect("the signal is sent");
        let ended = Ended::of(child);
        drop(stdin);
        assert_eq!(ended.status, status, "{}", ended.err);
        assert_eq!(workers_of(coordinator), [0; 0]);
    }
}

/// The output's reader does not read: the call must end all the same.
#[test]
fn signals_end_a_run_whose_reader_is_stuck() {
    let place = Place::new();
    let args = ["-t", "null", "--range", "0..100000000", "-j2", "--log", "off", "-q"];
    let mut child = place.command(&args).spawn().expect("it starts");
    let mut stuck = BufReader::with_capacity(64, child.stdout.take().expect("its output"));
    let mut line = String::new();
    stuck.read_line(&mut line).expect("a first line");
    let pid = Pid::from_raw(child.id().cast_signed());
    kill(pid, Signal::SIGTERM).expect("the signal is sent");
    kill(pid, Signal::SIGTERM).expect("the signal is sent");
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    assert_eq!(workers_of(child.id()), [0; 0]);
}

/// Stops a run in the middle for a while; returns the longest wall time that it
/// may show: all the time there was, without the pause.
fn pause_for(child: &Child, signal: Signal, pause: Duration) -> Duration {
    let workers = workers_of(child.id());
    send(child.id(), signal);
    if signal == Signal::SIGTSTP {
        wait_until_stopped(child.id(), &workers);
    } else {
        until("the coordinator is stopped", || state(child.id()) == 'T');
    }
    let begun = Instant::now();
    std::thread::sleep(pause);
    let paused = begun.elapsed();
    send(child.id(), Signal::SIGCONT);
    paused
}

fn sleepers(count: u32) -> (String, String) {
    ((0..count).map(|_| "sleep 10\n").collect(), "sleep 10\n".repeat(count as usize))
}

#[test]
fn ctrl_z_holds_the_workers_and_the_clock() {
    let place = Place::new();
    let args = ["-t", "misbehave", "-j2", "--chunk", "50", "--format", "lines", "--log-dir", "log"];
    let begun = Instant::now();
    let mut child = in_group(&place, &args);
    let (input, expected) = sleepers(200);
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("written");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let mut first = String::new();
    out.read_line(&mut first).expect("a first result");
    let mut paused = pause_for(&child, Signal::SIGTSTP, Duration::from_secs(1));
    out.read_line(&mut first).expect("another");
    paused += pause_for(&child, Signal::SIGTSTP, Duration::from_millis(300));
    let mut rest = String::new();
    out.read_to_string(&mut rest).expect("the rest");
    Ended::of(child).ok();
    let most = begun.elapsed().saturating_sub(paused).as_secs_f64();
    assert_eq!(first + &rest, expected);
    let run = runs(&place.path("log")).remove(0);
    let record: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.join("run.json")).expect("run.json")).expect("JSON");
    let wall = record["result"]["wall_s"].as_f64().expect("a wall time");
    assert!(wall <= most, "{wall} s of at most {most} s: the pause was counted");
    let lines = item_lines(&run);
    assert_eq!(lines.len(), 200);
    for line in lines {
        let (start, took) = (line["start_us"].as_f64(), line["duration_us"].as_f64());
        let (start, took) = (start.expect("a start"), took.expect("a duration"));
        assert!((start + took) / 1e6 <= wall, "beyond the run's {wall} s: {line}");
    }
}

/// The coordinator alone is stopped, for longer than a worker may take to start.
#[test]
fn who_said_hello_in_time_is_not_late_because_nobody_listened() {
    let place = Place::new();
    let hello = place.path("hello");
    let begun = |slot: u32| place.path(&format!("hello.{slot}")).exists();
    // A worker that starts when the coordinator is stopped.
    let script = format!(
        "#!/bin/sh\n: > '{0}'.$3\nwhile [ ! -e '{0}' ]; do sleep 0.01; done\nexec '{1}' \"$@\"\n",
        hello.display(),
        env!("CARGO_BIN_EXE_worker")
    );
    let worker = place.script("slow-worker", &script);
    let args = ["-t", "sqrt", "--list", "4", "-j2", "--start-timeout", "2s", "--log", "off", "--worker"];
    let child = in_group(&place, &[&args[..], &[worker.to_str().expect("UTF-8")]].concat());
    until("the workers are there", || begun(0) && begun(1));
    send(child.id(), Signal::SIGSTOP);
    until("the coordinator is stopped", || state(child.id()) == 'T');
    std::fs::write(&hello, "").expect("a file");
    std::thread::sleep(Duration::from_millis(2200));
    send(child.id(), Signal::SIGCONT);
    assert_eq!(Ended::of(child).ok(), "4\t2.0\n");
}

/// Where no shell could let it go on, the system stops nobody: the run goes on.
#[test]
fn ctrl_z_without_a_shell_is_nothing() {
    let place = Place::new();
    let coordinator = env!("CARGO_BIN_EXE_coordinator");
    let mut child = Command::new("setsid")
        .args(["--wait", coordinator, "-t", "misbehave", "-j2", "--format", "lines", "--log", "off", "-q"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .current_dir(place.path("."))
        .process_group(0)
        .spawn()
        .expect("setsid");
    let mut stdin = child.stdin.take().expect("its input");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let mut line = String::new();
    writeln!(stdin, "first").expect("written");
    out.read_line(&mut line).expect("a line");
    let coordinator = coordinator_of(child.id());
    for _ in 0..3 {
        send(coordinator, Signal::SIGTSTP);
        writeln!(stdin, "sleep 5").expect("written");
        out.read_line(&mut line).expect("a line");
    }
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
    assert_eq!(line, "first\nsleep 5\nsleep 5\nsleep 5\n");
}

/// The process that `setsid` became or started.
fn coordinator_of(setsid: u32) -> u32 {
    let children = std::fs::read_to_string(format!("/proc/{setsid}/task/{setsid}/children")).expect("its children");
    children.split_whitespace().next().and_then(|pid| pid.parse().ok()).unwrap_or(setsid)
}

/// A real shell on a real terminal: Ctrl-Z, the shell's prompt, `fg`.
#[test]
fn a_shell_sees_it_stopped_and_fg_lets_it_go_on() {
    let place = Place::new();
    let mut shell = Command::new("timeout")
        .args(["--foreground", "60", "script", "-qfc", "bash --norc --noprofile -i", "/dev/null"])
        .current_dir(place.path("."))
        .env("XDG_STATE_HOME", place.path("state"))
        .env("TERM", "dumb")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script, of util-linux");
    let mut keys = shell.stdin.take().expect("a keyboard");
    let mut screen = shell.stdout.take().expect("a screen");
    let coordinator = env!("CARGO_BIN_EXE_coordinator");
    let input = place.file("input", format!("{}last\n", "sleep 10\n".repeat(300)));
    let run = format!("'{coordinator}' -t misbehave -i '{}' -j2 -o out.lines --progress always\n", input.display());
    // Shown as typed it is not yet the prompt.
    keys.write_all(b"PS1='READY''> '\n").expect("typed");
    wait_for(&mut screen, "READY> ");
    keys.write_all(run.as_bytes()).expect("typed");
    wait_for(&mut screen, " items");
    keys.write_all(b"\x1a").expect("typed");
    wait_for(&mut screen, "Stopped");
    wait_for(&mut screen, "READY> ");
    keys.write_all(b"jobs -p | sed s/^/pid=/; echo listed\n").expect("typed");
    let text = wait_for(&mut screen, "\nlisted");
    let pid = text.lines().find_map(|line| line.strip_prefix("pid=")?.parse().ok());
    let pid: u32 = pid.unwrap_or_else(|| panic!("no job: {text}"));
    wait_until_stopped(pid, &workers_of(pid));
    keys.write_all(b"fg\n").expect("typed");
    wait_for(&mut screen, "READY> ");
    keys.write_all(b"echo status $?; exit\n").expect("typed");
    wait_for(&mut screen, "status 0");
    shell.wait().expect("the shell ends");
    assert_eq!(place.read("out.lines"), format!("{}last\n", "sleep 10\n".repeat(300)));
    assert!(!is_running(pid));
}

/// Reads until this was shown; returns all that was.
fn wait_for(screen: &mut impl Read, what: &str) -> String {
    let (mut shown, mut byte) = (Vec::new(), [0]);
    while !shown.ends_with(what.as_bytes()) {
        let count = screen.read(&mut byte).expect("the screen is read");
        assert!(count > 0, "'{what}' was never shown: {}", String::from_utf8_lossy(&shown));
        shown.push(byte[0]);
    }
    String::from_utf8_lossy(&shown).into_owned()
}
