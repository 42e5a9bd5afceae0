//! What a call depends on beside its flags: the machine and its limits, the
//! signals, and the worker with the tasks that it knows.

pub(crate) mod locate;
pub(crate) mod machine;
pub(crate) mod resource_limits;
pub(crate) mod signals;
pub(crate) mod worker_catalog;

pub(crate) use signals::SignalListener;
use std::io::IsTerminal as _;
pub(crate) use worker_catalog::Catalog;

/// What a plan depends on beside flags and tasks. It is an argument, so that
/// plans can be tested without a terminal or a machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Environment {
    /// Whether standard input is a terminal.
    pub(crate) stdin_is_terminal: bool,
    /// How many CPUs this process may use: what `auto` means.
    pub(crate) cpus: usize,
}

impl Environment {
    /// That of this process.
    pub(crate) fn look() -> Self {
        Self { stdin_is_terminal: std::io::stdin().is_terminal(), cpus: machine::cpus() }
    }
}
