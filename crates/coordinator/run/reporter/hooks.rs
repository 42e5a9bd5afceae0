//! The reporter as a study calls it.

use super::run_reporter::RunReporter;
use super::session::ReportedRun;
use procession_job::{Hooks, InputNames, RunInfo, RunSession};
use procession_task::escape_terminal;

/// The reporter of a study, with the names of the inputs that failed items
/// stand in.
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
