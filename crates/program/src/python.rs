//! `python`: a function in Python, as it is, called by an interpreter that is
//! kept. What stands between the two is `shim.py`.
//!
//! An item is an `int` or a `float` if it is written plainly as a decimal number
//! (`7`, `-2.5`, `1e3`; not `1_000`, `nan` or ` 7`), else a `str`; bytes that are
//! not UTF-8 come as surrogates, as file names do. A result that is a number or
//! a boolean is one in JSON, too; bytes and text are taken as they are, and of
//! anything else what `str` makes of it. An exception is its item's failure.

use crate::kept::{Codec, Kept, Launch, Said};
use procession_task::builtin::{Entry, Shape};
use procession_task::{BlockTask, Failure, Items, Kind, ParamError, ParamSpec, Params, TextOptions};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

const SHIM: &str = include_str!("shim.py");

/// Its settings.
pub const PARAMS: &[ParamSpec] = &[ParamSpec {
    name: "python",
    default: "python3",
    values: &[],
    help: "the interpreter, 3.8 or later: a path, or a name that is looked up",
}];

/// Its place in the list.
pub static ENTRY: Entry = Entry {
    name: "python",
    summary: "a function of your own in Python, called with each item",
    params: PARAMS,
    items: Items::Lines,
    numbers: false,
    hidden: false,
    shape: Shape::List,
    program: Some("FILE.py:FUNCTION"),
    make,
};

fn make(params: &Params, words: &[Vec<u8>], options: TextOptions) -> Result<Box<dyn BlockTask>, ParamError> {
    let refused = |what: &str| ParamError::new("python", what, PARAMS);
    let [word] = words else {
        return Err(refused("one function is needed, as FILE.py:FUNCTION"));
    };
    let Some((file, function)) = split(word) else {
        let word = String::from_utf8_lossy(word);
        return Err(refused(&format!("'{word}' names no function: write it as FILE.py:FUNCTION")));
    };
    let name = String::from_utf8_lossy(word).into_owned();
    let mut args: Vec<OsString> = ["-u", "-c", SHIM].map(Into::into).into();
    args.extend([file, function].map(|word| OsString::from_vec(word.to_vec())));
    let launch = Launch { name: name.clone(), program: params.get("python").into(), args, env: Vec::new() };
    Ok(Box::new(Kept::new(Shim { name }, launch, options)))
}

/// The file, whose name may hold colons, and the function.
fn split(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memrchr(b':', word)?;
    let (file, function) = (&word[..colon], &word[colon + 1..]);
    (!file.is_empty() && !function.is_empty()).then_some((file, function))
}

/// Lines as `shim.py` has them.
struct Shim {
    /// The file and the function.
    name: String,
}

impl Codec for Shim {
    const GREETS: bool = true;

    fn ask(&self, item: &[u8], at_once: bool, line: &mut Vec<u8>) -> Result<(), Failure> {
        line.push(if at_once { b'!' } else { b' ' });
        push_escaped(line, item);
        line.push(b'\n');
        Ok(())
    }

    fn longest_answer(&self, max_result: usize) -> usize {
        // At worst each byte takes two.
        max_result.saturating_mul(2).saturating_add(1)
    }

    fn read(&self, line: &[u8], text: &mut Vec<u8>) -> Result<Said, Failure> {
        let (kind, said) = line.split_first().unwrap_or((&0, b""));
        let from = text.len();
        push_plain(text, said);
        let kind = match kind {
            b'v' => return Ok(Said { is_json: true }),
            b's' => return Ok(Said { is_json: false }),
            b'f' => Kind::Failed,
            b'm' => Kind::OutOfMemory,
            _ => return Err(Failure::new(Kind::Failed, "its answer can't be understood")),
        };
        Err(Failure::new(kind, String::from_utf8_lossy(&text.split_off(from))))
    }

    fn greeting(&self, line: &[u8]) -> Result<(), String> {
        match line.split_first() {
            Some((b'r', b"")) => Ok(()),
            Some((b'e', said)) => {
                let mut text = Vec::new();
                push_plain(&mut text, said);
                Err(format!("{}: {}", self.name, String::from_utf8_lossy(&text)))
            }
            _ => Err(format!("{}: what stands between can't be understood", self.name)),
        }
    }
}

/// Appends bytes so that there is no line feed among them.
fn push_escaped(line: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(at) = memchr::memchr2(b'\\', b'\n', rest) {
        line.extend_from_slice(&rest[..at]);
        line.extend_from_slice(if rest[at] == b'\n' { b"\\n" } else { b"\\s" });
        rest = &rest[at + 1..];
    }
    line.extend_from_slice(rest);
}

/// Takes [`push_escaped`] back.
fn push_plain(text: &mut Vec<u8>, line: &[u8]) {
    let mut rest = line;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        text.extend_from_slice(&rest[..at]);
        text.push(if rest.get(at + 1) == Some(&b'n') { b'\n' } else { b'\\' });
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    text.extend_from_slice(rest);
}
