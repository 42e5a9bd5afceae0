//! The most frequent mistakes are answered in a line that says what to do.

use crate::support::{Place, lines};

#[test]
fn an_item_that_takes_too_long_is_named_with_its_place_and_its_process() {
    let place = Place::new();
    place.file("items.txt", "1\nsleep 100000\n");
    let args = ["-t", "misbehave", "-i", "items.txt", "-k", "-j1", "--log", "off", "--timeout", "300ms"];
    let ended = place.run(&args).fails(1, "\n  items.txt:2:1: \"sleep 100000\": timed out after 300 ms (PID ");
    assert!(ended.err.contains("2 items (1 failed) in "), "{}", ended.err);
}

#[test]
fn words_that_are_misspelt_or_missing_are_answered() {
    let place = Place::new();
    let folder = place.path(".");
    let folder = folder.to_str().expect("UTF-8");
    for (args, says) in [
        (&["-t", "pryme", "--list", "7"][..], "did you mean 'prime'"),
        (&["-t", "prime", "--lst", "7"], "'--list'"),
        (&["-t", "prime", "-i", folder], "is a folder"),
        (&["-t", "prime", "-i", "missing.txt"], "missing.txt"),
        (&["-t", "prime", "--list", "7", "--worker", "/no/such/worker"], "/no/such/worker"),
    ] {
        let ended = place.run(args);
        assert!(ended.status == 2 || ended.status == 3, "{args:?}: {}", ended.err);
        assert!(ended.err.contains(says) && ended.err.starts_with("error: "), "{args:?}: {}", ended.err);
        assert!(ended.err.lines().count() <= 3, "{args:?}: {}", ended.err);
    }
}

#[test]
fn a_call_without_arguments_shows_what_to_call() {
    let ended = Place::new().run::<&str>(&[]).fails(2, "coordinator --procs 4 --task prime --input primes.txt");
    assert_eq!(ended.out, "");
    assert!(ended.err.lines().all(|line| line.chars().count() <= 80), "{}", ended.err);
    assert_eq!(
        ended.err.matches("\n  coordinator ").count() + ended.err.matches("\n  ls ").count(),
        5,
        "{}",
        ended.err
    );
}

#[test]
fn a_single_run_ends_with_a_line_or_two() {
    let place = Place::new();
    let ended = place.run_on(&["-t", "sqrt", "-j2"], lines(1000));
    let words = ["1,000 items in ", " on 2 processes (PIDs ", "slowest item ", "Details: coordinator inspect\n"];
    assert!(words.iter().all(|word| ended.err.contains(word)) && ended.err.lines().count() <= 2, "{}", ended.err);
    let none = place.run_on(&["-t", "sqrt", "-j2", "--summary", "none"], lines(10));
    assert_eq!((none.status, none.err.as_str()), (0, ""));
    for flags in [&["--summary", "full"][..], &["--verbose"]] {
        let full = place.run_on(&[&["-t", "sqrt", "-j2"], flags].concat(), lines(10));
        assert!(full.err.contains("peak memory") && full.err.contains("10 items in "), "{}", full.err);
    }
}

/// Every run of a study has cause for it.
#[test]
fn a_note_is_said_once() {
    let place = Place::new();
    let script = "sleep 60 >/dev/null & echo more; (sleep 0.05; echo late) & echo hi";
    let args = ["-t", "command", "--list", "1", "--procs", "1", "--repeat", "3", "--", "sh", "-c", script];
    let err = place.run(&args).err;
    let notes: Vec<&str> = err.lines().filter(|line| line.starts_with("note: ")).collect();
    let distinct: std::collections::BTreeSet<&str> = notes.iter().copied().collect();
    assert_eq!(notes.len(), distinct.len(), "{err}");
}
