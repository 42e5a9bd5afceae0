//! Connects the reporter with the study that calls it.

use super::run_reporter::RunReporter;
use super::session::ReportedRun;
use procession_job::{Hooks, InputNames, RunInfo, RunSession};
use procession_task::escape_terminal;

/// The hooks of a study: its reporter, and the names of its input files.
pub(crate) struct StudyHooks<'a> {
    pub(crate) reporter: &'a mut RunReporter,
    pub(crate) names: &'a InputNames,
}

impl Hooks for StudyHooks<'_> {
    fn warn(&mut self, text: &str) {
        self.reporter.warn(&escape_terminal(text.as_bytes()));
    }

    fn start(&mut self, run: &RunInfo) -> Box<dyn RunSession + '_> {
        Box::new(ReportedRun::start(self.reporter, self.names, run))
    }
}
