//! The same work in a loop, on threads and in processes.

use crate::support::{Ended, Place, item_lines, lines, roots, runs};
use std::collections::BTreeSet;

#[test]
fn every_executor_writes_the_same() {
    for executor in [&["--serial"][..], &["--threads", "3"], &["--procs", "2"]] {
        let place = Place::new();
        let args = [&["-t", "sqrt", "--log-dir", "log"], executor].concat();
        assert_eq!(place.run_on(&args, lines(5000)).ok(), roots(5000), "{executor:?}");
        let logged = item_lines(&runs(&place.path("log"))[0]);
        let items: BTreeSet<u64> = logged.iter().filter_map(|line| line["item"].as_u64()).collect();
        assert_eq!((logged.len(), items.len()), (5000, 5000), "{executor:?}");
    }
}

#[test]
fn a_comparison_runs_all_three_and_compares_what_they_wrote() {
    let place = Place::new();
    let ended = place.run(&["-t", "sqrt", "--range", "0..2000", "--compare", "-j", "2", "--log-dir", "log"]);
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert_eq!(runs(&place.path("log")).len(), 3);
    let at = |word: &str| ended.err.find(word).unwrap_or_else(|| panic!("no {word} in {}", ended.err));
    assert!(at("serial") < at("threads") && at("threads") < at("procs"), "{}", ended.err);
}

#[test]
fn a_failed_item_is_the_same_failure_everywhere() {
    for executor in [&["--serial"][..], &["--threads", "2"]] {
        let place = Place::new();
        let args = [&["-t", "sqrt", "--list", "4,x,9"], executor].concat();
        let ended = place.run(&args).fails(1, "\"x\": not a decimal number");
        assert_eq!(ended.out, "4\t2.0\n", "{executor:?}");
        let args = [&args[..], &["--keep-going"]].concat();
        let ended = place.run(&args);
        assert_eq!(ended.status, 1);
        assert_eq!(ended.out.lines().count(), 3, "{}", ended.out);
    }
}

#[test]
fn a_reader_that_goes_away_ends_a_loop_too() {
    let place = Place::new();
    for executor in [&["--serial"][..], &["--threads", "2"]] {
        let args = [&["-t", "null", "--range", "0..100000000000", "--log", "off"], executor].concat();
        let mut child = place.command(&args).spawn().expect("it starts");
        let mut first = [0; 4];
        std::io::Read::read_exact(child.stdout.as_mut().expect("its output"), &mut first).expect("results");
        drop(child.stdout.take());
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{executor:?}");
    }
}

#[test]
fn what_tasks_print_and_panic_with_is_not_among_the_results() {
    for executor in [&["--serial"][..], &["--threads", "2"], &["--procs", "2"]] {
        let place = Place::new();
        let args = [&["-t", "misbehave", "-k", "--format", "lines", "--log", "off"], executor].concat();
        let ended = place.run_on(&args, "a\nprint JUNK\npanic \x1b[2J\nb\n").fails(1, "panicked: \\u{1b}[2J");
        assert_eq!(ended.out, "a\nprint JUNK\n\nb\n", "{executor:?}");
        assert!(!ended.err.contains('\x1b'), "{}", ended.err);
    }
}

#[test]
fn more_threads_than_there_is_room_for_are_refused() {
    let place = Place::new();
    let args = ["--threads", "60000", "-t", "sqrt", "--list", "4", "--log", "off"];
    let child = place.limited("-v", 4_000_000, &args).spawn().expect("it starts");
    let ended = Ended::of(child).fails(3, "threads can be started: at most ");
    assert!(ended.out.is_empty());
}
