//! Files of numbers as people have them: what is read, and what is refused with
//! what to do.

use crate::support::{Ended, Place};

const PRIMES: [&str; 5] = ["-t", "prime", "-j2", "--format", "lines"];

fn primes(input: impl AsRef<[u8]>) -> Ended {
    Place::new().run_on(&PRIMES, input)
}

/// The refusal of this file: nothing was run.
fn refused(name: &str, input: &str, says: &str) {
    let place = Place::new();
    place.file(name, input);
    let ended = place.run(&[&PRIMES[..], &["-i", name]].concat()).fails(2, says);
    assert_eq!(ended.out, "", "{name}");
    assert!(ended.err.contains("; as a list all the same: --items words"), "{}", ended.err);
}

#[test]
fn a_list_with_a_title_may_end_in_words() {
    let list = "          The First 1,000 Primes\n          (the 1,000th is 7919)\n\n  2  3 \n 5  7919 \n";
    let ended = primes(format!("{list}end.\n"));
    assert!(ended.err.contains("skipped 2 heading lines: \"The First 1,000 Primes\" to \"(the"), "{}", ended.err);
    assert!(ended.err.contains("skipped the last line: \"end.\""), "{}", ended.err);
    assert_eq!(ended.ok(), "true\n".repeat(4));
    let ended = primes(format!("{list}the\nend.\n")).fails(1, "-:6:1: \"the\"");
    assert_eq!(ended.out, "true\n".repeat(4));
    primes("number\n2\nend.\n").fails(1, "-:3:1: \"end.\"");
}

#[test]
fn a_table_is_no_list() {
    refused("a.csv", "name,number\nalice,7\nbob,9\n11\n", "the columns name, number: --items csv --column number");
    refused("b.csv", "id,number\n1,7\n2,9\n", "b.csv: looks like a table with the columns id, number");
    refused("c.csv", "id;nummer\n1;7\n2;9\n", "the columns id, nummer: --items csv --column nummer");
    refused("d.tsv", "7\t11\n9\t13\n", "2 columns: --items csv --no-heading --column 2");
    refused("b000040.txt", "1 2\n2 3\n3 5\n", "--items csv --delimiter ' ' --no-heading --column 2");
    let place = Place::new();
    let words = [&PRIMES[..], &["--items", "words"]].concat();
    assert_eq!(place.run_on(&words, "id,number\n4,7\n").ok(), "false\ntrue\n");
    assert_eq!(place.run_on(&words, "1 2\n2 3\n").ok(), "false\ntrue\ntrue\ntrue\n");
}

#[test]
fn separated_thousands_are_no_list() {
    refused(
        "a.txt",
        "15,485,863\n15,485,867\n",
        "\"15,485,863\" looks like one number with separated thousands: write 15485863",
    );
    refused("b.txt", "1 000 003\n", "write 1000003");
    refused("c.txt", "\"3,14\"\n", "write 3.14");
    let place = Place::new();
    let list = |list: &str| place.run(&[&PRIMES[..], &["--list", list]].concat());
    list("1,000").fails(2, "--list: \"1,000\" looks like one number");
    assert_eq!(list("7,101,103").ok(), "true\n".repeat(3));
    assert_eq!(primes("7,101,103\n").ok(), "true\n".repeat(3));
    let words = [&PRIMES[..], &["--items", "words", "--list", "1,000"]].concat();
    assert_eq!(place.run(&words).ok(), "false\nfalse\n");
}

#[test]
fn numbers_are_read_as_people_write_them() {
    let run = |input: &str| Place::new().run_on(&["-t", "prime", "-j2"], input).ok();
    assert_eq!(run("\"number\"\n\"7\"\n\"9\"\n"), "7\ttrue\n9\tfalse\n");
    assert_eq!(run("\"15,485,863\"\n\"15,485,868\"\n"), "15485863\ttrue\n15485868\tfalse\n");
    assert_eq!(run("[2, 3,\n 4]\n"), "2\ttrue\n3\ttrue\n4\tfalse\n");
    assert_eq!(run("number\n7.0\n9.0\n"), "7.0\ttrue\n9.0\tfalse\n");
    assert_eq!(run("# odd ones\n3 # three\n9\n"), "3\ttrue\n9\tfalse\n");
    let place = Place::new();
    let list = |list: &str| place.run(&["-t", "prime", "-j2", "--list", list]).ok();
    assert_eq!(list("2, 4"), "2\ttrue\n4\tfalse\n");
    assert_eq!(list("[2, '4']"), "2\ttrue\n4\tfalse\n");
}

#[test]
fn an_invalid_item_keeps_its_place_behind_marks() {
    let ended = primes("\"7\" # seven\n[x]\n").fails(1, "-:2:1: \"[x]\": not a whole");
    assert_eq!(ended.out, "true\n");
    primes("7\n\u{feff}9\n").fails(1, "\\u{feff}9\": not a number: it holds a byte-order mark");
    primes("7\n2\0\n").fails(1, "2\\u{0}\": not a number: it holds a NUL byte");
}

