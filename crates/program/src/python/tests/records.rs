//! How the fields of records become arguments.

use super::ScriptFile;
use procession_task::{Column, TableFormat, TableSpec};

const TEXT: &str = "from __future__ import annotations\n\
    def one(x): return [x]\ndef two(a, b): return [a, b]\ndef typed(a: str, b: int): return [a, b]\n\
    def more(a, b=5, *, c=6): return [a, b, c]\ndef rest(a, *others): return [a, list(others)]\n\
    def named(**row): return row\ndef numbers(row: list[float]): return row\ndef by_name(row: dict): return row\n\
    def text(x: str): return x\n";

fn csv(names: &[&str]) -> TableSpec {
    let names = names.iter().map(|&name| name.to_owned()).collect();
    TableSpec { format: TableFormat::Csv(b','), names, column: None }
}

const JSONL: TableSpec = TableSpec { format: TableFormat::Jsonl, names: Vec::new(), column: None };

#[test]
fn fields_are_arguments_in_order_or_by_name() {
    let file = ScriptFile::new("fields.py", TEXT);
    for (function, constants, names, records, results) in [
        ("one", &[][..], &["x"][..], "7\n", "[7]"),
        ("one", &[], &["other"], "007\n", "[\"007\"]"),
        ("one", &[], &["a", "b"], "7,x\n\"8\",\"y,\"\"z\"\n", "[[7,\"x\"]]; [[8,\"y,\\\\\"z\"]]"),
        ("two", &[], &["a", "b"], "1,2\n", "[1,2]"),
        ("two", &[], &["b", "a"], "1,2\n", "[2,1]"),
        ("two", &[], &["x", "y"], "1,2\n", "[1,2]"),
        ("two", &[], &["a", "y"], "1,2\n", "[1,2]"),
        ("two", &["b=9"], &["a"], "1\n", "[1,9]"),
        ("two", &["a=9"], &["x"], "1\n", "[9,1]"),
        ("two", &["a=9"], &["x", "y"], "1,2\n", "[9,[1,2]]"),
        ("typed", &[], &["b", "a"], "007,08\nx,1\n", "[\"08\",7]; invalid: 'x' is not of type int (b: int)"),
        ("more", &[], &["a"], "1\n", "[1,5,6]"),
        ("more", &[], &["c", "a"], "1,2\n", "[2,5,1]"),
        ("more", &[], &["x", "y"], "1,2\n", "[1,2,6]"),
        ("rest", &[], &["x", "y", "z"], "1,2,3\n", "[1,[2,3]]"),
        ("named", &[], &["x", "the y"], "1,2\n", "{\"x\":1,\"the y\":2}"),
        ("numbers", &[], &["x", "y"], "1,2\n", "[1.0,2.0]"),
        ("by_name", &[], &["x", "y"], "1,2\n", "{\"x\":1,\"y\":2}"),
        (
            "two",
            &[],
            &["a", "b"],
            "1\n1,2,3\n",
            "invalid: the record has 1 field, and the heading 2; invalid: the record has 3 fields, and the heading 2",
        ),
        ("two", &[], &[], "1,2\n1\n", "[1,2]; invalid: the record has 1 field, and two takes a, b"),
        ("one", &[], &[], "1,2\n1\n", "[[1,2]]; [1]"),
        ("two", &[], &[], "1,\"open\n", "invalid: a quote at the beginning of a field is not closed"),
    ] {
        let found = file.records(function, constants, &csv(names), records);
        assert_eq!(found.as_deref(), Ok(results), "{function} {constants:?} over {names:?}");
    }
}

#[test]
fn a_table_that_does_not_fit_is_refused_before_the_first_item() {
    let file = ScriptFile::new("unfit.py", TEXT);
    for (function, constants, names, says) in [
        ("two", &[][..], &["a", "b", "c"][..], "the columns are a, b, c, and two takes a, b"),
        ("two", &[], &["a"], "the columns are a, and two takes a, b"),
        ("more", &[], &["w", "x", "y"], "the columns are w, x, y, and more takes a, b=5, c=6"),
        ("rest", &["a=1"], &["x"], "the columns are x, and rest takes a, *others"),
        (
            "text",
            &[],
            &["x", "y"],
            "a record has 2 fields, and text takes x (x: str): --column takes one field, --items lines whole lines",
        ),
    ] {
        let refused = file.records(function, constants, &csv(names), "1,2,3\n");
        assert_eq!(refused, Err(says.to_owned()), "{function} over {names:?}");
    }
}

#[test]
fn json_values_are_arguments() {
    let file = ScriptFile::new("json.py", TEXT);
    for (function, constants, records, results) in [
        (
            "one",
            &[][..],
            "{\"a\": \"7\", \"n\": 7.5}\n[1]\n\"7\"\nnull\n",
            "[{\"a\":\"7\",\"n\":7.5}]; [[1]]; [\"7\"]; [null]",
        ),
        ("one", &[], "{\"x\": 7}\n{\"y\": 7}\n", "[7]; [{\"y\":7}]"),
        ("two", &[], "{\"b\": 1, \"a\": [2]}\n[3, \"4\"]\n", "[[2],1]; [3,\"4\"]"),
        (
            "two",
            &[],
            "{\"b\": 1}\n[1]\n7\n",
            "invalid: the record has the keys b, and two takes a, b; invalid: the record has 1 field, and two takes a, b; invalid: the record has 1 field, and two takes a, b",
        ),
        ("two", &["b=3"], "{\"a\": 1}\n7\n", "[1,3]; [7,3]"),
        (
            "typed",
            &[],
            "{\"a\": 1, \"b\": \"007\"}\n{\"a\": \"x\", \"b\": null}\n[\"x\", 7.0]\n",
            "[\"1\",7]; invalid: null is not of type int (b: int); [\"x\",7]",
        ),
        ("more", &[], "{\"c\": 1, \"a\": 2}\n", "[2,5,1]"),
        ("named", &[], "{\"x y\": true}\n", "{\"x y\":true}"),
        ("two", &[], "{\"a\": \"\\\\\\u00e4\\n\", \"b\": 1}\n", "[\"\\\\\\\\ä\\\\n\",1]"),
        ("two", &[], "{\"a\"\n", "invalid: not a JSON value: EOF while parsing an object at column 4"),
    ] {
        let found = file.records(function, constants, &JSONL, records);
        assert_eq!(found.as_deref(), Ok(results), "{function} {constants:?}");
    }
}

#[test]
fn a_field_has_its_own_type() {
    let file = ScriptFile::new("column.py", TEXT);
    let key = TableSpec { column: Some(Column::Key("n".to_owned())), ..JSONL };
    let records = "{\"n\": 7}\n{\"n\": \"7\\n\"}\n{\"n\": {\"x\": null}}\n{\"m\": 1}\n";
    let found = file.records("one", &[], &key, records);
    let expected = "[7]; [\"7\\\\n\"]; [{\"x\":null}]; invalid: the record has no key 'n'";
    assert_eq!(found.as_deref(), Ok(expected));
    let second = TableSpec { column: Some(Column::Position(1)), ..csv(&["a", "b"]) };
    assert_eq!(file.records("one", &[], &second, "1,\"2\"\n1,02\n").as_deref(), Ok("[2]; [\"02\"]"));
}
