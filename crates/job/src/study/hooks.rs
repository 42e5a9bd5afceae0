//! What accompanies the runs of a study.

use super::run::{Ending, RunInfo, RunReport};
use procession::Observer;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Called around the runs, on the study's thread.
pub trait Hooks {
    /// A run is about to begin.
    fn on_run_start(&mut self, _run: &RunInfo) {}

    /// The observers of its events.
    fn observers(&mut self, _run: &RunInfo) -> Vec<Box<dyn Observer>> {
        Vec::new()
    }

    /// Whether its items have log lines; may be changed during the run.
    fn item_log(&mut self, _run: &RunInfo) -> Arc<AtomicBool> {
        Arc::default()
    }

    /// A warning that ends nothing.
    fn warn(&mut self, _text: &str) {}

    /// A run has ended; `ending` says why if the study ends with it.
    fn on_run_end(&mut self, _run: &RunReport, _ending: Option<&Ending>) {}
}
