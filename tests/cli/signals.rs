//! Signals that end a call, and signals that suspend it.

use crate::support::{
    Ended, Place, busy, is_running, item_lines, json_lines, nothing_is_left, runs, state, until, workers_of,
};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
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
    workers.iter().for_each(|&worker| until("a worker is stopped", || state(worker) == 'T'));
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

/// The first end is polite: what is finished is written, in order, and logged.
#[test]
fn ctrl_c_leaves_a_prefix_a_log_and_a_summary() {
    let place = Place::new();
    let (child, mut stdin) = busy(&place, &["-t", "misbehave", "-j2", "--format", "lines", "--log-dir", "log"]);
    writeln!(stdin, "second\nsleep 100000").expect("written");
    send(child.id(), Signal::SIGINT);
    let ended = Ended::of(child);
    assert_eq!(ended.status, 130, "{}", ended.err);
    assert!(["", "second\n"].contains(&ended.out.as_str()), "{}", ended.out);
    assert!(
        ended.err.contains(" in ") && ended.err.contains("not completed") && !ended.err.contains("crash"),
        "{}",
        ended.err
    );
    let run = runs(&place.path("log")).remove(0);
    let record: serde_json::Value =
        serde_json::from_slice(&std::fs::read(run.join("run.json")).expect("run.json")).expect("JSON");
    assert_eq!((&record["result"]["status"], &record["result"]["failures"]), (&"interrupted".into(), &0.into()));
    assert!(item_lines(&run).iter().all(|line| line["error"].is_null()));
}

/// Whether a signal has come to a process that can't take it at the moment.
fn waits_for(pid: u32, signal: Signal) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let pending = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("ShdPnd:\t")?, 16).ok());
    pending.is_some_and(|pending| pending >> (signal as i32 - 1) & 1 == 1)
}

/// A worker that does not hear is killed at the second.
#[test]
fn ctrl_c_twice_kills_at_once() {
    let place = Place::new();
    let (child, mut stdin) = busy(&place, &["-t", "misbehave", "-j2", "--format", "lines", "--log", "off"]);
    writeln!(stdin, "sleep 100000").expect("written");
    let workers = workers_of(child.id());
    for &worker in &workers {
        // Stopped, it does not hear the polite signal.
        send(worker, Signal::SIGSTOP);
    }
    let begun = Instant::now();
    send(child.id(), Signal::SIGINT);
    workers.iter().for_each(|&worker| until("it was asked politely", || waits_for(worker, Signal::SIGTERM)));
    send(child.id(), Signal::SIGINT);
    let coordinator = child.id();
    assert_eq!(Ended::of(child).status, 130);
    assert!(begun.elapsed() < Duration::from_millis(1900), "it waited for the grace");
    assert_eq!(workers_of(coordinator), [0; 0]);
}

/// During start-up: the workers never say hello.
#[test]
fn ctrl_c_ends_a_start_up() {
    let place = Place::new();
    let worker = place.worker_script("mute", ": > \"up.$3\"\nexec sleep 1000\n");
    let args = ["-t", "sqrt", "--list", "4", "-j2", "--log", "off", "--worker", worker.to_str().expect("UTF-8")];
    let child = place.command(&args).spawn().expect("it starts");
    until("the workers are there", || place.path("up.0").exists() && place.path("up.1").exists());
    send(child.id(), Signal::SIGINT);
    let ended = Ended::of(child);
    assert_eq!(ended.status, 130, "{}", ended.err);
    assert!(!ended.err.contains("can't be started"), "{}", ended.err);
}

/// Before all of them are started: the first one is who asks for the end.
#[test]
fn ctrl_c_is_heard_while_hundreds_are_started() {
    let place = Place::new();
    let worker = place.worker_script("killer", "test $3 = 0 && kill -INT $PPID\nexec sleep 1000\n");
    let args = ["-t", "sqrt", "--list", "4", "-j200", "--log-dir", "log", "--worker", worker.to_str().expect("UTF-8")];
    let ended = Ended::of(place.command(&args).spawn().expect("it starts"));
    assert_eq!(ended.status, 130, "{}", ended.err);
    let workers = json_lines(&runs(&place.path("log"))[0].join("workers.jsonl"));
    let spawned = workers.iter().filter(|line| line["event"] == "spawned").count();
    assert!((1..200).contains(&spawned), "{spawned} were started all the same");
    nothing_is_left(&place);
}

