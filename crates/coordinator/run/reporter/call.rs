//! The call as the log and the page describe it, and its log folder.

use super::notes::warner;
use crate::environment::machine;
use crate::plan::RunPlan;
use procession_job::Configuration;
use procession_report as report;
use report::{LogFolder, Terminal};
use std::path::PathBuf;

/// Creates the log folder. A folder that was named must be usable; if the
/// default folder is not, there is a warning and no log.
pub(super) fn log_folder(plan: &RunPlan, terminal: &Terminal) -> Result<Option<LogFolder>, String> {
    let given: Option<PathBuf> = plan.look.log_dir.clone();
    let was_given = given.is_some();
    match LogFolder::create(given) {
        Ok(folder) => Ok(Some(folder)),
        // A full disk ends the log, not the run.
        Err(error) if was_given && !error.is_full() => Err(format!("--log-dir: {error}")),
        Err(error) => {
            warner(terminal, plan.look.quiet)(&format!("no log of this call: {error}"));
            Ok(None)
        }
    }
}

/// Describes the call and the machine.
pub(super) fn study(plan: &RunPlan, configurations: &[Configuration]) -> report::StudyRecord {
    let versions = [("coordinator", env!("CARGO_PKG_VERSION").to_owned())];
    report::StudyRecord {
        log_version: report::LOG_VERSION,
        command: std::env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect(),
        started_at: report::rfc3339(std::time::SystemTime::now()),
        pid: std::process::id(),
        machine: machine::for_log(),
        versions: versions.into_iter().map(|(name, version)| (name.to_owned(), version)).collect(),
        task: plan.work.name().to_owned(),
        params: plan.work.params().into_iter().collect(),
        configurations: configurations.to_vec(),
        continues: None,
    }
}
