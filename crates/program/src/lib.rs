//! Tasks that are programs of the user's own: one process for each item
//! ([`command`]), one that is kept and fed line by line ([`filter`]), one for
//! each block of lines ([`pipe`]), and a function in Python ([`python`]).
//!
//! The programs run beside a worker, in its group: what ends the worker ends
//! them. Items never pass through a shell.

#![forbid(unsafe_code)]

mod template;

mod holders;

mod drain;

mod coprocess;
mod per_item;

pub mod command;
pub mod filter;
pub mod pipe;
pub mod python;

#[cfg(test)]
mod trial;

use procession_task::builtin::{self, TaskEntry};

pub use template::{Template, TemplateError};

/// Every task that the programs know: the built-in ones, and those that run a
/// program of the user's own.
pub const ALL: &[&TaskEntry] = &[
    &builtin::sqrt::ENTRY,
    &builtin::prime::ENTRY,
    &builtin::mandelbrot::ENTRY,
    &command::ENTRY,
    &filter::ENTRY,
    &pipe::ENTRY,
    &python::ENTRY,
    &builtin::null::ENTRY,
    &builtin::misbehave::ENTRY,
];

/// The task of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static TaskEntry> {
    ALL.iter().find(|entry| entry.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_task_is_known() {
        for entry in builtin::ALL {
            assert!(std::ptr::eq(find(entry.name).unwrap(), *entry));
        }
        assert_eq!(ALL.len(), builtin::ALL.len() + 4);
    }
}
