//! Which items each input has, and the messages for invalid ones.

use crate::support::{Place, lines, roots};
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

const PRIMES: [&str; 3] = ["-t", "prime", "-j2"];

fn primes(input: impl AsRef<[u8]>) -> crate::support::Ended {
    Place::new().run_on(&PRIMES, input)
}

#[test]
fn the_primepages_table() {
    let table = "                  The First 1,000,000 Primes (from somewhere)\r\n\r\n         2         3         5         7        11        13        17        19 \r\n        23        29        31        37        41        43        47        53 \r\n";
    let ended = primes(table);
    assert!(ended.err.contains("heading"), "{}", ended.err);
    let out = ended.ok();
    assert_eq!(out.lines().count(), 16);
    assert!(out.lines().all(|line| line.ends_with("\ttrue")));
    assert!(out.starts_with("2\ttrue\n3\ttrue\n"));
}

#[test]
fn lists_cut_from_files_in_any_way() {
    for input in ["4,7, 9", "4 7\t9", "4\n7\n9", "\u{feff}4\r\n7\r\n\r\n9\r\n", "4,7,9,\n", "  4\n\n 7,,9  "] {
        assert_eq!(primes(input).ok(), "4\tfalse\n7\ttrue\n9\tfalse\n", "{input:?}");
    }
}

#[test]
fn a_file_without_numbers_is_refused() {
    primes("Hello World\n").fails(2, "number");
    assert_eq!(primes("").ok(), "");
}

#[test]
fn numbers_at_the_edges() {
    // By trial it takes two thousand million divisions.
    let args = ["-t", "prime", "--param", "method=miller-rabin"];
    assert_eq!(Place::new().run_on(&args, "18446744073709551557").ok(), "18446744073709551557\ttrue\n");
    for (item, says) in [
        ("18446744073709551616", "too large"),
        ("-1", "negative"),
        ("+7", "not a whole number"),
        ("3.14", "not a whole number"),
    ] {
        primes(format!("5\n{item}\n7\n")).fails(1, says);
    }
    assert_eq!(primes("007").ok(), "007\ttrue\n");
}

#[test]
fn an_invalid_item_is_named_by_its_place() {
    let place = Place::new();
    place.file("a.txt", "2 3\n5 7\n");
    place.file("b.txt", "11 13\n17 x19 23\n");
    let ended = place.run(&["-t", "prime", "-j2", "-i", "a.txt", "b.txt"]);
    let ended = ended.fails(1, "b.txt:2:4");
    assert_eq!(ended.out, "2\ttrue\n3\ttrue\n5\ttrue\n7\ttrue\n11\ttrue\n13\ttrue\n17\ttrue\n");
}

#[test]
fn files_that_cannot_be_read() {
    let place = Place::new();
    place.run(&["-t", "sqrt", "-i", "missing.txt"]).fails(2, "missing.txt");
    std::fs::create_dir(place.path("folder")).expect("a folder");
    place.run(&["-t", "sqrt", "-i", "folder"]).fails(2, "folder");
}

#[test]
fn gzip_and_zip_are_recognised_by_content() {
    let place = Place::new();
    place.file("in.txt", lines(300));
    let gzip = Command::new("gzip").arg("-kc").arg(place.path("in.txt")).output();
    if let Ok(gzip) = gzip {
        place.file("packed", gzip.stdout);
        assert_eq!(place.run(&["-t", "sqrt", "-i", "packed", "-j2"]).ok(), roots(300));
    }
    let script = "import sys,zipfile\nz=zipfile.ZipFile(sys.argv[2],'w',zipfile.ZIP_DEFLATED)\n\
                  z.writestr('folder/','')\nz.write(sys.argv[1],'folder/primes.txt')\nz.writestr('__MACOSX/x','junk')\n";
    let zipped =
        Command::new("python3").args(["-c", script]).arg(place.path("in.txt")).arg(place.path("zipped")).status();
    if zipped.is_ok_and(|status| status.success()) {
        assert_eq!(place.run(&["-t", "sqrt", "-i", "zipped", "-j2"]).ok(), roots(300));
    }
}