/// During the summary: nobody reads it, so it takes for ever.
#[test]
fn ctrl_c_ends_a_summary_that_nobody_reads() {
    let place = Place::new();
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("it does not block");
    while writer.write(&[b'.'; 4096]).is_ok() {}
    while writer.write(b".").is_ok() {}
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::empty())).expect("it blocks");
    let mut command = place.command(&["-t", "sqrt", "--list", "4", "-j2", "--log", "off"]);
    let mut child = command.stderr(writer).spawn().expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let mut line = String::new();
    out.read_line(&mut line).expect("the result");
    assert_eq!(line, "4\t2.0\n");
    until("the run is over", || workers_of(child.id()).is_empty());
    send(child.id(), Signal::SIGINT);
    assert_eq!(child.wait().expect("it ends").code(), Some(130));
    drop(reader);
}

#[test]
fn a_hang_up_that_was_ignored_stays_ignored() {
    let place = Place::new();
    let args = ["-t", "null", "-j2", "--format", "lines", "--log", "off", "-q"];
    let mut child = through_shell(&place, "trap '' HUP", &args);
    let mut stdin = child.stdin.take().expect("its input");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let mut text = String::new();
    writeln!(stdin, "one").expect("written");
    out.read_line(&mut text).expect("a line");
    send(child.id(), Signal::SIGHUP);
    writeln!(stdin, "two").expect("written");
    drop(stdin);
    out.read_to_string(&mut text).expect("the rest");
    assert_eq!((text.as_str(), child.wait().expect("it ends").code()), ("one\ntwo\n", Some(0)));
}

/// The coordinator in the place of a shell that first did this.
fn through_shell(place: &Place, first: &str, args: &[&str]) -> Child {
    let line = format!("{first}; exec '{}' \"$@\"", env!("CARGO_BIN_EXE_coordinator"));
    let mut shell = Command::new("sh");
    shell.args(["-c", &line, "sh"]).args(args).current_dir(place.path("."));
    shell.env("XDG_STATE_HOME", place.path("state"));
    shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("a shell")
}

/// Whatever was inherited: SIGCHLD ignored, signals blocked, the rank of init.
#[test]
fn inherited_settings_change_nothing() {
    let run = |program: &str, args: &[&str]| {
        let place = Place::new();
        let input = format!("{}abort\n{}", "x\n".repeat(20), "y\n".repeat(20));
        let file = place.file("input", input);
        let mine = ["-t", "misbehave", "-j2", "-k", "--retries", "0", "--format", "lines", "-i"];
        let mut command = Command::new(program);
        command.args(args).arg(env!("CARGO_BIN_EXE_coordinator")).args(mine).arg(file);
        command.env("XDG_STATE_HOME", place.path("state")).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Ended::of(command.spawn().expect("it starts"))
    };
    let expected = format!("{}\n{}", "x\n".repeat(20), "y\n".repeat(20));
    let mut ways = vec![
        ("sh", vec!["-c", "trap '' CHLD PIPE; exec \"$@\"", "sh"]),
        ("env", vec!["--block-signal=TERM", "--block-signal=INT", "--block-signal=CHLD"]),
    ];
    let namespace = ["--pid", "--fork", "--mount-proc", "--kill-child"];
    if Command::new("unshare").args(namespace).arg("true").status().is_ok_and(|status| status.success()) {
        ways.push(("unshare", namespace.to_vec()));
    }
    for (program, args) in ways {
        let ended = run(program, &args).fails(1, "SIGABRT");
        assert_eq!(ended.out, expected, "{program} {args:?}");
    }
}

#[test]
fn blocked_signals_are_heard_all_the_same() {
    let place = Place::new();
    let mut command = Command::new("env");
    command.args(["--block-signal=TERM", env!("CARGO_BIN_EXE_coordinator")]);
    command.args(["-t", "null", "-j1", "--format", "lines", "--log", "off", "-q"]);
    command.current_dir(place.path(".")).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("env");
    let mut stdin = child.stdin.take().expect("its input");
    writeln!(stdin, "one").expect("written");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
    send(child.id(), Signal::SIGTERM);
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
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
    ctrl_z_holds("-j2");
}

/// Threads stop with their process; what is told of them leaves it out as well.
#[test]
fn ctrl_z_holds_threads_and_the_clock() {
    ctrl_z_holds("--threads=2");
}

fn ctrl_z_holds(workers: &str) {
    let place = Place::new();
    let args = ["-t", "misbehave", workers, "--chunk", "50", "--format", "lines", "--log-dir", "log"];
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
fn a_hello_sent_while_the_coordinator_was_stopped_is_not_late() {
    let place = Place::new();
    let hello = place.path("hello");
    let begun = |slot: u32| place.path(&format!("hello.{slot}")).exists();
    // A worker that starts when the coordinator is stopped.
    let script = format!(
        ": > '{0}'.$3\nwhile [ ! -e '{0}' ]; do sleep 0.01; done\nexec '{1}' \"$@\"\n",
        hello.display(),
        env!("CARGO_BIN_EXE_worker")
    );
    let worker = place.worker_script("slow-worker", &script);
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
