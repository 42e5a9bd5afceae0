//! Tables as items: records of comma-separated values and of JSON values, and
//! their fields.

use crate::support::Place;

const PEOPLE: &str = "name,number\nalice,7\n\"bob, \"\"the\nbuilder\"\"\",9\n\ncarol,11\n";

fn run(place: &Place, args: &[&str]) -> crate::support::Ended {
    place.run(&[&["-j2", "-i", "in"], args].concat())
}

#[test]
fn a_column_is_the_items() {
    let place = Place::new();
    place.file("in", PEOPLE);
    let csv = ["-t", "prime", "--items", "csv", "--column"];
    let ended = run(&place, &[&csv[..], &["number"]].concat());
    assert!(ended.err.contains("note: in: a table with the columns name, number, separated by ','"), "{}", ended.err);
    assert_eq!(ended.ok(), "7\ttrue\n9\tfalse\n11\ttrue\n");
    assert_eq!(run(&place, &[&csv[..], &["2"]].concat()).ok(), "7\ttrue\n9\tfalse\n11\ttrue\n");
    run(&place, &[&csv[..], &["age"]].concat()).fails(2, "in has no column 'age': its columns are name, number");
    place.file("in", "1;\"7\"\r\n2;9\r\n");
    let ended = run(&place, &[&csv[..], &["2", "--no-heading"]].concat());
    assert!(ended.err.contains("separated by ';'"), "{}", ended.err);
    assert_eq!(ended.ok(), "7\ttrue\n9\tfalse\n");
    place.file("in", "a|b\n1|7\n2\n");
    let ended = run(&place, &[&csv[..], &["b", "--delimiter", "|"]].concat());
    assert_eq!(ended.fails(1, "in:3:1: \"2\": the record has 1 field, no field 2").out, "7\ttrue\n");
}

