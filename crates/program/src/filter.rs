//! `filter`: a program that is kept, a line in and a line out.

use procession_task::builtin::{Entry, Shape};
use procession_task::{Items, ParamError};

/// Its place in the list.
pub static ENTRY: Entry = Entry {
    name: "filter",
    summary: "a program of your own, started once per worker: a line in, a line out",
    params: &[],
    items: Items::Lines,
    numbers: false,
    hidden: false,
    shape: Shape::List,
    program: Some("PROGRAM ARGS…"),
    make: |_, _, _| Err(ParamError::new("filter", "not built yet", &[])),
};
