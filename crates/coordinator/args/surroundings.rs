//! What a plan depends on beside the flags: it comes in from outside, so that
//! plans can be tested without a terminal, a machine or a worker.

use procession_task::TaskInfo;
use std::path::Path;
use std::time::Duration;

/// What a plan depends on beside the flags.
#[derive(Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// Whether standard input is a terminal.
    pub(crate) stdin_is_terminal: bool,
    /// How many CPUs this process may use: what `auto` means.
    pub(crate) cpus: usize,
    /// Asks a worker for its tasks.
    pub(crate) ask: &'a Ask,
}

/// Asks the worker at a path, or the one that is found without, for the tasks
/// that it knows; it may take so long to start. The error is one of the pool.
pub(crate) type Ask = dyn Fn(Option<&Path>, Duration) -> Result<Vec<TaskInfo>, String>;

/// Why there is no plan.
#[derive(Debug)]
pub(crate) enum NoPlan {
    /// The command line can't be used.
    Usage(String),
    /// The worker, which was to say what it knows, can't be used.
    Worker(String),
}

impl From<String> for NoPlan {
    fn from(message: String) -> Self {
        Self::Usage(message)
    }
}
