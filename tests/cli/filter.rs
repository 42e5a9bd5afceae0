//! `filter`: a program that runs for many items, one line in and one line out.

use crate::support::{Ended, Place, item_lines, lines, nothing_is_left, runs};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};

/// Runs a filter in the shell's language.
fn filter(place: &Place, flags: &[&str], script: &str, input: &str) -> Ended {
    place.run_on(&[&["-t", "filter"], flags, &["--", "sh", "-c", script]].concat(), input)
}

/// Answers each line with itself, after something was done about it.
fn each(deed: &str) -> String {
    format!("while read -r x; do {deed}; echo \"$x\"; done")
}

/// Items and results as tsv, but for one item.
fn all_but(n: u64, bad: u64, record: &str) -> String {
    let line = |i| if i == bad { format!("{i}\t\t{record}\n") } else { format!("{i}\t{i}\n") };
    (1..=n).map(line).collect()
}

#[test]
fn many_lines_come_back_in_order_from_many_workers() {
    let place = Place::new();
    let input = lines(100_000);
    for executor in [&["-j1"][..], &["-j4"], &["--threads", "3"], &["--serial"], &["-j3", "--chunk", "7"]] {
        let input = if executor.contains(&"--chunk") { lines(2_000) } else { input.clone() };
        let args = [&["-t", "filter", "--format", "lines", "-q", "--log", "off"], executor, &["--", "cat"]].concat();
        assert!(place.run_on(&args, &input).ok() == input, "{executor:?}");
    }
    nothing_is_left(&place);
}

#[test]
fn the_log_names_the_program_and_each_worker_has_one() {
    let place = Place::new();
    let out = filter(&place, &["-j2", "--log-dir", "log"], &each("x=$PROCESSION_WORKER"), &lines(20)).ok();
    assert!(out.lines().all(|line| line.ends_with("\t0") || line.ends_with("\t1")), "{out}");
    let logged = item_lines(&runs(&place.path("log"))[0]);
    let pairs: BTreeSet<_> = logged.iter().map(|line| (line["pid"].as_u64(), line["child_pid"].as_u64())).collect();
    assert!(logged.len() == 20 && (1..=2).contains(&pairs.len()), "{pairs:?}");
    assert!(pairs.iter().all(|(pid, child)| child.is_some() && child != pid), "{pairs:?}");
}

#[test]
fn large_lines_pass_both_ways_at_once() {
    let place = Place::new();
    let long = "x".repeat(1 << 20);
    let input: String = (0..12).map(|n| format!("{n}{long}\n")).collect();
    let args = ["-t", "filter", "-j2", "--format", "lines", "--log", "off", "-q", "--", "cat"];
    assert!(place.run_on(&args, &input).ok() == input);
}

#[test]
fn a_line_that_kills_the_program_fails_alone() {
    for (death, says) in [
        ("exit 3", "crashed: its process exited with status 3"),
        ("exit 0", "crashed: its process exited with status 0"),
        ("kill -SEGV $$", "crashed: its process was killed by SIGSEGV"),
    ] {
        let place = Place::new();
        let script = each(&format!("[ $x != 37 ] || {death}"));
        let ended =
            filter(&place, &["-j2", "-k", "--chunk", "50"], &script, &lines(100)).fails(1, "-:37:1: \"37\": crashed");
        assert_eq!(ended.out, all_but(100, 37, says), "{death}");
        nothing_is_left(&place);
    }
}

#[test]
fn a_program_that_ends_early_is_started_again_as_often_as_it_takes() {
    let place = Place::new();
    // Each process answers five lines, and loses those that it was sent beside them.
    let script = "for i in 1 2 3 4 5; do read -r x || exit 0; echo $x; done";
    let ended = filter(&place, &["-j2", "--format", "lines"], script, &lines(60));
    assert_eq!(ended.ok(), lines(60));
}

#[test]
fn an_extra_line_is_never_taken_for_another_items_result() {
    let place = Place::new();
    let script = each("[ $x != 5 ] || echo more");
    let ended = filter(&place, &["-j1", "-k", "--chunk", "4"], &script, &lines(12))
        .fails(1, "the program wrote more lines than it was given");
    let good: Vec<&str> = ended.out.lines().filter(|line| !line.contains("failed: ")).collect();
    // The chunk of the fifth line, and no other.
    assert_eq!(good, ["1\t1", "2\t2", "3\t3", "4\t4", "9\t9", "10\t10", "11\t11", "12\t12"], "{}", ended.err);
}

#[test]
fn an_answer_that_is_left_out_is_its_own_items_failure() {
    let place = Place::new();
    for procs in ["1", "2"] {
        let flags = ["-q", "-k", "-j", procs, "-t", "filter", "--range", "1..7", "--timeout", "500ms"];
        let ended =
            place.run(&[&flags[..], &["--", "sed", "-u", "/2/d"]].concat()).fails(1, "item 1: \"2\": timed out after");
        assert_eq!(ended.out, "1\t1\n2\t\ttimed-out: ran longer than 500ms\n3\t3\n4\t4\n5\t5\n6\t6\n");
    }
}

