//! Text for messages: paths, the operating system's errors, names of options.

use procession_task::{Items, escape_terminal};
use std::io;
use std::path::Path;

/// A path as text for messages: safe for a terminal.
pub(crate) fn display_path(path: &Path) -> String {
    use std::os::unix::ffi::OsStrExt as _;
    escape_terminal(path.as_os_str().as_bytes())
}

/// The system's words without Rust's `(os error N)`.
pub(crate) fn system_message(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// The name of a rule on the command line.
pub(crate) fn items_name(items: Items) -> &'static str {
    match items {
        Items::Words => "words",
        Items::Lines => "lines",
        Items::Nul => "nul",
        Items::Whole => "whole",
        Items::Framed => "framed",
    }
}
