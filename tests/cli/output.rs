//! Formats, files, broken pipes and full disks.

use crate::support::{Ended, Place, lines, roots};
use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

#[test]
fn every_format() {
    let place = Place::new();
    let run = |format: &str| place.run(&["-t", "sqrt", "--list", "2,4", "-j2", "--format", format]).ok();
    assert_eq!(run("tsv"), "2\t1.4142135623730951\n4\t2.0\n");
    assert_eq!(run("csv"), "index,input,output,error\n0,2,1.4142135623730951,\n1,4,2.0,\n");
    assert_eq!(
        run("jsonl"),
        "{\"index\":0,\"input\":\"2\",\"output\":1.4142135623730951}\n{\"index\":1,\"input\":\"4\",\"output\":2.0}\n"
    );
    assert_eq!(run("lines"), "1.4142135623730951\n2.0\n");
    let primes = place.run(&["-t", "prime", "--list", "7", "--format", "jsonl"]).ok();
    assert_eq!(primes, "{\"index\":0,\"input\":\"7\",\"output\":true}\n");
}

#[test]
fn the_extension_chooses_the_format() {
    let place = Place::new();
    for (name, expected) in
        [("o.tsv", "4\t2.0\n"), ("o.csv", "index,input,output,error\n0,4,2.0,\n"), ("o", "4\t2.0\n")]
    {
        assert_eq!(place.run(&["-t", "sqrt", "--list", "4", "-o", name]).ok(), "");
        assert_eq!(place.read(name), expected);
    }
}

#[test]
fn tsv_escapes_what_would_break_its_lines() {
    let place = Place::new();
    let args = ["-t", "null", "--items", "nul"];
    assert_eq!(place.run_on(&args, "a\tb\nc\r\\").ok(), "a\\tb\\nc\\r\\\\\ta\\tb\\nc\\r\\\\\n");
}

#[test]
fn a_failed_item_ends_the_run_after_what_comes_before_it() {
    let place = Place::new();
    let input = format!("{}-4\n{}", lines(1000), lines(1000));
    let ended = place.run_on(&["-t", "sqrt", "-j4"], input);
    let ended = ended.fails(1, "negative");
    assert_eq!(ended.out, roots(1000));
}

#[test]
fn with_keep_going_a_failed_item_is_a_record_in_its_place() {
    let place = Place::new();
    let run = |format: &str| place.run(&["-t", "sqrt", "--list", "4,-1,x,9", "-k", "--format", format]);
    let tsv = run("tsv").fails(1, "2 items failed");
    let expected =
        "4\t2.0\n-1\t\tfailed: a negative number has no real square root\nx\t\tinvalid: not a decimal number\n9\t3.0\n";
    assert_eq!(tsv.out, expected);
    assert!(run("csv").out.contains("\n1,-1,,failed: a negative number has no real square root\n"));
    let json = run("jsonl").out;
    assert!(json.contains(
        "{\"index\":2,\"input\":\"x\",\"error\":{\"kind\":\"invalid\",\"message\":\"not a decimal number\"}}"
    ));
    assert_eq!(run("lines").out, "2.0\n\n\n3.0\n");
}

#[test]
fn max_failures_ends_a_run_that_keeps_going() {
    let place = Place::new();
    let args = ["-t", "sqrt", "--list", "1,-1,4,-4,9,-9,16", "--max-failures", "2"];
    let out = place.run(&args).fails(1, "").out;
    assert_eq!(out.lines().count(), 4, "{out}");
    let args = ["-t", "sqrt", "--list", "1,-1,4,-4,9,-9,16", "--max-failures", "0%"];
    let out = place.run(&args).fails(1, "").out;
    assert_eq!(out.lines().count(), 2, "{out}");
}

