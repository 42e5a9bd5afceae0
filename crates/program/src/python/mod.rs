//! `python`: a function in a Python file or module, called by an interpreter that
//! serves the worker for its whole life. The files in `shim/` run in the interpreter
//! and call the function.
//!
//! The annotations of the function's parameters say what an item becomes, else
//! `--param type`. By default it becomes an `int` or a `float` if it is plainly written
//! as one (`7`, `-2.5`, `1e-05`; not `007`, `+49`, `1_000`, `nan` or `12e3`), otherwise a
//! `str`. Bytes that are not UTF-8 become surrogates, as in file names. The fields of a
//! record become the parameters. Bytes and text are taken unchanged as results, any
//! other result as a JSON value. An exception is the item's failure.

mod codec;

#[cfg(test)]
mod tests;

use crate::coprocess::{CoprocessCommand, CoprocessTask, c_strings};
use codec::{RequestContent, ShimCodec};
use procession_task::builtin::{ItemRunner, TaskEntry, TaskShape};
use procession_task::{BlockTask, Items, ParamError, ParamSpec, Params, TextOptions};
use serde::Serialize;

/// Runs the source in a namespace of its own: that of `__main__` stays empty. Without
/// the current folder in the search path, where a `json.py` may stand.
const BOOTSTRAP: &str = r#"(lambda sys: (
    sys.path[:1] == [""] and sys.path.pop(0),
    exec(compile(sys.argv.pop(1), "<procession>", "exec"), {"__name__": "procession"})
))(__import__("sys"))"#;

/// The source: its parts use what stands before them.
const SHIM: &str = concat!(
    include_str!("shim/library.py"),
    include_str!("shim/values.py"),
    include_str!("shim/results.py"),
    include_str!("shim/parameters.py"),
    include_str!("shim/calls.py"),
    include_str!("shim/load.py"),
    include_str!("shim/serve.py"),
);

/// The task's parameters.
pub const PARAMS: &[ParamSpec] = &[
    ParamSpec {
        name: "python",
        default: "python3",
        values: &[],
        help: "the interpreter, 3.8 or later: a path, or a name that is looked up",
    },
    ParamSpec {
        name: "type",
        default: "auto",
        values: &["auto", "str", "int", "float", "json"],
        help: "what items become without an annotation; auto: numbers if plainly so, else str",
    },
];

/// The task's entry in the list of tasks.
pub static ENTRY: TaskEntry = TaskEntry {
    name: "python",
    summary: "a function of your own in Python, called with each item",
    params: PARAMS,
    items: Items::Lines,
    numbers: false,
    hidden: false,
    shape: TaskShape::List,
    runner: ItemRunner::Python,
    make,
};

/// What `shim/serve.py` is told.
#[derive(Serialize)]
struct ShimOptions<'a> {
    r#type: &'a str,
    rule: RequestContent,
    /// The names of a table's columns.
    names: &'a [String],
    /// Names and values: JSON, else text.
    constants: Vec<(&'a str, &'a str)>,
}

fn make(params: &Params, words: &[Vec<u8>], options: TextOptions) -> Result<Box<dyn BlockTask>, ParamError> {
    let Some((word, constants)) = words.split_first() else {
        return Err(ParamError::plain("write one FILE.py:FUNCTION after --"));
    };
    let Some((file, function)) = split(word) else {
        let word = String::from_utf8_lossy(word);
        return Err(ParamError::plain(format!("'{word}' has no function name: write FILE.py:FUNCTION after --")));
    };
    let codec = ShimCodec::new(options.table.as_ref());
    let shim = ShimOptions {
        r#type: params.get("type"),
        rule: codec.rule(),
        names: options.table.as_ref().map_or(&[], |table| &table.names),
        constants: constants.iter().map(|word| constant(word)).collect::<Result<_, _>>()?,
    };
    check_names(&shim.constants)?;
    let shim = serde_json::to_vec(&shim).map_err(ParamError::plain)?;
    let python = params.get("python").as_bytes();
    let words = c_strings([python, b"-u", b"-c", BOOTSTRAP.as_bytes(), SHIM.as_bytes(), file, function, &shim])?;
    let command = CoprocessCommand { name: String::from_utf8_lossy(word).into_owned(), words, env: Vec::new() };
    Ok(Box::new(CoprocessTask::new(codec, command, options)))
}

/// The file, whose name may contain colons, and the function.
fn split(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let colon = memchr::memrchr(b':', word)?;
    let (file, function) = (&word[..colon], &word[colon + 1..]);
    (!file.is_empty() && !function.is_empty()).then_some((file, function))
}

/// The name and the value of a constant.
fn constant(word: &[u8]) -> Result<(&str, &str), ParamError> {
    let pair = std::str::from_utf8(word).ok().and_then(|text| text.split_once('='));
    pair.filter(|(name, _)| !name.is_empty()).ok_or_else(|| {
        let word = String::from_utf8_lossy(word);
        ParamError::plain(format!("'{word}' is no constant NAME=VALUE: write one FILE.py:FUNCTION after --"))
    })
}

fn check_names(constants: &[(&str, &str)]) -> Result<(), ParamError> {
    for (at, (name, _)) in constants.iter().enumerate() {
        if constants[..at].iter().any(|(before, _)| before == name) {
            return Err(ParamError::plain(format!("the constant '{name}' is given twice")));
        }
    }
    Ok(())
}
