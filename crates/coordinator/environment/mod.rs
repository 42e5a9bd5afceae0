//! What a call depends on besides its flags: the machine and its limits,
//! signals, and the worker and its tasks.

pub(crate) mod locate;
pub(crate) mod machine;
pub(crate) mod resource_limits;
pub(crate) mod signals;
pub(crate) mod worker_catalog;

pub(crate) use signals::SignalListener;
use std::io::IsTerminal as _;
pub(crate) use worker_catalog::TaskCatalog;

/// What a plan depends on besides flags and tasks. It is an argument, so that
/// tests choose it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Environment {
    /// Whether standard input is a terminal.
    pub(crate) stdin_is_terminal: bool,
    /// The number of CPUs that this process may use: the meaning of `auto`.
    pub(crate) cpus: usize,
}

impl Environment {
    /// The environment of this process.
    pub(crate) fn look() -> Self {
        Self { stdin_is_terminal: std::io::stdin().is_terminal(), cpus: machine::cpus() }
    }
}
