//! `pipe`: a program for each block of lines.

use procession_task::builtin::{Entry, Shape};
use procession_task::{Items, ParamError};

/// Its place in the list.
pub static ENTRY: Entry = Entry {
    name: "pipe",
    summary: "a program of your own, one process for each block of lines: lines in, anything out",
    params: &[],
    items: Items::Lines,
    numbers: false,
    hidden: false,
    shape: Shape::List,
    program: Some("PROGRAM ARGS…"),
    make: |_, _, _| Err(ParamError::new("pipe", "not built yet", &[])),
};
