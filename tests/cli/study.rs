//! Several configurations in one call.

use crate::support::{Place, lines, roots, runs};

#[test]
fn several_counts_are_several_runs_with_a_table() {
    let place = Place::new();
    place.file("in", lines(2000));
    let ended = place.run(&["-t", "sqrt", "-i", "in", "--procs", "1,2,4", "--log-dir", "log"]);
    assert_eq!(ended.out, "", "a study prints no results");
    for word in ["speedup", "efficiency"] {
        assert!(ended.err.to_lowercase().contains(word), "{}", ended.err);
    }
    ended.ok();
    assert_eq!(runs(&place.path("log")).len(), 3);
}

#[test]
fn results_of_a_study_are_written_once_when_asked_for() {
    let place = Place::new();
    place.file("in", lines(300));
    let args = ["-t", "sqrt", "-i", "in", "--procs", "1..=2", "--size", "10,300", "--output", "-"];
    assert_eq!(place.run(&args).ok(), roots(300));
    place.run(&["-t", "sqrt", "-i", "in", "--procs", "1,2", "-o", "out.tsv"]).ok();
    assert_eq!(place.read("out.tsv"), roots(300));
}

#[test]
fn repeats_and_warmups() {
    let place = Place::new();
    let args =
        ["-t", "sqrt", "--range", "0..500", "--procs", "1,2", "--repeat", "3", "--warmup", "1", "--log-dir", "log"];
    place.run(&args).ok();
    let measured = runs(&place.path("log")).len();
    assert!(measured == 6 || measured == 8, "{measured} runs are logged");
}

#[test]
fn a_pipe_can_be_studied_too() {
    let place = Place::new();
    let ended = place.run_on(&["-t", "sqrt", "--procs", "1,2", "--output", "-"], lines(200));
    assert_eq!(ended.ok(), roots(200));
}

#[test]
fn a_failed_item_fails_the_study() {
    let place = Place::new();
    place.run(&["-t", "sqrt", "--list", "1,-1", "--procs", "1,2"]).fails(1, "negative");
}
