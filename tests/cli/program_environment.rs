//! What a program of the user's own finds in its environment, and what not.

use crate::support::Place;
use std::process::Command;

/// Every executor, with two workers where that is possible.
const EXECUTORS: [&[&str]; 3] = [&["-j2"], &["--threads", "2"], &["--serial"]];

/// Runs a shell script for an item on this executor; returns what it printed.
fn printed(place: &Place, executor: &[&str], variables: &[(&str, &str)], script: &str) -> String {
    let work = ["-q", "-t", "command", "--list", "1", "--format", "lines"];
    let mut command = place.command(&[&work[..], executor, &["--", "sh", "-c", script]].concat());
    for name in ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"] {
        command.env_remove(name);
    }
    let ended = command.envs(variables.iter().copied()).output().expect("it runs");
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    String::from_utf8(ended.stdout).expect("text").trim_end().to_owned()
}

/// The CPUs that the coordinator counts.
fn cpus() -> usize {
    std::thread::available_parallelism().expect("a count").get()
}

#[test]
fn libraries_have_their_worker_s_share_of_the_cpus() {
    let place = Place::new();
    let script = "echo $OMP_NUM_THREADS $OPENBLAS_NUM_THREADS $MKL_NUM_THREADS";
    let all = |threads: usize| [threads.to_string().as_str(); 3].join(" ");
    let [procs, threads, serial] = EXECUTORS.map(|executor| printed(&place, executor, &[], script));
    assert_eq!((procs, threads), (all((cpus() / 2).max(1)), all((cpus() / 2).max(1))));
    assert_eq!(serial, all(cpus()));
    let theirs = EXECUTORS.map(|executor| printed(&place, executor, &[("OPENBLAS_NUM_THREADS", "77")], script));
    assert!(theirs.iter().all(|theirs| theirs.split(' ').nth(1) == Some("77")), "the user's own: {theirs:?}");
}

#[test]
fn in_a_study_libraries_have_the_same_threads_everywhere() {
    let place = Place::new();
    let counts = format!("-j1,{}", cpus() + 1);
    let work = ["-t", "command", "--list", "1", &counts, "--format", "lines", "--output", "-", "--log", "off"];
    let script = ["--", "sh", "-c", "echo $MKL_NUM_THREADS"];
    let mut command = place.command(&[&work[..], &script].concat());
    let ended = command.env_remove("MKL_NUM_THREADS").output().expect("it runs");
    let err = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(String::from_utf8_lossy(&ended.stdout), "1\n", "{err}");
    assert!(err.contains("note: in every configuration ") && err.contains("MKL_NUM_THREADS=1"), "{err}");
}

#[test]
fn variables_of_the_coordinator_do_not_reach_programs() {
    let place = Place::new();
    for executor in EXECUTORS {
        let script = "echo ${PROCESSION_LOG-none} $PROCESSION_ATTEMPT";
        let found = printed(&place, executor, &[("PROCESSION_LOG", "x"), ("PROCESSION_ATTEMPT", "9")], script);
        assert_eq!(found, "none 1", "{executor:?}");
    }
}

#[test]
fn programs_have_no_descriptors_but_the_standard_ones() {
    let place = Place::new();
    for executor in EXECUTORS {
        // The shell's own list of the descriptors that it was given.
        let script = "for fd in 3 4 5 6 7 8 9; do [ -e /proc/$$/fd/$fd ] && echo $fd; done; echo end";
        let call = place.command(&[&["-q", "-t", "command", "--list", "1", "--format", "lines"], executor].concat());
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$@\" 7</dev/null 9</dev/null", "sh"]).arg(call.get_program());
        command.args(call.get_args()).args(["--", "sh", "-c", script]).current_dir(place.path(""));
        let ended = command.output().expect("it runs");
        assert_eq!(String::from_utf8_lossy(&ended.stdout), "end\n", "{executor:?}");
    }
}
