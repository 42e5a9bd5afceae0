//! The tasks that a call can choose from: the built-in ones, or those of a
//! worker, which is started once, asked for its tasks, and ended.

use super::locate;
use crate::args::RunFlags;
use procession_job::Stopper;
use procession_program::find;
use procession_task::TaskInfo;
use std::path::Path;
use std::time::Duration;

/// The tasks that a call can choose from.
#[derive(Debug)]
pub(crate) enum TaskCatalog {
    /// The tasks of these programs.
    BuiltIn,
    /// The tasks of a worker.
    Worker(Vec<TaskInfo>),
}

impl TaskCatalog {
    /// Asks a worker for its tasks if the call needs them.
    ///
    /// # Errors
    /// The worker that was named can't be started, or is of another version.
    pub(crate) fn for_call(flags: &RunFlags, stopper: &Stopper) -> Result<Self, String> {
        if !Self::needs_worker(flags) {
            return Ok(Self::BuiltIn);
        }
        let worker = flags.executors.worker.as_deref();
        match worker_tasks(worker, flags.faults.start_timeout, stopper) {
            Ok(tasks) => Ok(Self::Worker(tasks)),
            // A wrong task name is reported before a missing worker.
            Err(_) if worker.is_none() => Ok(Self::BuiltIn),
            Err(why) => Err(why),
        }
    }

    /// Whether a worker must be asked: a worker was named, or the task is not
    /// built in.
    pub(crate) fn needs_worker(flags: &RunFlags) -> bool {
        let is_unknown = |name: &String| flags.executors.worker.is_some() || find(name).is_none();
        flags.work.task.as_ref().is_some_and(is_unknown)
    }
}

/// Asks a worker for its tasks: the worker at `given`, else the one beside this
/// program. `stopper` ends it early.
///
/// # Errors
/// No worker can be started, or it is of another version.
pub(crate) fn worker_tasks(
    given: Option<&Path>,
    start_timeout: Duration,
    stopper: &Stopper,
) -> Result<Vec<TaskInfo>, String> {
    let program = locate::worker(given, procession_sys::own_program()).map_err(|error| error.to_string())?;
    procession_job::worker_tasks(&program, start_timeout, stopper).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{self, Invocation};

    fn flags(line: &str) -> RunFlags {
        let line = std::iter::once("coordinator").chain(line.split_whitespace());
        match args::parse(line, 1).unwrap() {
            Invocation::Run(flags) => *flags,
            Invocation::Subcommand(_) => panic!("not a run"),
        }
    }

    #[test]
    fn a_worker_is_asked_only_if_the_call_needs_it() {
        for (line, expected) in
            [("", false), ("-t sqrt", false), ("-t reverse", true), ("-t sqrt --worker w", true), ("--worker w", false)]
        {
            assert_eq!(TaskCatalog::needs_worker(&flags(line)), expected, "{line}");
        }
    }

    #[test]
    fn a_missing_worker_is_an_error_only_if_it_was_named() {
        let catalog = |line: &str| TaskCatalog::for_call(&flags(line), &Stopper::default());
        let error = catalog("-t sqrt --worker /nowhere/worker").unwrap_err();
        assert!(error.contains("/nowhere/worker: no such file"), "{error}");
        // There is no worker beside this test's own program.
        assert!(matches!(catalog("-t reverse"), Ok(TaskCatalog::BuiltIn)));
    }
}