/// The rule of `prime` for another task, also while the input pauses.
#[test]
fn every_task_can_have_numbers() {
    let place = Place::new();
    let input = "The first three primes of all\n  2   3 # and\n  5\nend.\n";
    let args = ["-t", "null", "-j2", "--format", "lines", "--items", "numbers"];
    assert_eq!(place.run_on(&args, input).ok(), "2\n3\n5\n");
    place.run_on(&args, "id,n\n1,2\n").fails(2, "--items csv --column n");
    let command = ["-t", "command", "-j2", "--format", "lines", "--items", "numbers", "--", "echo", "<{}>"];
    assert_eq!(place.run_on(&command, input).ok(), "<2>\n<3>\n<5>\n");
}

/// What was read, the judgement included, does not depend on how often it is read.
#[test]
fn slices_and_studies_of_numbers() {
    let place = Place::new();
    place.file("in.txt", "A list of odd primes\n\"3\" 5 # x y\n[7]\n11 13\nend of it\n".replace("[7]", "7"));
    let run = |args: &[&str]| {
        place.run(&[&["-t", "null", "--items", "numbers", "--format", "lines", "-i", "in.txt"], args].concat())
    };
    assert_eq!(run(&["--skip", "1", "--size", "3"]).ok(), "5\n7\n11\n");
    assert_eq!(run(&["--cycle", "--size", "7"]).ok(), "3\n5\n7\n11\n13\n3\n5\n");
    let mut shuffled: Vec<String> = run(&["--shuffle", "3"]).ok().lines().map(str::to_owned).collect();
    shuffled.sort();
    assert_eq!(shuffled, ["11", "13", "3", "5", "7"]);
    assert_eq!(run(&["--serial", "--procs", "1,2", "-o", "out.txt", "--log", "off"]).status, 0);
    assert_eq!(place.read("out.txt"), "3\n5\n7\n11\n13\n");
}

#[test]
fn what_is_missing_is_told() {
    let place = Place::new();
    let run = |args: &[&str]| place.run(&[&PRIMES[..], args].concat());
    place.file("in.txt", "2\n3\n5\n");
    run(&["-i", "in.txt", "--skip", "9", "--size", "1"])
        .fails(2, "--size 1: the input has 3 items, of which --skip 9 leaves 0");
    run(&["--range", "0..9", "--skip", "5", "--size", "5"])
        .fails(2, "the input has 9 items, of which --skip 5 leaves 4");
    let skip = [&PRIMES[..], &["--skip", "9", "--size", "1"]].concat();
    place.run_on(&skip, "2\n3\n5\n").fails(2, "the input has 3 items");
    let ended = run(&["--range", "10..1"]);
    assert!(ended.err.contains("warning: --range 10..1 is empty: the input has no items"), "{}", ended.err);
    assert_eq!(ended.ok(), "");
    place.file("empty.txt", "");
    let ended = run(&["-i", "empty.txt", "--compare"]);
    assert_eq!(ended.err, "warning: the input has no items\n");
}

#[test]
fn a_function_that_fails_on_a_line_of_numbers_gets_a_hint() {
    let place = Place::new();
    place.file("f.py", "def is_prime(n):\n    return n > 1 and all(n % d for d in range(2, n))\n");
    let args = ["-t", "python", "-j1", "--format", "lines", "--", "f.py:is_prime"];
    let ended =
        place.run_on(&args, "2 3 4\n5 6 7\n").fails(1, "hint: an item is a whole line of numbers; --items numbers");
    assert_eq!(ended.out, "");
    let numbers = ["-t", "python", "-j1", "--items", "numbers", "--format", "lines", "--", "f.py:is_prime"];
    assert_eq!(place.run_on(&numbers, "2 3 4\n5 6 7\n").ok().to_lowercase(), "true\ntrue\nfalse\ntrue\nfalse\ntrue\n");
    let ended = place.run_on(&args, "x\n").fails(1, "");
    assert!(!ended.err.contains("hint:"), "{}", ended.err);
}

#[test]
fn blank_lines_at_the_end_are_told_once_for_a_function() {
    let place = Place::new();
    place.file("f.py", "def size(x):\n    return len(str(x))\n");
    place.file("in.txt", "2\n\n3\n\n\n");
    let args = [
        "-t",
        "python",
        "--procs",
        "1,2",
        "--log",
        "off",
        "-o",
        "-",
        "--format",
        "lines",
        "-i",
        "in.txt",
        "--",
        "f.py:size",
    ];
    let ended = place.run(&args);
    assert_eq!(ended.err.matches("note: in.txt: 2 blank lines at its end are empty items").count(), 1, "{}", ended.err);
    assert_eq!(ended.out, "1\n0\n1\n0\n0\n");
    place.file("in.txt", "2\n\n3\n");
    assert!(!place.run(&args).err.contains("blank"));
}
