//! The CPU time and the memory of a worker are those of the programs that it runs.

use crate::support::{Place, json_lines, runs};
use serde_json::Value;

/// Holds 64 MiB in a process below the shell, and uses a CPU for at least 50 ms.
const WORK: &str = "dd if=/dev/zero of=/dev/null bs=64M count=1 status=none; \
                    i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done";
/// What a worker without a program never needs.
const HELD: u64 = 64 << 20;
const USED_S: f64 = 0.04;

/// The CPU seconds and the peak memory of the first worker of a run.
fn used(flags: &[&str], program: &[&str]) -> (f64, Option<u64>) {
    let place = Place::new();
    place.file("own.py", "def f(x):\n    held = bytearray(64 << 20)\n    return sum(range(5_000_000))\n");
    let args = [flags, &["-q", "--log-dir", "log", "-o", "out", "--"], program].concat();
    place.run_on(&args, "1\n").ok();
    let lines = json_lines(&runs(&place.path("log"))[0].join("workers.jsonl"));
    let exited = lines.iter().find(|line| line["event"] == "exited").expect("it ended");
    let seconds = |part: &str| exited[part].as_f64().expect("seconds");
    (seconds("cpu_user_s") + seconds("cpu_system_s"), exited["peak_memory_bytes"].as_u64())
}

#[test]
fn what_programs_use_is_told() {
    let answer = format!("{WORK}; echo 1");
    let filter = format!("{WORK}; while read -r x; do echo $x; done");
    let tasks = [
        ("command", vec!["sh", "-c", &answer]),
        ("pipe", vec!["sh", "-c", &answer]),
        ("filter", vec!["sh", "-c", &filter]),
        ("python", vec!["own.py:f"]),
    ];
    for (task, program) in &tasks {
        // A worker that is replaced ends while its program runs.
        let executors = [&["-j1"][..], &["-j1", "--max-tasks-per-worker=1"], &["--threads=1"], &["--serial"]];
        for executor in executors {
            let (cpu_s, memory) = used(&[&["-t", task], executor].concat(), program);
            assert!(cpu_s >= USED_S, "{task} {executor:?}: {cpu_s} s");
            // Threads have the memory of the coordinator.
            let is_process = executor[0] == "-j1";
            assert!(!is_process && memory.is_none() || memory >= Some(HELD), "{task} {executor:?}: {memory:?}");
        }
    }
}

#[test]
fn a_worker_without_programs_uses_little() {
    let place = Place::new();
    place.run(&["-t", "sqrt", "--list", "4", "-j1", "-q", "--log-dir", "log"]).ok();
    let lines = json_lines(&runs(&place.path("log"))[0].join("workers.jsonl"));
    let peaks: Vec<&Value> =
        lines.iter().filter(|line| line["event"] == "exited").map(|line| &line["peak_memory_bytes"]).collect();
    assert!(peaks.len() == 1 && peaks[0].as_u64().is_some_and(|peak| peak < HELD), "{peaks:?}");
}
