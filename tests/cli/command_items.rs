//! `command`: items of any bytes reach the program.

use crate::command::args;
use crate::support::Place;
use serde_json::Value;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Output;

/// Runs the coordinator on bytes, to a good end.
fn bytes(flags: &[&[u8]], input: &[u8]) -> Vec<u8> {
    let place = Place::new();
    let file = place.file("items", input);
    let first = [&b"-t"[..], b"command", b"-q", b"--log", b"off", b"--format", b"lines", b"-i"];
    let args = [&first[..], &[file.as_os_str().as_bytes()], flags].concat();
    let args: Vec<&OsStr> = args.into_iter().map(OsStr::from_bytes).collect();
    let Output { status, stdout, stderr } = place.command(&args).output().expect("it runs");
    assert!(status.success(), "{}", String::from_utf8_lossy(&stderr));
    stdout
}

#[test]
fn items_are_bytes() {
    let all: Vec<u8> = (1..=255).filter(|&byte| byte != b'\n' && byte != b'\r').collect();
    let program: [&[u8]; 4] = [b"--", b"printf", b"%s", b"{}"];
    assert_eq!(bytes(&program, &all), [&all[..], b"\n"].concat());
    // As part of a name that is no text.
    let program: [&[u8]; 4] = [b"--", b"printf", b"%s", b"\xff{}\xfe"];
    assert_eq!(bytes(&program, b"\xf0"), b"\xff\xf0\xfe\n");
}

#[test]
fn items_may_hold_line_ends() {
    let items = ["a\nb", "c\n", "\r\n"].join("\0");
    let place = Place::new();
    let call = args(&["--items", "nul", "--format", "jsonl"], &["printf", "%s.", "{}"]);
    let out = place.run_on(&call, items).ok();
    let outputs: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let outputs: Vec<&Value> = outputs.iter().map(|row| &row["output"]).collect();
    assert_eq!(outputs, ["a\nb.", "c\n.", "\r\n."]);
}

#[test]
fn a_nul_byte_can_t_be_an_argument_but_can_be_read() {
    let place = Place::new();
    let file = place.file("items", b"a\0b\nc\n");
    let from = ["-k", "-i", file.to_str().expect("UTF-8")];
    let ended = place.run(&args(&from, &["echo", "{}"]));
    assert_eq!(ended.out, "a\0b\t\tinvalid: no argument of a program can hold a NUL byte\nc\tc\n");
    assert_eq!(ended.status, 1);
    assert_eq!(place.run(&args(&from, &["echo", "{#}"])).ok(), "a\0b\t1\nc\t2\n");
    let count = ["sh", "-c", "wc -c; echo ${PROCESSION_ITEM-none}"];
    assert_eq!(place.run(&args(&from, &count)).ok(), "a\0b\t4\\nnone\nc\t2\\nc\n");
}
