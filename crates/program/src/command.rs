//! `command`: one process for each item.

use procession_task::builtin::{Entry, Shape};
use procession_task::{Items, ParamError};

/// Its place in the list.
pub static ENTRY: Entry = Entry {
    name: "command",
    summary: "a program of your own, one process for each item; {} in its arguments is the item",
    params: &[],
    items: Items::Lines,
    numbers: false,
    hidden: false,
    shape: Shape::List,
    program: Some("PROGRAM ARGS…"),
    make: |_, _, _| Err(ParamError::new("command", "not built yet", &[])),
};
