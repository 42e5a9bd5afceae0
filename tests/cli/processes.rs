//! The workers are real processes: children of the coordinator, distinct, and
//! gone when it is.

use crate::support::{
    Ended, Place, busy, exists, is_running, item_lines, json_lines, lines, roots, runs, state, until, workers_of,
};
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::Stdio;

#[test]
fn workers_are_children_of_the_coordinator() {
    let place = Place::new();
    let (child, stdin) = busy(&place, &["-t", "null", "-j4", "--format", "lines", "--log-dir", "log"]);
    // One is known to work; the others may be on their way.
    until("the workers are there", || workers_of(child.id()).len() == 4);
    let workers = workers_of(child.id());
    for pid in &workers {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("its status");
        assert!(status.contains(&format!("PPid:\t{}\n", child.id())), "{status}");
        let fds = || std::fs::read_dir(format!("/proc/{pid}/fd")).expect("its descriptors").count();
        until("a worker holds no descriptors but its own", || fds() == 5);
    }
    drop(stdin);
    let coordinator = child.id();
    Ended::of(child).ok();
    assert_eq!(workers_of(coordinator), [0; 0]);
    let spawned: BTreeSet<u64> = json_lines(&runs(&place.path("log"))[0].join("workers.jsonl"))
        .iter()
        .filter_map(|l| l["pid"].as_u64())
        .collect();
    assert_eq!(spawned, workers.iter().map(|&pid| u64::from(pid)).collect());
}

#[test]
fn no_process_is_left_after_a_run() {
    let place = Place::new();
    place.run_on(&["-t", "sqrt", "-j7", "--log-dir", "log"], lines(2000)).ok();
    let lines = item_lines(&runs(&place.path("log"))[0]);
    let pids: BTreeSet<u64> = lines.iter().filter_map(|line| line["pid"].as_u64()).collect();
    assert!(!pids.is_empty() && pids.iter().all(|&pid| !exists(pid)), "{pids:?}");
}

#[test]
fn fewer_workers_than_asked_for_are_told() {
    let place = Place::new();
    let coordinator = env!("CARGO_BIN_EXE_coordinator");
    let line = format!("ulimit -n 24; exec '{coordinator}' -t sqrt --list 4,9 -j 16 --log off");
    let output = std::process::Command::new("sh").args(["-c", &line]).current_dir(place.path(".")).output();
    let output = output.expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(said.contains("of 16 workers can be started: at most 24 open files"), "{said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "4\t2.0\n9\t3.0\n");
}

#[test]
fn workers_die_with_a_killed_coordinator() {
    let place = Place::new();
    let (mut child, mut stdin) = busy(&place, &["-t", "misbehave", "-j2", "--format", "lines", "--log", "off"]);
    let workers = workers_of(child.id());
    assert_eq!(workers.len(), 2);
    writeln!(stdin, "sleep 100000").expect("an item is written");
    child.kill().expect("it is killed");
    child.wait().expect("it is reaped");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    for pid in workers {
        while is_running(pid) {
            assert!(std::time::Instant::now() < deadline, "worker {pid} lives on");
            std::thread::yield_now();
        }
    }
}

#[test]
fn workers_are_replaced_after_so_many_items() {
    let place = Place::new();
    let args = ["-t", "sqrt", "-j2", "--max-tasks-per-worker", "10", "--log-dir", "log"];
    assert_eq!(place.run_on(&args, lines(95)).ok(), roots(95));
    let mut items = BTreeMap::new();
    for line in item_lines(&runs(&place.path("log"))[0]) {
        *items.entry(line["pid"].as_u64()).or_insert(0) += 1;
    }
    assert!(items.len() >= 10 && items.values().all(|&count| count <= 10), "{items:?}");
}

#[test]
fn the_worker_by_hand_says_what_it_is() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_worker")).output().expect("the worker starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("coordinator"));
}

#[test]
fn far_too_many_workers_are_refused_room_before_they_are_spawned() {
    let place = Place::new();
    let coordinator = env!("CARGO_BIN_EXE_coordinator");
    let line = format!("ulimit -n 40; exec '{coordinator}' -t sqrt --list 4 -j 100000 --log-dir log -q 2>&1");
    let output = std::process::Command::new("sh").args(["-c", &line]).current_dir(place.path(".")).output();
    assert_eq!(String::from_utf8_lossy(&output.expect("a shell").stdout), "4\t2.0\n");
    let spawned = json_lines(&runs(&place.path("log"))[0].join("workers.jsonl"));
    let failed = spawned.iter().filter(|line| line["pid"].is_null()).count();
    assert_eq!(failed, 0, "{spawned:?}");
}

/// A worker whose group holds another process, which keeps its pipes open.
#[test]
fn a_dead_worker_s_group_dies_and_its_open_pipes_keep_nobody_waiting() {
    let place = Place::new();
    let script = format!("#!/bin/sh\nsleep 1000 & echo $! >> pids\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_worker"));
    let worker = place.script("with-child", &script);
    let args = ["-t", "misbehave", "-j2", "-k", "--retries", "0", "--worker", worker.to_str().expect("UTF-8")];
    let begun = std::time::Instant::now();
    let ended = place.run_on(&args, format!("{}abort\n{}", lines(5), lines(5))).fails(1, "SIGABRT");
    assert!(begun.elapsed() < std::time::Duration::from_secs(20), "the open pipe was waited for");
    assert_eq!(ended.out.lines().count(), 11);
    let pids = place.read("pids");
    assert!(pids.lines().count() >= 3, "{pids}");
    for pid in pids.lines().filter_map(|pid| pid.parse().ok()) {
        until("a grandchild has ended", || !is_running(pid));
    }
}

/// The parent-death signal reaches also who is stopped.
#[test]
fn a_stopped_worker_dies_with_a_killed_coordinator() {
    use nix::sys::signal::{Signal, kill};
    let place = Place::new();
    let (mut child, _stdin) = busy(&place, &["-t", "misbehave", "-j2", "--format", "lines", "--log", "off"]);
    let workers = workers_of(child.id());
    for &worker in &workers {
        kill(nix::unistd::Pid::from_raw(worker.cast_signed()), Signal::SIGSTOP).expect("it is stopped");
        until("it is stopped", || state(worker) == 'T');
    }
    child.kill().expect("it is killed");
    child.wait().expect("it is reaped");
    workers.into_iter().for_each(|worker| until("a worker has ended", || !is_running(worker)));
}

/// At any moment, also in the middle of spawning.
#[test]
fn no_worker_outlives_a_coordinator_killed_during_start_up() {
    for spawned in [1, 3, 10, 25] {
        let place = Place::new();
        let mut child =
            place.command(&["-t", "null", "-j40", "--log", "off"]).stdin(Stdio::piped()).spawn().expect("it");
        until("some workers are spawned", || workers_of(child.id()).len() >= spawned);
        child.kill().expect("it is killed");
        child.wait().expect("it is reaped");
        until("all workers have ended", || workers_of(child.id()).into_iter().all(|worker| !is_running(worker)));
    }
}
