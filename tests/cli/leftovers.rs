//! What a call leaves beside its output when it can't tidy up.

use crate::support::{Ended, Place, roots};
use std::process::Command;

#[test]
fn a_complete_output_whose_record_stays_is_known_as_complete() {
    if !Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success()) {
        eprintln!("skipped: there is no strace here");
        return;
    }
    let place = Place::new();
    let args = ["-q", "-t", "sqrt", "--range", "1..9", "-o", "out", "--log=off"];
    let mut call = place.shell(60, "exec \"$@\"");
    call.args(["sh", "strace", "-f", "-qq", "-o", "strace.log", "-e", "inject=unlink,unlinkat:error=EPERM"]);
    call.arg(assert_cmd::cargo::cargo_bin!("coordinator")).args(args);
    Ended::of(call.spawn().expect("strace starts")).ok();
    assert_eq!(place.read("out"), roots(8));
    assert!(place.path("out.resume").exists(), "it could not be removed");
    // An interrupted output would be refused.
    place.run(&args).ok();
    assert!(!place.path("out.resume").exists());
}

#[test]
fn leftovers_of_a_killed_call_are_removed_by_the_next_one() {
    let place = Place::new();
    place.file(".procession-1-0.new", "half");
    place.run(&["-q", "-t", "sqrt", "--range", "1..9", "-o", "out", "--log=off"]).ok();
    let names: Vec<_> = std::fs::read_dir(place.path("")).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert_eq!(names, ["out"]);
}
