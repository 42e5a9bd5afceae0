//! What users bring from other tools (GNU parallel, xargs, MPI) and type here: it works,
//! or is refused in one line with what does it here, before anything runs.

use crate::support::{Ended, Place};

/// Runs `command` on two items; the words are separated by `|`.
fn command(place: &Place, line: &str) -> Ended {
    let args = ["-t", "command", "--log", "off", "--format", "lines"];
    let line: Vec<&str> = line.split('|').collect();
    place.run_on(&[&args[..], &line].concat(), "a;touch pwned\nit's\n")
}

/// Asserts that it is refused in one line, and nothing has run.
fn refused(place: &Place, line: &str, says: &str) {
    let ended = command(place, line).fails(2, says);
    assert_eq!((ended.out.as_str(), ended.err.lines().count()), ("", 1), "{}", ended.err);
    assert!(!place.path("pwned").exists(), "{line}");
}

#[test]
fn the_slot_is_a_number_from_1_to_the_number_of_processes() {
    let place = Place::new();
    let args = ["-t", "command", "-j2", "--log", "off", "--format", "lines", "--range", "0..20"];
    let out = place.run(&[&args[..], &["--", "echo", "{%}"]].concat()).ok();
    assert_eq!(out.lines().count(), 20);
    assert!(out.lines().all(|slot| slot == "1" || slot == "2"), "{out}");
    let out = place.run(&[&args[..], &["--", "printf", "{%}{}"]].concat()).ok();
    assert!(out.lines().zip(0..).all(|(line, i)| line == format!("1{i}") || line == format!("2{i}")), "{out}");
}

#[test]
fn unknown_placeholders_and_lists_are_refused_and_braces_kept() {
    let place = Place::new();
    refused(&place, "--|echo|{1}", "error: '{1}' is not known here, because items are not records: with --items csv");
    refused(&place, "--|echo|{= s/a/b/ =}", "'{= s/a/b/ =}' is not known here: the placeholders are {} {#} {%}");
    refused(
        &place,
        "--|echo|{}|:::|a|b",
        "error: ':::' is not known here: items stand before --, as in --list a,b -- echo {}",
    );
    refused(&place, "-q|--|echo|{}|:::|a b", "--list 'a b' -- echo {}");
    assert_eq!(command(&place, "--|echo|x{2}|{print}|{}").ok(), "x{2} {print} a;touch pwned\nx{2} {print} it's\n");
    let lines = place.run_on(&["-t", "command", "-k", "-q", "--", "grep", "-E", "x{2}"], "axxb\naxb\n").fails(1, "");
    assert!(lines.out.starts_with("axxb\taxxb\naxb\t\tfailed"), "{}", lines.out);
}

#[test]
fn in_tables_doubled_braces_are_text_and_placeholders_of_the_run_win() {
    let place = Place::new();
    place.file("t.csv", "id,size,procs\n7,big,many\n");
    let args = ["-t", "command", "-i", "t.csv", "--items", "csv", "--log", "off", "--format", "lines", "-j1", "-q"];
    let words =
        ["--size", "1", "--", "echo", "{{1}}", "{1}", "{size}", "{procs}", "{2}", "{{size}}", "{{id}}", "x{{2}}"];
    assert_eq!(place.run(&[&args[..], &words].concat()).ok(), "{1} 7 1 1 big {size} {id} x{2}\n");
}