#[test]
fn a_closed_pipe_ends_the_run_quietly() {
    let place = Place::new();
    let mut child = place.command(&["-t", "sqrt", "--range", "0..1000000000", "-j2"]).spawn().expect("it starts");
    let mut out = BufReader::new(child.stdout.take().expect("its output"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a first line");
    assert_eq!(line, "0\t0.0\n");
    drop(out);
    let ended = Ended::of(child);
    assert_eq!(ended.status, 0, "{}", ended.err);
    assert!(!ended.err.to_lowercase().contains("error"), "{}", ended.err);
}

#[test]
fn an_endless_input_ends_with_its_reader() {
    let place = Place::new();
    let mut yes = std::process::Command::new("yes").arg("49").stdout(Stdio::piped()).spawn().expect("yes starts");
    let mut command = place.command(&["-t", "sqrt", "-j2"]);
    let mut child = command.stdin(yes.stdout.take().expect("its output")).spawn().expect("it starts");
    // It holds the reading end of the pipe as well.
    drop(command);
    let mut head = [0; 35];
    child.stdout.take().expect("its output").read_exact(&mut head).expect("five lines");
    assert_eq!(&head[..], "49\t7.0\n".repeat(5).as_bytes());
    assert_eq!(Ended::of(child).status, 0);
    yes.wait().expect("yes ends with its reader");
}

#[test]
fn a_full_disk_is_status_4() {
    let place = Place::new();
    place.run(&["-t", "sqrt", "--range", "0..10", "-o", "/dev/full"]).fails(4, "/dev/full");
    let full = std::fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let child = place.command(&["-t", "sqrt", "--range", "0..100000"]).stdout(full).spawn().expect("it starts");
    Ended::of(child).fails(4, "");
    place.run(&["-t", "sqrt", "--list", "4", "-o", "no/such/folder"]).fails(4, "no/such/folder");
}

#[test]
fn with_standard_error_closed_the_exit_status_reports_the_failure() {
    let place = Place::new();
    let command = |args: &[&str]| {
        let mut command = place.command(args);
        command.stdout(Stdio::null());
        command
    };
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut refused = command(&["-t", "sqrt", "-i", "missing"]);
    let status = refused.stderr(writer).status().expect("the coordinator ends");
    assert_eq!(status.code(), Some(2));
    let text = place.file("text", "no number\n");
    let full = std::fs::File::options().write(true).open("/dev/full").expect("/dev/full");
    let mut refused = command(&["-t", "sqrt", "-i"]);
    let status = refused.arg(&text).stderr(full).status().expect("the coordinator ends");
    assert_eq!(status.code(), Some(2));
}

#[test]
fn a_workers_path_is_escaped() {
    let ended = Place::new().run(&["-t", "sqrt", "--list", "4", "--worker", "no\u{1b}[31m\nsuch"]);
    let ended = ended.fails(3, "no\\u{1b}[31m\\nsuch: no such file");
    assert!(!ended.err.contains('\u{1b}'), "{:?}", ended.err);
}

#[test]
fn the_file_size_limit_is_a_full_disk() {
    let place = Place::new();
    let limited = |args: &[&str]| {
        // A shell sets the limit for this call alone and becomes the coordinator.
        let mut limited = std::process::Command::new("sh");
        limited.args(["-c", "ulimit -f 8; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_coordinator")]).args(args);
        limited.current_dir(place.path("")).env("XDG_STATE_HOME", place.path("state"));
        limited.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ended::of(limited.spawn().expect("a shell starts"))
    };
    let to_file = limited(&["-t", "sqrt", "--range", "0..50000", "--log", "off", "-o", "out"]);
    let _ = to_file.fails(4, "can't write out: File too large");
    let ended = limited(&["-t", "sqrt", "--range", "1..50001", "-j2"]);
    assert!(ended.err.contains("the log of this run ends here"), "{}", ended.err);
    assert_eq!(ended.ok(), roots(50000));
    let noisy = limited(&["-t", "misbehave", "--list", "stderr 200000,sleep 1", "-j1"]);
    assert_eq!(noisy.ok(), "stderr 200000\tstderr 200000\nsleep 1\tsleep 1\n");
}

#[test]
fn an_output_that_is_an_input_is_refused_and_nothing_is_lost() {
    let place = Place::new();
    place.file("in", lines(5000));
    std::os::unix::fs::symlink("in", place.path("link")).expect("a link");
    std::fs::hard_link(place.path("in"), place.path("twin")).expect("a second name");
    let refused = |ended: Ended| {
        ended.fails(2, "is the same file as the input").fails(2, "write to another file");
        assert_eq!(place.read("in"), lines(5000));
    };
    let base = ["-t", "sqrt", "--log", "off"];
    for output in ["in", "link", "twin", "./in"] {
        for more in [&[][..], &["--overwrite"], &["-j1,2"], &["--unordered", "--format=csv"], &["--format=csv"]] {
            refused(place.run(&[&base[..], &["-i", "link", "-o", output], more].concat()));
        }
        let mut fed = place.command(&[&base[..], &["-o", output]].concat());
        fed.stdin(std::fs::File::open(place.path("in")).expect("the input"));
        refused(Ended::of(fed.spawn().expect("it starts")));
    }
    let mut appended = place.command(&[&base[..], &["-i", "in"]].concat());
    appended.stdout(std::fs::File::options().append(true).open(place.path("twin")).expect("a file"));
    refused(Ended::of(appended.spawn().expect("it starts")));
    assert!(!place.path("in.resume").exists());
}

/// A shell can start a program without a standard output; the system then gives
/// its number to nothing in particular, and no result would ever be missed.
#[test]
fn results_for_a_closed_standard_output_are_no_success() {
    let place = Place::new();
    let run = |line: &str| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &format!("exec \"$0\" {line}")]).arg(assert_cmd::cargo::cargo_bin!("coordinator"));
        let output = command.current_dir(place.path("")).env("XDG_STATE_HOME", place.path("state")).output();
        let output = output.expect("a shell");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    for line in ["--list 4 -q", "--list 4 -q --threads 1", "--list 4 -q -j1,2 -o -"] {
        let (status, err) = run(&format!("-t sqrt {line} >&-"));
        assert_eq!(
            (status, &err[..]),
            (Some(4), "error: can't write standard output: Bad file descriptor\n"),
            "{line}"
        );
    }
    // So that there is a log: the calls before had no run.
    assert_eq!(run("-t sqrt --list 4 -q >/dev/null").0, Some(0));
    for verb in ["tasks", "cpus", "inspect", "completions bash"] {
        let (status, err) = run(&format!("{verb} >&-"));
        assert_eq!(status, Some(4), "{verb}: {err}");
    }
    // Where no results are written, a closed standard output is no error.
    for line in
        ["--list 4 -q -o out >&-", "--list 4 -q -j1,2 >&-", "--list 4 -q 1<>/dev/null", "--list 4 -q >/dev/null"]
    {
        assert_eq!(run(&format!("-t sqrt {line}")), (Some(0), String::new()), "{line}");
    }
    assert_eq!(place.read("out"), "4\t2.0\n");
}

#[test]
fn formula_cells_are_quoted_if_asked() {
    let place = Place::new();
    let args = ["-q", "-t", "command", "--list", "=1+2,-5", "--format", "csv"];
    let call = |more: &[&str]| place.run(&[&args[..], more, &["--", "echo", "--", "{}"]].concat());
    assert_eq!(call(&[]).ok(), "index,input,output,error\n0,=1+2,-- =1+2,\n1,-5,-- -5,\n");
    assert_eq!(call(&["--csv-safe"]).ok(), "index,input,output,error\n0,'=1+2,'-- =1+2,\n1,-5,'-- -5,\n");
    place.run(&["-t", "sqrt", "--list", "4", "--csv-safe"]).fails(2, "--csv-safe is for records in csv");
    place.run(&["-q", "-t", "sqrt", "--list", "4", "--csv-safe", "-o", "o.csv"]).ok();
    assert_eq!(place.read("o.csv"), "index,input,output,error\n0,4,2.0,\n");
}
