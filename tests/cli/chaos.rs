//! Many killed processes in one run: a small, bounded share of what `cargo xtask
//! chaos` does.

use crate::support::{Ended, Place, item_lines, lines, roots, runs, workers_of};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::Stdio;

/// Workers that are killed.
const KILLS: usize = 60;
/// Items that are given between two kills.
const ITEMS: u64 = 100;

/// Kills one worker that has said hello, and was not killed before.
fn kill_one(coordinator: u32, killed: &mut HashSet<u32>) {
    loop {
        let ready = |pid: &u32| !killed.contains(pid) && has_written(*pid);
        if let Some(pid) = workers_of(coordinator).into_iter().find(ready) {
            kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL).expect("the worker is killed");
            killed.insert(pid);
            return;
        }
        std::thread::yield_now();
    }
}

/// Whether a process has ever written: hello is the first that a worker writes.
fn has_written(pid: u32) -> bool {
    let io = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("io")).unwrap_or_default();
    io.lines().any(|line| line.strip_prefix("wchar: ").is_some_and(|bytes| bytes != "0"))
}

#[test]
fn sixty_killed_workers_change_nothing() {
    let place = Place::new();
    let total = ITEMS * (KILLS as u64 + 1);
    let args = ["-t", "sqrt", "-j3", "--chunk", "7", "--retries", "1000000", "--log-dir", "log"];
    let mut child = place.command(&args).stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let (mut text, mut killed) = (String::new(), HashSet::new());
    for first in (1..=total).step_by(ITEMS as usize) {
        for item in first..first + ITEMS {
            writeln!(stdin, "{item}").expect("an item is written");
        }
        // The first result of these shows that their turn has come: the kill falls among them.
        out.read_line(&mut text).expect("a result");
        if killed.len() < KILLS {
            kill_one(child.id(), &mut killed);
        }
        for _ in 1..ITEMS {
            out.read_line(&mut text).expect("a result");
        }
    }
    drop(stdin);
    let coordinator = child.id();
    child.stdout = Some(out.into_inner());
    Ended::of(child).ok();
    assert_eq!(killed.len(), KILLS);
    assert!(text == roots(total), "the results are right");
    assert_eq!(workers_of(coordinator), [0; 0]);
    let mut logged: Vec<u64> =
        item_lines(&runs(&place.path("log"))[0]).iter().filter_map(|line| line["item"].as_u64()).collect();
    logged.sort_unstable();
    assert!(logged == (0..total).collect::<Vec<_>>(), "each item is logged once");
}

/// A loop around `--resume`, as a script would have it.
#[test]
fn eight_killed_coordinators_are_gone_on_with() {
    let place = Place::new();
    let total = 30_000;
    place.file("numbers", lines(total));
    let args = ["-t", "sqrt", "-i", "numbers", "-j3", "--chunk", "50", "-o", "roots", "--resume", "--log", "off"];
    let expected = roots(total);
    for kills in 0..8 {
        let mut child = place.command(&args).spawn().expect("it starts");
        // Killed where it stands: at once, when its workers are there, when results are.
        match kills % 3 {
            0 => {}
            1 => kill_one(child.id(), &mut HashSet::new()),
            _ => {
                while std::fs::metadata(place.path("roots")).map_or(0, |roots| roots.len()) == 0 {
                    std::thread::yield_now();
                }
            }
        }
        child.kill().expect("it is killed");
        child.wait().expect("it is reaped");
        if place.path("roots").exists() {
            assert!(expected.starts_with(&place.read("roots")), "what is left is how the results begin");
        }
    }
    place.run(&args).ok();
    assert!(place.read("roots") == expected, "the results are right");
    place.run(&args).ok();
    assert!(place.read("roots") == expected, "a complete output is left as it is");
}
