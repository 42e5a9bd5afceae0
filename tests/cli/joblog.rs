//! `--joblog`: GNU parallel's columns.

use crate::support::{Ended, Place, lines, roots};
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
    place.run_on(&["-t", "sqrt", "--joblog", "/dev/full"], lines(3)).fails(4, "--joblog /dev/full: ");
}

#[test]
fn it_is_emptied_by_a_run_only_and_gone_on_with_by_one_that_resumes() {
    let place = Place::new();
    let seqs = || rows(&place.read("jobs")).iter().map(|row| row[0].clone()).collect::<Vec<_>>();
    let args = ["-t", "sqrt", "-j1", "--log=off", "-o", "out", "--joblog", "jobs"];
    let resume = [&args[..], &["--resume"]].concat();
    place.run_on(&resume, "1 4 -1 9").fails(1, "-:1:5: ");
    // What comes after a failed item may have been done too, before it was known.
    let first = seqs();
    assert_eq!(first[..3], ["1", "2", "3"]);
    let before = place.read("jobs");
    place.run_on(&args, "1 4 -1 9").fails(2, "interrupted run");
    place.run(&[&args[..], &["-i", "missing"]].concat()).fails(2, "missing");
    assert_eq!(place.read("jobs"), before, "refused");
    place.run_on(&[&resume[..], &["-k"]].concat(), "1 4 -1 9").fails(1, "");
    assert_eq!(seqs(), [&first[..], &["3".to_owned(), "4".to_owned()]].concat());
    let before = place.read("jobs");
    place.file("in", "1 4 -1 9");
    place.run(&[&resume[..], &["-k", "-i", "in"]].concat()).fails(1, "nothing to do");
    assert_eq!(place.read("jobs"), before, "there was nothing to do");
    place.run_on(&[&args[..], &["--overwrite"]].concat(), "16").ok();
    assert_eq!(seqs(), ["1"]);
    place.file("jobs", "precious\n");
    place.run_on(&resume, "16").fails(2, "give another file");
    assert_eq!(place.read("jobs"), "precious\n");
    place.run(&["-t", "sqrt", "-i", "missing", "--joblog", "new"]).fails(2, "missing");
    assert!(!place.path("new").exists());
}

#[test]
fn it_is_neither_an_input_nor_the_output() {
    let place = Place::new();
    place.file("in", lines(9));
    let base = ["-t", "sqrt", "--log=off", "-i", "in", "--joblog"];
    place.run(&[&base[..], &["in"]].concat()).fails(2, "is the same file as the input in");
    place.run(&[&base[..], &["out", "-o", "out"]].concat()).fails(2, "is the same file as the output");
    assert!(!place.path("out").exists());
    place.file("out", "old");
    place.run(&[&base[..], &["out", "-o", "./out"]].concat()).fails(2, "is the same file as the output");
    assert_eq!((place.read("in"), place.read("out")), (lines(9), "old".to_owned()));
}

#[test]
fn a_full_disk_under_it_is_status_4_and_the_results_are_whole() {
    let place = Place::new();
    place
        .run(&["-t", "sqrt", "--range", "0..9", "--joblog", "/dev/full"])
        .fails(4, "--joblog /dev/full: No space left");
    let args = ["-q", "-t", "sqrt", "--range", "1..2001", "--log=off", "--joblog", "jobs"];
    // A limit of the size of files stands for the disk: standard output is a pipe.
    let ended = Ended::of(place.limited("-f", 8, &args).spawn().expect("it starts"));
    let ended = ended.fails(4, "error: the job log is not complete: File too large");
    assert_eq!(ended.out, roots(2000));
}

#[test]
fn a_programs_own_end_and_its_command_can_be_run_again() {
    let place = Place::new();
    let script = "case $1 in bad*) exit 7;; dead) kill -9 $$;; *) echo \"$2\";; esac";
    let args = ["-t", "command", "-k", "-q", "--retries", "0", "--log=off", "--joblog", "jobs", "-i", "in"];
    place.file("in", "a b\nbad 'one'\ndead\nx$y\n");
    place.run(&[&args[..], &["--", "sh", "-c", script, "_", "{}", "{#}"]].concat()).fails(1, "");
    let mut all = rows(&place.read("jobs"));
    all.sort();
    let ends: Vec<_> = all.iter().map(|row| (&row[0][..], &row[6][..], &row[7][..])).collect();
    assert_eq!(ends, [("1", "0", "0"), ("2", "7", "0"), ("3", "0", "9"), ("4", "0", "0")]);
    let command = &all[1][8];
    assert!(command.starts_with("sh -c ") && command.ends_with(" 2 #"), "{command}");
    let pid = &all[1][9];
    let again = std::process::Command::new("sh").args(["-c", &format!("{command}\t{pid}")]).status();
    assert_eq!(again.expect("a shell").code(), Some(7));
}

/// GNU parallel runs the failed ones of a job log again.
#[test]
fn gnu_parallel_takes_it() {
    let has_parallel = std::process::Command::new("parallel").arg("--version").output();
    if !has_parallel.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).starts_with("GNU parallel")) {
        return;
    }
    let place = Place::new();
    let program = ["--", "sh", "-c", "test -e \"good $1\" && touch \"done $1\" || exit 5", "_", "{}"];
    let args = ["-t", "command", "-k", "-q", "--log=off", "--joblog", "jobs", "--list", "a,b,c,d"];
    place.file("good b", "");
    place.run(&[&args[..], &program].concat()).fails(1, "");
    std::fs::remove_file(place.path("done b")).expect("b succeeded");
    place.file("good a", "");
    place.file("good d", "");
    let again = place.shell(60, "parallel --will-cite --retry-failed --joblog jobs || true");
    let ended = Ended::of({ again }.spawn().expect("it starts"));
    assert_eq!(ended.status, 0, "{}", ended.err);
    let done: Vec<_> =
        ["a", "b", "c", "d"].iter().filter(|item| place.path(&format!("done {item}")).exists()).collect();
    assert_eq!(done, [&"a", &"d"], "{}", ended.err);
}
