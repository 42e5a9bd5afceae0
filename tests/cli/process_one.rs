//! The coordinator as process 1, as in a container without an init: whoever loses its
//! parent becomes its child. Skipped where no PID namespace can be made.

use crate::support::{Ended, Place};
use std::process::Command;

const NAMESPACES: [&str; 6] = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"];

/// Leaves 20 processes behind that have ended or are about to.
const LEAVE: &str = "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do (true &) >/dev/null 2>&1; done";

/// Prints how many processes nobody has reaped, once they are as few as there may be.
const COUNT: &str = "count() { cat /proc/[0-9]*/stat 2>/dev/null | grep -c ') Z '; }
    for i in 1 2 3 4 5 6 7 8 9 10; do [ $(count) -lt 9 ] && break; sleep 1; done; count; true";

/// Runs the coordinator as process 1; `None` if that is not possible here.
fn run(place: &Place, args: &[&str]) -> Option<Ended> {
    let probe = Command::new("unshare").args(NAMESPACES).arg("true").output();
    if !probe.is_ok_and(|probe| probe.status.success()) {
        eprintln!("skipped: no PID namespace can be made here");
        return None;
    }
    let mut line = vec!["timeout", "100", "unshare"];
    line.extend(NAMESPACES);
    line.extend(["sh", "-c", "exec coordinator \"$@\"", "sh"]);
    line.extend(args);
    let words: Vec<String> = line.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''"))).collect();
    Some(Ended::of(place.shell(120, &words.join(" ")).spawn().expect("a shell")))
}

#[test]
fn as_process_1_it_reaps_strangers_and_only_them() {
    let place = Place::new();
    // The exit status of its own children must reach it, whoever reaps strangers.
    let script = format!("if [ $1 = 40 ]; then {COUNT}; else {LEAVE}; [ $(($1 % 4)) = 3 ] && exit 7; echo fine; fi");
    for executor in ["-j1", "--threads=1", "--serial"] {
        let args = ["-t", "command", "--range", "1..41", executor, "--keep-going", "--retries", "0", "--log", "off"];
        let args = [&args[..], &["--format", "tsv", "-q", "--", "sh", "-c", &script, "sh", "{}"]].concat();
        let Some(ended) = run(&place, &args) else { return };
        assert_eq!(ended.status, 1, "{executor}: {}", ended.err);
        assert_eq!(ended.out.matches("fine").count(), 29, "{executor}: {}", ended.out);
        assert_eq!(ended.out.matches("exited with status 7").count(), 10, "{executor}: {}", ended.out);
        let left = ended.out.lines().last().and_then(|line| line.strip_prefix("40\t")?.parse::<u32>().ok());
        assert!(left.is_some_and(|left| left < 9), "{executor}: {left:?} of 780 are left: {}", ended.out);
    }
}