#[test]
fn one_string_for_a_shell_is_answered_with_the_command() {
    let place = Place::new();
    let answer = "no shell runs between the coordinator and the program; write --";
    let ended = place.run_on(&["-t", "command", "--", "echo {} | tr 1 9"], "1\n");
    let ended = ended
        .fails(2, &format!(r#"error: 'echo {{}} | tr 1 9' is no program: {answer} sh -c 'echo "$1" | tr 1 9' _ {{}}"#));
    assert_eq!(ended.err.lines().count(), 1);
    let ended = place.run_on(&["-t", "filter", "--", "tr a b | rev"], "1\n");
    ended.fails(2, &format!("'tr a b | rev' is no program: {answer} sh -c 'tr a b | rev'"));
    // The command that is shown does what was meant.
    let shown = ["-t", "command", "--format", "lines", "-q", "--", "sh", "-c", r#"echo "$1" | tr 1 9"#, "_", "{}"];
    assert_eq!(place.run_on(&shown, "1\n").ok(), "9\n");
    // A program may have spaces in its name.
    let program = place.script("my program", "#!/bin/sh\necho \"got $1\"\n");
    let args = ["-t", "command", "--format", "lines", "-q", "--", program.to_str().unwrap(), "{}"];
    assert_eq!(place.run_on(&args, "1\n").ok(), "got 1\n");
}

#[test]
fn items_are_no_code_of_a_shell() {
    let place = Place::new();
    let safe =
        r#"an item in the text of sh -c would be run as code: write -- sh -c 'echo "$1"' _ {}, or --trust-items"#;
    refused(&place, "--|sh|-c|echo {}", safe);
    for line in
        ["--|bash|-lc|echo {}", "--|env|A=1|-u|B|/bin/sh|-ec|echo {}", "--|timeout|5|nice|-n|3|nohup|dash|-c|echo {}"]
    {
        refused(&place, line, "would be run as code: write -- ");
    }
    refused(&place, "--|sh|-c|{}", "each item would be run as a line of sh: add --trust-items");
    refused(&place, "--|ssh|nowhere|wc|{}", r#"-- ssh nowhere 'IFS= read -r item; wc "$item"'"#);
    let args = "--|env|A=1|sh|-c|echo \"$1\"|_|{}";
    assert_eq!(command(&place, args).ok(), "a;touch pwned\nit's\n");
    assert!(!place.path("pwned").exists());
    let trusted = place.run_on(&["-t", "command", "--trust-items", "--", "sh", "-c", "echo {}"], "a;touch pwned\n");
    assert_eq!((trusted.ok().as_str(), place.path("pwned").exists()), ("a;touch pwned\ta\n", true));
    place.file("t.csv", "id,name\n7,$(touch pwned2)\n");
    let table = ["-t", "command", "-i", "t.csv", "--items", "csv", "-q", "--format", "lines", "--log", "off"];
    let call = |code: &str| place.run(&[&table[..], &["--", "sh", "-c", code, "_", "{name}"]].concat());
    call("echo {1}").fails(2, "an item in the text of sh -c would be run as code");
    call("echo {name}")
        .fails(2, r#"t.csv has a column 'name': an item in the text of sh -c would be run as code: write --"#);
    assert_eq!(call(r#"f() { echo {other} "$1"; }; f "$1""#).ok(), "{other} $(touch pwned2)\n");
    let misspelt = [&table[..], &["--", "echo", "{nmae}"]].concat();
    place.run(&misspelt).fails(2, "t.csv has no column 'nmae': its columns are id, name; {{nmae}} is the text {nmae}");
    assert!(!place.path("pwned2").exists());
    place.run(&["-t", "sqrt", "--trust-items", "--list", "4"]).fails(2, "--trust-items is about");
}

#[test]
fn flags_and_counts_of_other_tools_are_answered_in_one_line() {
    let place = Place::new();
    for (flags, says) in [
        ("--jobs|4", "error: --jobs is not known here: the number of processes is --procs N (-j N)\n"),
        ("-P4", "error: -P is not known here: the number of processes is --procs N (-j N)\n"),
        ("-np|4", "error: -np is not known here: the number of processes is --procs N (-j N)\n"),
        ("-0", "error: -0 is not known here: items that end in NUL bytes: --items nul\n"),
        ("--method|naive", "error: 'method' is a parameter of task prime: write --param method=naive\n"),
        ("-j|50%", "error: --procs: '50%' is not a count here: write --procs "),
        ("-j0", "error: --procs: '0' is not a count here: write --procs 1 or more, or auto for all CPUs\n"),
        ("--timeout|soon", "error: invalid value 'soon' for '--timeout <DURATION>': "),
        ("--items|rows", "error: invalid value 'rows' for '--items <RULE>'; [possible values: words, "),
    ] {
        refused(&place, &format!("{flags}|--|echo|{{}}"), says);
    }
    place.run(&["inspct"]).fails(2, "error: there is no subcommand 'inspct', did you mean 'inspect'?\n");
    // -k is the same word with another meaning, and does no harm.
    assert_eq!(place.run(&["-t", "sqrt", "-k", "--list", "4", "-q"]).ok(), "4\t2.0\n");
}

#[test]
fn an_output_that_can_not_be_written_as_its_name_says_is_refused() {
    let place = Place::new();
    let run = |args: &[&str]| place.run(&[&["-t", "sqrt", "--list", "4", "-q"], args].concat());
    for name in ["o.json", "o.csv.gz", "o.jpg", "o.parquet", "o.XLSX"] {
        run(&["-o", name]).fails(2, "give a name that ends in .tsv, .csv, .jsonl or .lines");
        assert!(!place.path(name).exists());
    }
    assert_eq!(run(&["-o", "o.json", "--format", "jsonl"]).ok(), "");
    assert_eq!(place.read("o.json"), "{\"index\":0,\"input\":\"4\",\"output\":2.0}\n");
    assert_eq!(run(&["-o", "o.txt"]).ok(), "");
    assert_eq!(place.read("o.txt"), "4\t2.0\n");
    place.run(&["-t", "mandelbrot", "--size", "4", "-o", "m.ppm"]).fails(2, ".jsonl, .lines or .png");
    // What programs write on blocks may be anything.
    let gzip = ["-t", "pipe", "--list", "a,b", "-q", "-o", "o.gz", "--", "gzip"];
    assert_eq!(place.run(&gzip).ok(), "");
}