#[test]
fn ranges_lists_skips_and_sizes() {
    let place = Place::new();
    let run = |args: &[&str]| place.run(&[&["-t", "sqrt", "-j2", "--format", "lines"], args].concat());
    let root = |n: f64| format!("{:?}\n", n.sqrt());
    assert_eq!(run(&["--range", "1..4"]).ok(), root(1.) + &root(2.) + &root(3.));
    assert_eq!(run(&["--range", "1..=9:4"]).ok(), root(1.) + &root(5.) + &root(9.));
    assert_eq!(run(&["--range", "5..5"]).ok(), "");
    assert_eq!(run(&["--range", "1..=100", "--skip", "97", "--size", "2"]).ok(), root(98.) + &root(99.));
    assert_eq!(run(&["--list", "4,9", "--size", "5", "--cycle"]).ok(), "2.0\n3.0\n2.0\n3.0\n2.0\n");
    run(&["--list", "4,9", "--size", "5"]).fails(2, "2 items");
    let shuffled = run(&["--range", "0..100", "--shuffle", "7"]).ok();
    assert_eq!(shuffled, run(&["--range", "0..100", "--shuffle", "7"]).ok());
    assert_ne!(shuffled, run(&["--range", "0..100"]).ok());
    assert_eq!(shuffled.lines().count(), 100);
}

#[test]
fn lines_keep_empty_items_and_nul_items_keep_newlines() {
    let place = Place::new();
    let run = |items: &str, input: &str| {
        place.run_on(&["-t", "null", "-j2", "--items", items, "--format", "jsonl"], input).ok().lines().count()
    };
    assert_eq!(run("lines", "a\n\nb\n"), 3);
    assert_eq!(run("words", "a\n\nb\n"), 2);
    assert_eq!(run("nul", "a\n\nb\0c"), 2);
}

#[test]
fn an_item_over_the_cap_is_refused_with_its_line() {
    let place = Place::new();
    let input = format!("ok\n{}\n", "x".repeat(5000));
    place.run_on(&["-t", "null", "--max-item", "4K"], &input).fails(2, ":2");
    place.run(&["-t", "null", "--list", "12345", "--max-item", "4"]).fails(2, "--max-item");
}

#[test]
fn items_too_large_to_travel_are_refused() {
    let place = Place::new();
    place.run(&["-t", "null", "--list", "1", "--max-item", "256M"]).fails(2, "can be sent to a worker process");
    place.run(&["-t", "null", "--list", "1", "--max-item", "256M", "--serial"]).ok();
}

#[test]
fn results_come_while_the_input_is_still_open() {
    let place = Place::new();
    let mut command = place.command(&["-t", "sqrt", "-j2"]);
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the coordinator starts");
    let mut stdin = child.stdin.take().expect("its input");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    for i in 1..=5u64 {
        writeln!(stdin, "{}", i * i).expect("an item is written");
        let mut line = String::new();
        out.read_line(&mut line).expect("its result comes");
        assert_eq!(line, format!("{}\t{i}.0\n", i * i));
    }
    drop(stdin);
    assert!(child.wait().expect("it ends").success());
}

#[test]
fn a_named_pipe_that_is_never_closed_is_a_stream() {
    let place = Place::new();
    nix::unistd::mkfifo(&place.path("fifo"), nix::sys::stat::Mode::S_IRWXU).expect("a named pipe");
    let mut child = place.command(&["-t", "sqrt", "-j2", "-i", "fifo"]).spawn().expect("it starts");
    let mut fifo = std::fs::File::options().write(true).open(place.path("fifo")).expect("it is opened");
    writeln!(fifo, "4\n9\n16").expect("items are written");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    for expected in ["4\t2.0\n", "9\t3.0\n", "16\t4.0\n"] {
        let mut line = String::new();
        out.read_line(&mut line).expect("its result comes");
        assert_eq!(line, expected);
    }
    let pid = nix::unistd::Pid::from_raw(child.id().cast_signed());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).expect("the signal is sent");
    assert_eq!(child.wait().expect("it ends").code(), Some(143));
    drop(fifo);
}

