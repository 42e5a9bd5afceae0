//! Tasks that run code of the user: one process for each item ([`command`]), one
//! process for each block of lines ([`pipe`]), a coprocess that is fed line by line
//! ([`filter`]), and a Python function ([`python`]).
//!
//! The programs run in the process group of their worker: they end together with
//! it. Items never pass through a shell.
//!
//! Modules, from the bottom up:
//!
//! - `template`: the words after `--` and their placeholders
//! - `environment`: the variables that programs inherit
//! - `process_stat`: the state of a process
//! - `shortage`: starting a program while the system is short of something
//! - `stopped`: the note about a stopped program
//! - `holders`, `drain`: reading a program's pipes after its exit
//! - `coprocess`: programs that serve a worker for its whole life
//! - `per_item`: programs that are started for each item or block
//! - [`command`], [`filter`], [`pipe`], [`python`]: the tasks

#![forbid(unsafe_code)]

mod template;

mod environment;

mod process_stat;

mod shortage;

mod stopped;

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

pub use template::{FoundPlaceholder, Template, TemplateError, find_placeholders};

/// Every task: the built-in ones, and those that run code of the user.
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

/// The task with this name.
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
