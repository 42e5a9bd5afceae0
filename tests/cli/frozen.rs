//! Whole jobs that are stopped and continued: no item is timed out by that. `cargo
//! xtask freeze` does the same at random moments, and by a cgroup, too.

use crate::support::{Ended, Place, state, until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::time::Duration;

/// Longer than the time limit and every grace period together.
const STOP: Duration = Duration::from_secs(3);
/// An item takes half of its time.
const STEPS: &str = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.05; done";
const PYTHON: &str = "import time\ndef f(x):\n    for _ in range(10):\n        time.sleep(0.05)\n    return x\n";

/// A process and all its descendants. They are stopped in this order, so that nobody
/// who was found starts another.
fn stop_all(coordinator: u32) -> Vec<u32> {
    let mut stopped = vec![coordinator];
    let mut next = 0;
    while let Some(&pid) = stopped.get(next) {
        next += 1;
        send(pid, Signal::SIGSTOP);
        until("it is stopped or has ended", || matches!(state(pid), 'T' | 'Z' | 'X'));
        let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for task in tasks {
            let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            stopped.extend(children.split_whitespace().filter_map(|child| child.parse::<u32>().ok()));
        }
    }
    stopped
}

fn send(pid: u32, signal: Signal) {
    // An error means that it has ended.
    let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
}

/// Runs a job whose processes are stopped when it has printed this many results.
fn frozen_after(results: usize, task: &str, program: &[&str]) {
    let place = Place::new();
    place.file("f.py", PYTHON);
    let args = ["-t", task, "--list", "1,2,3,4", "-j2", "--timeout", "1", "--chunk", "1", "--retries", "0"];
    let mut command =
        place.command(&[&args[..], &["--log", "off", "--unordered", "-o", "out.jsonl", "--"], program].concat());
    let child = command.spawn().expect("it starts");
    let written = || std::fs::read_to_string(place.path("out.jsonl")).unwrap_or_default().lines().count();
    until("so many results are written", || written() >= results);
    let mut stopped = stop_all(child.id());
    std::thread::sleep(STOP);
    stopped.reverse();
    // The coordinator is the first to go on in one half of the cases.
    stopped.rotate_right(results % 2);
    stopped.iter().for_each(|&pid| send(pid, Signal::SIGCONT));
    Ended::of(child).ok();
    assert_eq!(written(), 4, "{task}");
}

#[test]
fn no_item_is_timed_out_by_a_stop_of_the_whole_job() {
    let item = format!("read x; {STEPS}; echo $x");
    let filter = format!("while read x; do {STEPS}; echo $x; done");
    std::thread::scope(|scope| {
        for (task, program) in [
            ("command", ["sh", "-c", &item].to_vec()),
            ("filter", ["sh", "-c", &filter].to_vec()),
            ("python", vec!["f.py:f"]),
        ] {
            for results in [0, 1, 2] {
                let program = program.clone();
                scope.spawn(move || frozen_after(results, task, &program));
            }
        }
    });
}
