//! Text for messages: paths, the operating system's errors, names of options.

use procession_task::{Items, escape_terminal};
use std::io;
use std::path::Path;

/// A path for messages: control characters are escaped.
pub(crate) fn display_path(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    escape_terminal(path.as_os_str().as_bytes())
}

/// The operating system's message without Rust's `(os error N)`.
pub(crate) fn system_message(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// The name of the separation rule on the command line.
pub(crate) fn items_name(items: Items) -> &'static str {
    match items {
        Items::Words => "words",
        Items::Lines => "lines",
        Items::Nul => "nul",
        Items::Whole => "whole",
        Items::Framed => "framed",
        Items::Csv(_) => "csv",
        Items::Jsonl => "jsonl",
    }
}
