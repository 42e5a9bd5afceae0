//! A call with all of its runs, from events or from a log. Tables, charts, the
//! page, timings, the trace and advice are made from it.

use super::failure::FailureList;
use super::run_summary::RunSummary;
use super::skipped_lines::SkippedLines;
use super::study::StudyRecord;
use std::path::PathBuf;

/// A call and its runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StudyData {
    /// A label that distinguishes it from other calls shown with it; empty for a
    /// single call.
    pub label: String,
    /// The command and the machine.
    pub study: StudyRecord,
    /// The runs, including warm-ups.
    pub runs: Vec<RunSummary>,
    /// The failed items.
    pub failures: FailureList,
    /// The log folder, if there is one.
    pub log: Option<PathBuf>,
}

impl StudyData {
    /// Lines of the log that could not be read.
    #[must_use]
    pub fn skipped_lines(&self) -> SkippedLines {
        let mut all = SkippedLines::default();
        self.runs.iter().for_each(|run| all.add(&run.spans.skipped_lines));
        all
    }

    /// Number of CPUs that the call may use, at least 1.
    #[must_use]
    pub fn usable_cores(&self) -> u32 {
        self.study.machine.usable_cores.max(1)
    }
}
