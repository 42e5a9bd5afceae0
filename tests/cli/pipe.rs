//! `pipe`: a program for each block of lines.

use crate::support::{Place, lines};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{Read as _, Write as _};
use std::process::Stdio;

/// Counts the lines of each block.
const COUNT: [&str; 4] = ["--", "sh", "-c", "wc -l | tr -d ' '"];

#[test]
fn a_block_has_so_many_lines() {
    let place = Place::new();
    for procs in ["-j1", "-j3"] {
        let args = [&["-t", "pipe", "--chunk", "100", procs], &COUNT[..]].concat();
        assert_eq!(place.run_on(&args, lines(250)).ok(), "100\n100\n50\n");
    }
    let args = [&["-t", "pipe", "--chunk", "2", "--items", "words"], &COUNT[..]].concat();
    assert_eq!(place.run_on(&args, "a b,c").ok(), "2\n1\n");
}

#[test]
fn without_a_number_blocks_are_the_same_for_any_count_and_any_pace() {
    let place = Place::new();
    let text = lines(60_000);
    let args = |procs| [&["-t", "pipe", procs, "--log", "off", "-q"], &COUNT[..]].concat();
    let expected = place.run_on(&args("-j1"), &text).ok();
    assert!(expected.lines().count() > 4, "{expected}");
    assert_eq!(expected.lines().map(|n| n.parse::<u64>().expect(n)).sum::<u64>(), 60_000);
    let mut child = place.command(&args("-j2")).stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    for piece in text.as_bytes().chunks(777) {
        stdin.write_all(piece).expect("a piece is written");
    }
    drop(stdin);
    assert_eq!(crate::support::Ended::of(child).ok(), expected);
    let middle = text[..100_000].rfind('\n').expect("a line's end");
    place.file("a", &text[..middle]);
    place.file("b", &text[middle + 1..]);
    let files = [&["-i", "a", "b"], &args("-j2")[..]].concat();
    assert_eq!(place.run(&files).ok(), expected);
}

#[test]
fn lines_are_left_out_counted_and_shuffled_as_items_are() {
    let place = Place::new();
    let run = |more: &[&str]| {
        let args = [&["-t", "pipe", "--range", "1..=10", "--chunk", "4"], more, &["--", "tr", "\n", " "]].concat();
        place.run(&args).ok()
    };
    assert_eq!(run(&["--skip", "3"]), "4 5 6 7 8 9 10 ");
    assert_eq!(run(&["--size", "5"]), "1 2 3 4 5 ");
    assert_eq!(run(&["--size", "12", "--cycle"]), "1 2 3 4 5 6 7 8 9 10 1 2 ");
    let shuffled = run(&["--shuffle", "7"]);
    let mut sorted: Vec<u32> = shuffled.split_whitespace().map(|n| n.parse().expect(n)).collect();
    assert!(!sorted.is_sorted(), "{shuffled}");
    sorted.sort_unstable();
    assert_eq!(sorted, (1..=10).collect::<Vec<_>>());
    place
        .run(&["-t", "pipe", "--range", "1..=10", "--size", "11", "--", "cat"])
        .fails(2, "the input has only 10 items");
}

#[test]
fn what_makes_no_sense_without_items_is_refused() {
    let place = Place::new();
    place.run(&["-t", "pipe", "--list", "1", "--format", "csv", "--", "cat"]).fails(2, "leave out --format");
    place.run(&["-t", "pipe", "--list", "1", "--unordered", "--", "cat"]).fails(2, "leave out --unordered");
    place
        .run_on(&["-t", "pipe", "--chunk", "9", "--max-item", "10", "--", "cat"], lines(9))
        .fails(2, "use a smaller --chunk");
}

#[test]
fn a_failed_block_leaves_nothing_and_is_named() {
    let place = Place::new();
    let script = "read x; [ \"$x\" = 3 ] && { echo half; exit 7; }; echo \"$x\"; cat";
    let args = ["-t", "pipe", "--chunk", "2", "-j2", "-k", "--log-dir", "log", "--", "sh", "-c", script];
    let ended = place.run_on(&args, lines(6)).fails(1, "7");
    assert_eq!(ended.out, "1\n2\n5\n6\n");
    assert!(ended.err.contains("-:3:1: "), "{}", ended.err);
}

#[test]
fn an_interrupted_output_is_gone_on_with_and_only_with_the_same_blocks() {
    let place = Place::new();
    let text = lines(40);
    let (first, rest) = text.split_at(text.find("21\n").expect("a line"));
    let args = ["-t", "pipe", "--chunk", "5", "-j1", "-o", "out", "--resume"];
    let cat = ["--", "sed", "s/^/x/"];
    let mut child = place.command(&[&args[..], &cat].concat()).stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(first.as_bytes()).expect("half of it");
    let done = |place: &Place| std::fs::read_to_string(place.path("out.resume")).unwrap_or_default();
    crate::support::until("four blocks are good", || done(&place).contains("\"items\": 4"));
    kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL).expect("it is killed");
    child.wait().expect("it ends");
    drop(stdin);
    place.file("in", &text);
    let resume = |chunk: &str| {
        let args = ["-t", "pipe", "--chunk", chunk, "-j2", "-i", "in", "-o", "out", "--resume"];
        place.run(&[&args[..], &cat].concat())
    };
    resume("4").fails(2, "made with --chunk 5, not with --chunk 4");
    let ended = resume("5");
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert!(ended.err.contains("continuing after the first 4"), "{}", ended.err);
    let expected: String = (1..=40).map(|n| format!("x{n}\n")).collect();
    assert_eq!(place.read("out"), expected);
    assert!(resume("5").err.contains("is complete"));
    place.file("in", format!("0\n{rest}"));
    resume("5").fails(2, "can't resume");
}

#[test]
fn several_blocks_are_configurations_and_may_write_other_things() {
    let place = Place::new();
    place.file("in", lines(100));
    let args = [&["-t", "pipe", "-i", "in", "--chunk", "10,20", "--repeat", "2"], &COUNT[..]].concat();
    let ended = place.run(&args);
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert!(!ended.err.contains("differ"), "{}", ended.err);
}

#[test]
fn blocks_come_out_while_the_input_goes_on() {
    let place = Place::new();
    let args = ["-t", "pipe", "--chunk", "2", "-j1", "--log", "off", "--", "cat"];
    let mut child = place.command(&args).stdin(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(b"1\n2\n3\n").expect("a block and a half");
    let mut out = [0; 4];
    child.stdout.as_mut().expect("its output").read_exact(&mut out).expect("a block");
    assert_eq!(&out, b"1\n2\n");
    drop(stdin);
    assert_eq!(crate::support::Ended::of(child).ok(), "3\n");
}