#[test]
fn a_record_is_an_item_as_it_was_written() {
    let place = Place::new();
    place.file("in", PEOPLE);
    let ended = run(&place, &["-t", "null", "--items", "csv", "--format", "jsonl"]);
    let out = ended.ok();
    assert!(out.starts_with("{\"index\":0,\"input\":\"alice,7\",\"output\":\"alice,7\"}\n"), "{out}");
    assert!(out.contains(r#""input":"\"bob, \"\"the\nbuilder\"\"\",9""#), "{out}");
    assert_eq!(out.lines().count(), 3);
    place.file("in", "a\n\"open\n");
    run(&place, &["-t", "null", "--items", "csv"]).fails(1, "in:2:1: \"\"open");
}

#[test]
fn json_values_are_items() {
    let place = Place::new();
    place.file("in", "{\"n\": 7, \"name\": \"a \\\"b\\\"\"}\n\n{\"name\": \"c\", \"n\": 9}\r\n");
    assert_eq!(run(&place, &["-t", "prime", "--items", "jsonl", "--column", "n"]).ok(), "7\ttrue\n9\tfalse\n");
    let names = ["-t", "null", "--items", "jsonl", "--format", "lines", "--column", "name"];
    assert_eq!(run(&place, &names).ok(), "a \"b\"\nc\n");
    let whole = run(&place, &["-t", "null", "--items", "jsonl", "--format", "lines"]).ok();
    assert_eq!(whole, "{\"n\": 7, \"name\": \"a \\\"b\\\"\"}\n{\"name\": \"c\", \"n\": 9}\n");
    place.file("in", "{\"n\": 7}\n{\"m\": 7}\n[1\n");
    let ended = run(&place, &["-t", "prime", "--items", "jsonl", "--column", "n", "-k"]);
    let ended = ended.fails(1, "in:3:1: \"[1\": ");
    assert!(ended.err.contains("in:2:1: \"{\"m\": 7}\": the record has no key 'n'"), "{}", ended.err);
}

#[test]
fn programs_get_fields() {
    let place = Place::new();
    place.file("in", PEOPLE);
    let echo = ["-t", "command", "--items", "csv", "--format", "lines", "--", "printf", "%s=%s;", "{number}", "{1}"];
    assert_eq!(run(&place, &echo).ok(), "7=alice;\n9=bob, \"the\\nbuilder\";\n11=carol;\n");
    let dry = ["-t", "command", "--items", "csv", "--dry-run", "--", "echo", "{number}", "{1}"];
    assert!(run(&place, &dry).ok().starts_with("echo 7 alice\n"));
    place.file("in", "{\"a\": [1, 2], \"b\": \"x y\"}\n");
    let json = ["-t", "command", "--items", "jsonl", "--format", "lines", "--", "echo", "{b}", "{a}"];
    assert_eq!(run(&place, &json).ok(), "x y [1, 2]\n");
    let filter = ["-t", "filter", "--items", "jsonl", "--column", "b", "--format", "lines", "--", "cat"];
    assert_eq!(run(&place, &filter).ok(), "x y\n");
}

/// Chunks begin at records, whatever the executor and the slice.
#[test]
fn slices_studies_and_resumed_runs_of_tables() {
    let place = Place::new();
    let record = |n: u64| format!("{n},\"line {n}\nof \"\"two\"\"\"\n");
    let text: String = std::iter::once("id,text\n".to_owned()).chain((0..5000).map(record)).collect();
    place.file("in", text);
    let csv = |args: &[&str]| {
        let base = ["-t", "null", "--items", "csv", "--column", "id", "--format", "lines", "-i", "in"];
        place.run(&[&base[..], args].concat())
    };
    let ids = |range: std::ops::Range<u64>| range.map(|n| format!("{n}\n")).collect::<String>();
    assert_eq!(csv(&["-j2"]).ok(), ids(0..5000));
    assert_eq!(csv(&["--chunk", "1", "--size", "3"]).ok(), ids(0..3));
    assert_eq!(csv(&["-j2", "--skip", "4990"]).ok(), ids(4990..5000));
    assert_eq!(csv(&["-j2", "--skip", "4999", "--cycle", "--size", "2"]).ok(), "4999\n4999\n");
    let mut shuffled: Vec<u64> =
        csv(&["-j2", "--shuffle", "5"]).ok().lines().map(|n| n.parse().expect("an id")).collect();
    shuffled.sort_unstable();
    assert_eq!(shuffled, (0..5000).collect::<Vec<_>>());
    assert_eq!(csv(&["--compare", "--procs", "1,2", "-o", "-", "--log", "off"]).ok(), ids(0..5000));
}

#[test]
fn an_output_of_a_table_is_resumed() {
    let place = Place::new();
    let table = |sixth: &str| format!("n;t\n2;\"a\nb\"\n\n3;x\n5;\n{sixth};y\n11;z\n");
    place.file("in", table("x"));
    let csv = |args: &[&str]| {
        let base = ["-t", "prime", "--items", "csv", "--column", "n", "-i", "in", "-o", "out", "-j2"];
        place.run(&[&base[..], args].concat())
    };
    csv(&[]).fails(1, "in:7:1: \"x\"");
    place.file("in", table("7"));
    csv(&["--resume", "--delimiter", ";"]).fails(2, "no --delimiter, not with --delimiter ';'");
    csv(&["--resume", "--no-heading"]).fails(2, "no --no-heading");
    assert_eq!(csv(&["--resume"]).status, 0);
    assert_eq!(place.read("out"), "2\ttrue\n3\ttrue\n5\ttrue\n7\ttrue\n11\ttrue\n");
}

#[test]
fn a_table_comes_through_a_pipe() {
    let place = Place::new();
    let args = ["-t", "prime", "--items", "csv", "--column", "n", "-j2"];
    assert_eq!(place.run_on(&args, "n;m\n7;1\n9;2\n").ok(), "7\ttrue\n9\tfalse\n");
    assert_eq!(place.run_on(&args, "").ok(), "");
    assert_eq!(place.run_on(&args, "n\n").ok(), "");
    let study = [&args[..], &["--compare", "-o", "-", "--log", "off"]].concat();
    assert_eq!(place.run_on(&study, "n;m\n7;1\n9;2\n").ok(), "7\ttrue\n9\tfalse\n");
}

#[test]
fn several_tables_have_the_same_columns() {
    let place = Place::new();
    place.file("in", "a,b\n1,2\n");
    place.file("same", "a,b\n3,4\n");
    place.file("other", "b,a\n3,4\n");
    let csv = ["-t", "null", "--items", "csv", "--column", "b", "--format", "lines", "-j2"];
    assert_eq!(place.run(&[&csv[..], &["-i", "in", "same"]].concat()).ok(), "2\n4\n");
    let ended = place.run(&[&csv[..], &["-i", "in", "other"]].concat());
    assert_eq!(ended.fails(2, "other has other columns than the first table: b, a (by ',')").out, "2\n");
}

#[test]
fn flags_of_tables_are_refused_without_one() {
    let place = Place::new();
    for (args, says) in [
        (&["-t", "prime", "--column", "n"][..], "--column is about tables: add --items csv or --items jsonl"),
        (&["-t", "prime", "--items", "jsonl", "--delimiter", ";"], "--delimiter is about tables: add --items csv"),
        (&["-t", "prime", "--no-heading"], "--no-heading is about tables"),
        (&["-t", "prime", "--items", "csv", "--list", "1,2"], "use --input"),
        (&["-t", "pipe", "--items", "csv", "--column", "1", "--", "cat"], "--column can't be used with pipe"),
        (&["-t", "prime", "--items", "csv", "--delimiter", "ab"], "write one ASCII character, or tab"),
    ] {
        place.run(args).fails(2, says);
    }
}
