//! Carrying out a plan.

use crate::args::Plan;
use crate::exit::{self, Status};
use crate::locate;

/// Runs what was planned and says how it ended.
pub(crate) fn run(plan: &Plan) -> Status {
    let worker = match locate::worker(plan.worker.as_deref(), std::env::current_exe()) {
        Ok(worker) => worker,
        Err(error) => {
            eprintln!("error: {error}");
            return exit::POOL_FAILED;
        }
    };
    let _ = worker;
    eprintln!("error: this version can't run tasks yet");
    exit::POOL_FAILED
}
