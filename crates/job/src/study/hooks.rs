//! What accompanies the runs of a study.

use super::run::{Ending, RunInfo, RunReport};
use procession::Observer;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What happens around the runs; called on the study's thread.
pub trait Hooks {
    /// A run is about to begin.
    fn on_run_start(&mut self, _run: &RunInfo) {}

    /// Who hears of its events.
    fn observers(&mut self, _run: &RunInfo) -> Vec<Box<dyn Observer>> {
        Vec::new()
    }

    /// Whether its items have log lines; may be changed while it runs.
    fn item_log(&mut self, _run: &RunInfo) -> Arc<AtomicBool> {
        Arc::default()
    }

    /// Something that people should know and that ends nothing.
    fn warn(&mut self, _text: &str) {}

    /// A run has ended; `ending` says why if the study ends with it.
    fn on_run_end(&mut self, _run: &RunReport, _ending: Option<&Ending>) {}
}
