//! `python`: a function in Python.

use procession_task::builtin::{Entry, Shape};
use procession_task::{Items, ParamError};

/// Its place in the list.
pub static ENTRY: Entry = Entry {
    name: "python",
    summary: "a function of your own in Python, called with each item",
    params: &[],
    items: Items::Lines,
    numbers: false,
    hidden: false,
    shape: Shape::List,
    program: Some("FILE.py:FUNCTION"),
    make: |_, _, _| Err(ParamError::new("python", "not built yet", &[])),
};