/// What each task over numbers makes of a word: its result, or what is said.
#[test]
fn every_task_says_exactly_what_numbers_it_takes() {
    let digits = "9".repeat(1_000_000);
    let cases = [
        ("18446744073709551615", Ok("false"), Ok("4294967296.0")),
        ("18446744073709551616", Err("too large"), Ok("4294967296.0")),
        ("-1", Err("negative"), Err("negative")),
        ("+7", Err("not a whole number"), Ok("2.6457513110645907")),
        ("007", Ok("true"), Ok("2.6457513110645907")),
        ("1e4", Err("not a whole number"), Ok("100.0")),
        ("0x10", Err("not a whole number"), Err("not a")),
        ("6.25", Err("not a whole number"), Ok("2.5")),
        ("NaN", Err("not a whole number"), Err("not a")),
        ("inf", Err("not a whole number"), Err("not a")),
        ("1_000", Err("not a whole number"), Err("not a")),
        ("٣", Err("not a whole number"), Err("not a")),
        (&digits, Err("too large"), Err("too large")),
    ];
    let place = Place::new();
    // A first number, so that a word is no heading.
    let input: String =
        std::iter::once("4").chain(cases.map(|(word, ..)| word)).map(|word| format!("{word}\n")).collect();
    let rows = |task: &str| -> Vec<String> {
        let ended = place.run_on(&["-t", task, "-j2", "-k"], &input).fails(1, "items failed");
        assert!(ended.err.len() < 20_000, "{} bytes of errors", ended.err.len());
        ended.out.lines().skip(1).map(str::to_owned).collect()
    };
    let (prime, sqrt) = (rows("prime"), rows("sqrt"));
    for (index, (word, prime_says, sqrt_says)) in cases.into_iter().enumerate() {
        for (row, says) in [(&prime[index], prime_says), (&sqrt[index], sqrt_says)] {
            let (input, outcome) = row.split_once('\t').expect(row);
            assert!(input == word);
            match says {
                Ok(value) => assert_eq!(outcome, value, "{}", &word[..word.len().min(30)]),
                Err(why) => {
                    assert!(outcome.starts_with("\tinvalid: ") || outcome.starts_with("\tfailed: "), "{outcome}: {why}")
                }
            }
            assert!(says.is_ok() || outcome.contains(says.expect_err("why")), "{outcome}");
        }
    }
}

#[test]
fn bytes_of_every_kind_come_back_as_they_went() {
    let place = Place::new();
    let input = b"\xef\xbb\xbfone\r\nt\rwo\r\r\n\x00\x1b[31m\xff\xfe\n\n\xef\xbb\xbf\n no end";
    let out = place.run_on(&["-t", "null", "-j2", "--items", "lines", "--format", "jsonl", "--chunk", "1"], input).ok();
    let expected = [
        r#""output":"one""#,
        r#""output":"t\rwo\r""#,
        r#""output_base64":"ABtbMzFt//4=""#,
        r#""output":"""#,
        "\"output\":\"\u{feff}\"",
        r#""output":" no end""#,
    ];
    assert_eq!(out.lines().count(), expected.len(), "{out}");
    for (row, says) in out.lines().zip(expected) {
        assert!(row.contains(says), "{says} is not in {row}");
    }
    assert_eq!(place.run_on(&["-t", "null"], "").ok(), "");
}

/// A line without end is refused, and a heading without end passed over, in
/// the memory of a line that is short.
#[test]
fn lines_without_end_take_no_memory() {
    const MIB: usize = 120;
    let place = Place::new();
    let run = |args: &[&str], piece: &str, last: &str| {
        let mut child = place.limited("-d", 80 << 10, args).stdin(Stdio::piped()).spawn().expect("a shell");
        let mut stdin = child.stdin.take().expect("its input");
        let piece = piece.repeat(1 << 20);
        // It may end before it has read all of it.
        let written = (0..MIB).try_for_each(|_| stdin.write_all(piece.as_bytes()));
        drop(written.and_then(|()| stdin.write_all(last.as_bytes())));
        drop(stdin);
        crate::support::Ended::of(child)
    };
    run(&["-t", "null", "-j1", "--max-item", "4K"], "x", "").fails(2, ":1");
    run(&["-t", "null", "-j1"], "x", "").fails(2, ":1");
    run(&["-t", "sqrt", "-j1"], "7", "").fails(2, ":1");
    assert_eq!(run(&["-t", "sqrt", "-j1"], "x", "\n4\n").ok(), "4\t2.0\n");
}

#[test]
fn bytes_that_are_not_utf8() {
    let place = Place::new();
    let out = place.run_on(&["-t", "null", "--format", "jsonl"], b"\xff\xfe\n").ok();
    assert_eq!(out, "{\"index\":0,\"input_base64\":\"//4=\",\"output_base64\":\"//4=\"}\n");
}

#[test]
fn a_pipe_is_started_again_as_a_file_is() {
    let place = Place::new();
    let args = ["-t", "sqrt", "--cycle", "--size", "7", "--format", "lines"];
    assert_eq!(place.run_on(&args, "4\n9\n16\n").ok(), "2.0\n3.0\n4.0\n2.0\n3.0\n4.0\n2.0\n");
}
