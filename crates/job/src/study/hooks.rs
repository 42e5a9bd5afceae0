//! What accompanies the runs of a study.

use super::run::{Ending, RunInfo, RunReport};
use procession::Observer;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// What accompanies the runs of a study; called on the study's thread.
pub trait Hooks {
    /// A warning that ends nothing.
    fn warn(&mut self, _text: &str) {}

    /// A run is about to begin. The session accompanies it to its end.
    fn start(&mut self, run: &RunInfo) -> Box<dyn RunSession + '_>;
}

/// What accompanies one run, from its start to its end.
pub trait RunSession {
    /// The observers of the run's events; called once.
    fn observers(&mut self) -> Vec<Box<dyn Observer>> {
        Vec::new()
    }

    /// Whether items have log lines; may be changed during the run.
    fn item_log(&self) -> Arc<AtomicBool> {
        Arc::default()
    }

    /// The run has ended; `ending` says why if the study ends with it.
    fn finish(self: Box<Self>, run: &RunReport, ending: Option<&Ending>);
}