#[test]
fn a_missing_line_ends_the_program_and_keeps_the_order() {
    let place = Place::new();
    // It skips a line, and so has one too few when it is over.
    let script = "while read -r x; do [ $x = 5 ] || echo $x; [ $x != 8 ] || exit 0; done";
    let ended = filter(&place, &["-j1", "-k", "--chunk", "1"], script, &lines(4));
    assert_eq!(ended.ok(), all_but(4, 0, ""));
    let ended = filter(&place, &["-j1", "-k", "--chunk", "1", "--timeout", "500ms"], script, &lines(6));
    assert_eq!(ended.fails(1, "-:5:1: ").out, all_but(6, 5, "timed-out: ran longer than 500ms"));
}

#[test]
fn a_last_line_without_its_end_is_that_items_failure() {
    let place = Place::new();
    let script = "while read -r x; do [ $x != 3 ] || { printf 3; exit 0; }; echo $x; done";
    let ended = filter(&place, &["-j1", "-k"], script, &lines(6)).fails(1, "-:3:1: ");
    assert_eq!(ended.out, all_but(6, 3, "failed: the program ended within its answer"));
}

#[test]
fn a_program_that_buffers_its_output_is_explained_and_can_be_interrupted() {
    let place = Place::new();
    let mut child = place.command(&["-t", "filter", "--list", "a,b", "-j1", "--", "tr", "a-z", "A-Z"]).spawn().unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut note = String::new();
    errors.read_line(&mut note).unwrap();
    assert!(note.starts_with("warning: tr has read 1 line, sleeps and answers nothing: "), "{note}");
    assert!(note.contains("stdbuf -oL") && note.contains("--task pipe"), "{note}");
    let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGINT).unwrap();
    child.stderr = Some(errors.into_inner());
    assert_eq!(Ended::of(child).status, 130);
    nothing_is_left(&place);
}

#[test]
fn each_line_has_its_own_time() {
    let place = Place::new();
    let script = each("[ $x != 12 ] || sleep 1000");
    let ended = filter(&place, &["-j2", "-k", "--timeout", "500ms"], &script, &lines(20)).fails(1, "-:12:1: ");
    assert_eq!(ended.out, all_but(20, 12, "timed-out: ran longer than 500ms"));
    nothing_is_left(&place);
}

#[test]
fn workers_are_replaced_with_their_programs() {
    let place = Place::new();
    let flags = ["-j2", "--max-tasks-per-worker", "5", "--chunk", "5", "--log-dir", "log"];
    assert_eq!(filter(&place, &flags, &each(":"), &lines(40)).ok(), all_but(40, 0, ""));
    let programs: BTreeSet<_> =
        item_lines(&runs(&place.path("log"))[0]).iter().map(|line| line["child_pid"].as_u64()).collect();
    assert_eq!(programs.len(), 8);
    nothing_is_left(&place);
}

#[test]
fn an_output_is_gone_on_with() {
    let place = Place::new();
    let input = place.file("in", lines(50));
    let input = input.to_str().unwrap();
    let flags = ["-t", "filter", "-i", input, "-o", "out.tsv", "-j1", "--chunk", "10"];
    let script = each("[ $x != 30 ] || [ -e well ] || exit 9");
    let program = ["--", "sh", "-c", &script];
    place.run(&[&flags[..], &program].concat()).fails(1, "in:30:1: ");
    place.file("well", "");
    place.run(&[&flags[..], &["--resume"], &program].concat()).ok();
    assert_eq!(place.read("out.tsv"), all_but(50, 0, ""));
}

#[test]
fn an_item_of_two_lines_is_invalid() {
    let place = Place::new();
    let args = ["-t", "filter", "--items", "nul", "-k", "-j1", "--", "cat"];
    let ended = place.run_on(&args, b"a\0b\nc\0d\0").fails(1, "-:1:3: ");
    let invalid = "b\\nc\t\tinvalid: the item has more than one line; a filter takes one line for each item";
    assert_eq!(ended.out, format!("a\ta\n{invalid}\nd\td\n"));
}

#[test]
fn without_processes_a_dead_program_ends_the_run() {
    for executor in [&["--serial"][..], &["--threads", "2"]] {
        let place = Place::new();
        let script = each("[ $x != 7 ] || kill -SEGV $$");
        let flags = [executor, &["-k"]].concat();
        filter(&place, &flags, &script, &lines(10)).fails(3, "sh was killed by SIGSEGV at item 6: ");
        nothing_is_left(&place);
    }
}

#[test]
fn standard_error_of_a_filter_is_in_the_log() {
    let place = Place::new();
    filter(&place, &["-j1", "--log-dir", "log"], &each("echo aside $x >&2"), &lines(3)).ok();
    let folder = std::fs::read_dir(&runs(&place.path("log"))[0]).unwrap();
    let said: Vec<_> = folder
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "stderr"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    assert_eq!(said, ["aside 1\naside 2\naside 3\n"]);
}

#[test]
fn a_program_that_is_not_there_is_named_once() {
    let place = Place::new();
    let ended = place.run(&["-t", "filter", "--list", "1,2", "-j2", "--", "/no/such/program"]);
    assert!([2, 3].contains(&ended.status), "{}", ended.err);
    assert_eq!(ended.err.matches("error: ").count(), 1, "{}", ended.err);
    assert!(ended.err.contains("/no/such/program"), "{}", ended.err);
}
