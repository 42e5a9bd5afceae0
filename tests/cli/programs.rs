//! Checks of a program of the user's own before anything starts.

use crate::support::Place;

/// Asserts that a call is refused at once, with these words, and leaves nothing.
fn refused(place: &Place, args: &[&str], says: &str) {
    let args = [&["--list", "1", "-o", "out"], args].concat();
    place.run(&args).fails(2, says);
    assert!(!place.path("out").exists() && !place.path("state").exists(), "{args:?}");
}

#[test]
fn a_missing_or_not_executable_program_is_refused() {
    let place = Place::new();
    place.file("plain", "");
    std::fs::create_dir(place.path("folder")).expect("a folder");
    for task in ["command", "filter", "pipe"] {
        refused(&place, &["-t", task], "add -- PROGRAM ARGS");
        refused(&place, &["-t", task, "--", "no-such-program"], "'no-such-program' is not in PATH");
        refused(&place, &["-t", task, "--", "./nowhere"], "can't run ./nowhere: no such file");
        refused(&place, &["-t", task, "--", "./plain"], "not executable (try: chmod +x ./plain");
        refused(&place, &["-t", task, "--", "./folder"], "it is a directory");
        refused(&place, &["-t", task, "--", "plain"], "in the current folder: ./plain");
    }
}

#[test]
fn a_function_stands_in_a_file_of_python() {
    let place = Place::new();
    place.file("f.py", "def f(x):\n    return x\n");
    refused(&place, &["-t", "python"], "FILE.py:FUNCTION");
    refused(&place, &["-t", "python", "--", "f.py"], "has no function name");
    refused(&place, &["-t", "python", "--", "g.py:f"], "g.py");
    refused(&place, &["-t", "python", "--", "f.py:1"], "name of a Python function");
    refused(&place, &["-t", "python", "--param", "python=no-such-python", "--", "f.py:f"], "--param python=");
}

#[test]
fn a_program_is_found_as_a_shell_finds_it() {
    let place = Place::new();
    let program = place.script("mine", "#!/bin/sh\necho \"$1\"\n");
    let mut command = place.command(&["-t", "command", "--list", "a", "--format", "lines", "--", "mine", "{}"]);
    command.env("PATH", format!("/nowhere:{}:/bin:/usr/bin", program.parent().expect("a folder").display()));
    assert_eq!(crate::support::Ended::of(command.spawn().expect("it starts")).ok(), "a\n");
}

#[test]
fn a_runs_numbers_stand_in_arguments() {
    let place = Place::new();
    let args = ["-t", "command", "--list", "a,b,c", "--size", "2", "-j2", "--format", "lines", "--"];
    let text = place.run(&[&args[..], &["echo", "{}", "{size}/{procs}"]].concat()).ok();
    assert_eq!(text, "a 2/2\nb 2/2\n");
    refused(&Place::new(), &["-t", "command", "--", "echo", "{size}"], "add --size N");
}

#[test]
fn outputs_of_own_programs_may_differ() {
    let place = Place::new();
    let args = ["-t", "command", "--list", "a,b", "-j1,2", "--", "sh", "-c", "echo $$"];
    let ended = place.run(&args);
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert!(ended.err.contains("warning: the outputs differ"), "{}", ended.err);
    let ended = place.run(&[&args[..5], &["--no-verify"], &args[5..]].concat());
    assert!(!ended.err.contains("outputs differ"), "{}", ended.err);
}

#[test]
fn another_program_is_another_job() {
    let place = Place::new();
    place.file("in", "a\n");
    let call =
        |word: &str| place.run(&["-t", "command", "-i", "in", "-o", "out", "--resume", "--", "echo", word, "{}"]);
    call("x y").ok();
    call("z").fails(2, "made with -- echo 'x y' {}, not with -- echo z {}");
    assert!(call("x y").err.contains("is complete"));
}

#[test]
fn a_dry_run_shows_what_a_shell_would_be_given() {
    let place = Place::new();
    place.file("in", "a b\nit's\n");
    let ended = place.run(&["-t", "command", "-i", "in", "--dry-run", "--", "echo", "-n", "x{}"]);
    assert_eq!(ended.out, "echo -n 'xa b'\necho -n 'xit'\\''s'\n", "{}", ended.err);
}

#[test]
fn an_output_that_depends_on_the_count_is_gone_on_with_at_that_count_only() {
    let place = Place::new();
    let program = ["--", "sh", "-c", "[ $PROCESSION_ITEM != 5 ] && echo {procs}"];
    let run = |more: &[&str]| {
        let flags = ["-q", "-t", "command", "--range", "0..9", "--retries", "0", "-o", "out.tsv"];
        place.run(&[&flags[..], more, &program].concat())
    };
    run(&["-j2"]).fails(1, "item 5: ");
    run(&["-j3", "--resume"]).fails(2, "{procs}");
    run(&["-j2", "--resume"]).fails(1, "item 5: ");
}
