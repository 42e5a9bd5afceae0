//! `--joblog`: GNU parallel's columns.

use crate::support::{Place, lines};
use std::os::unix::fs::PermissionsExt as _;

fn rows(text: &str) -> Vec<Vec<String>> {
    text.lines().skip(1).map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

#[test]
fn a_line_for_each_item_with_an_outcome() {
    let place = Place::new();
    let input = format!("{}abort\nfail no\nexit 3\ntab\there\u{1b}[31m\n", lines(20));
    for log in ["task", "chunk", "off"] {
        let args = ["-t", "misbehave", "-j2", "-k", "--retries", "0", "--joblog", "jobs", "--log", log];
        let now = || std::time::UNIX_EPOCH.elapsed().expect("a time of day").as_secs_f64();
        let began = now();
        place.run_on(&args, &input).fails(1, "");
        let text = place.read("jobs");
        let header = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\tPID";
        assert_eq!(text.lines().next(), Some(header));
        let mut rows = rows(&text);
        rows.sort_by_key(|row| row[0].parse::<u64>().expect("a number"));
        assert_eq!(rows.len(), 24, "--log {log}: {text}");
        for (at, row) in rows.iter().enumerate() {
            assert_eq!((row[0].clone(), &row[1][..], row.len()), ((at + 1).to_string(), ":", 10), "{row:?}");
            let start: f64 = row[2].parse().expect("a time");
            assert!((began - 0.1..=now() + 0.1).contains(&start), "{row:?}");
            row[3].trim().parse::<f64>().expect("a duration");
        }
        let of = |at: usize| [4, 5, 6, 7, 8].map(|column: usize| rows[at][column].as_str());
        assert_eq!(of(9), ["2", "2", "0", "0", "misbehave 10"]);
        assert_eq!(of(20), ["5", "0", "0", "6", "misbehave abort"]);
        assert_eq!(of(21), ["7", "0", "1", "0", "misbehave fail no"]);
        assert_eq!(of(22), ["6", "0", "3", "0", "misbehave exit 3"]);
        assert_eq!(of(23)[4], "misbehave tab\\there\\u{1b}[31m");
    }
}

#[test]
fn the_runs_of_a_study_follow_one_another() {
    let place = Place::new();
    place.run_on(&["-t", "sqrt", "-j1,2", "--repeat", "2", "--joblog", "jobs"], lines(100)).ok();
    assert_eq!(rows(&place.read("jobs")).len(), 400);
    let mode = std::fs::metadata(place.path("jobs")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn what_can_not_be_written() {
    let place = Place::new();
    place.run_on(&["-t", "sqrt", "--joblog", "none/jobs"], lines(3)).fails(2, "--joblog none/jobs: ");
    place.run_on(&["-t", "sqrt", "--joblog", "/dev/full"], lines(3)).fails(2, "--joblog /dev/full: ");
}
