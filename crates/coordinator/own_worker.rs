//! Which tasks a worker knows: found, started once, asked, and ended again.

use crate::locate;
use crate::signals::Ears;
use procession_task::TaskInfo;
use std::path::Path;
use std::time::Duration;

/// The tasks of the worker at a path, or of the one that is found without;
/// signals end it.
///
/// # Errors
/// There is none, or it is no worker of this version: in the words of a run.
pub(crate) fn tasks(given: Option<&Path>, start_timeout: Duration, ears: &Ears) -> Result<Vec<TaskInfo>, String> {
    let program = locate::worker(given, std::env::current_exe()).map_err(|error| error.to_string())?;
    let (stopper, _) = ears.open()?;
    procession_job::worker_tasks(&program, start_timeout, &stopper).map_err(|error| error.to_string())
}
