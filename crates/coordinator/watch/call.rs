//! What the log and the page say of a call before its first run, and the
//! folder that the log goes to.

use super::warner;
use crate::args::Plan;
use crate::machine;
use procession_report as report;
use report::{LogFolder, Terminal};
use std::path::PathBuf;

/// The call's log folder. One that was asked for must be usable; without the
/// default one people are warned and the call goes on.
pub(super) fn log_folder(plan: &Plan, study: &report::Study, terminal: &Terminal) -> Result<Option<LogFolder>, String> {
    let given: Option<PathBuf> = plan.look.log_dir.clone();
    let was_given = given.is_some();
    let made = LogFolder::create(given).and_then(|mut folder| folder.write_study(study).map(|()| folder));
    match made {
        Ok(folder) => {
            // Where it can't be noted, `inspect` has to be told it: nothing that a run is to be bothered with.
            let _ = folder.remember();
            Ok(Some(folder))
        }
        // A disk that is full costs the log, not the work.
        Err(error) if was_given && !error.is_full() => Err(format!("--log-dir: {error}")),
        Err(error) => {
            warner(terminal, plan.look.quiet)(&format!("no log of this call: {error}"));
            Ok(None)
        }
    }
}

/// What was called, where.
pub(super) fn study(plan: &Plan, configurations: &[report::Configuration]) -> report::Study {
    let versions = [("coordinator", env!("CARGO_PKG_VERSION").to_owned())];
    report::Study {
        log_version: report::LOG_VERSION,
        command: std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect(),
        started_at: report::rfc3339(std::time::SystemTime::now()),
        pid: std::process::id(),
        machine: machine::for_log(),
        versions: versions.into_iter().map(|(name, version)| (name.to_owned(), version)).collect(),
        task: plan.work.name().to_owned(),
        params: plan.work.params().into_iter().collect(),
        configurations: configurations.to_vec(),
    }
}
