//! The reporter of a call: where its runs are logged, and what is known of the
//! runs that ended.

use super::call;
use super::hints::Hints;
use super::joblog;
use super::notes::{PrintedNotes, warner};
use super::python_function::PythonFunction;
use crate::args::ProgressMode;
use crate::environment::signals::WritingFiles;
use crate::exit::Refusal;
use crate::plan::{LookPlan, RunPlan};
use crate::report_files::ReportFiles;
use procession_job::{Configuration, Input, InputNames, RunReport};
use procession_report::read::RunLog;
use procession_report::{
    CollectedSpans, FailureList, FailureRow, JobLog, LogFolder, LogLevel, RunSummary, Spans, StudyData, SummaryDetail,
    Terminal,
};
use procession_task::FailureKind;
use procession_task::builtin::ItemRunner;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::slice;

/// Reports the runs of a call.
pub(crate) struct RunReporter {
    pub(super) settings: ReportSettings,
    pub(super) terminal: Terminal,
    pub(super) log: Option<LogFolder>,
    pub(super) joblog: Option<JobLog>,
    /// Why the job log is not complete.
    pub(super) joblog_error: Option<io::Error>,
    pub(super) host: String,
    /// What was printed: several runs may have cause for the same note.
    pub(super) told: PrintedNotes,
    /// What is known of the runs that ended.
    pub(super) data: StudyData,
    /// The files that show what was measured.
    pub(super) files: ReportFiles,
    /// What the Python function of the call does besides its results.
    pub(super) function: Option<PythonFunction>,
}

/// What is shown and logged.
pub(super) struct ReportSettings {
    pub(super) level: Option<LogLevel>,
    pub(super) verbose: bool,
    pub(super) bar: bool,
    pub(super) quiet: bool,
    pub(super) detail: SummaryDetail,
    pub(super) hints: Hints,
    pub(super) is_demo: bool,
}

impl RunReporter {
    /// Prepares to report the runs of this plan.
    ///
    /// # Errors
    /// A log or a file that was asked for can't be written.
    pub(crate) fn new(plan: &RunPlan, configurations: &[Configuration]) -> Result<Self, Refusal> {
        let &LookPlan { log: level, verbose, progress, quiet, detail, is_demo, .. } = &plan.look;
        let bar = match progress {
            ProgressMode::Auto => io::stderr().is_terminal(),
            ProgressMode::Always => true,
            ProgressMode::Never => false,
        };
        let terminal = Terminal::stderr();
        let study = call::study(plan, configurations);
        let log = if level.is_none() { None } else { call::log_folder(plan, &terminal).map_err(Refusal::usage)? };
        let log_path = log.as_ref().map(|log| log.path().to_owned());
        let fallback = log_path.as_deref().filter(|_| is_demo);
        let files = ReportFiles::new(&plan.look.files, fallback).map_err(Refusal::usage)?;
        let host = procession_sys::hostname();
        let joblog = joblog::open(plan, &host)?;
        Ok(Self {
            settings: ReportSettings { level, verbose, bar, quiet, detail, hints: Hints::of(plan), is_demo },
            told: PrintedNotes::default(),
            terminal,
            log,
            joblog,
            joblog_error: None,
            host,
            data: StudyData { study, log: log_path, ..StudyData::default() },
            files,
            function: (plan.work.runner() == ItemRunner::Python).then(PythonFunction::default),
        })
    }

    /// Keeps the first reason why the job log is not complete.
    pub(super) fn note_joblog(&mut self, error: Option<io::Error>) {
        self.joblog_error = self.joblog_error.take().or(error);
    }

    /// Prints a warning, unless --quiet is given or it was printed before.
    pub(crate) fn warn(&self, text: &str) {
        if self.told.is_news(text) {
            warner(&self.terminal, self.settings.quiet)(text);
        }
    }

    /// Prints a note, unless --quiet is given or it was printed before.
    pub(crate) fn note(&self, text: &str) {
        if !self.settings.quiet && self.told.is_news(text) {
            self.terminal.println(&format!("note: {text}"));
        }
    }

    /// The log folder of this call, if it has one, by a path that holds anywhere.
    pub(crate) fn log_folder(&self) -> Option<PathBuf> {
        self.log.as_ref()?.path().canonicalize().ok()
    }

    /// Writes what the log says of the call, before its first run. It goes on with the
    /// call that had the log `earlier`.
    pub(super) fn begin_log(&mut self, earlier: Option<&str>) {
        let Some(log) = self.log.as_mut().filter(|log| !log.has_runs()) else { return };
        self.data.study.continues = earlier.map(str::to_owned);
        if let Err(error) = log.write_study(&self.data.study) {
            self.log = None;
            self.warn(&format!("no log of this call: {error}"));
            return;
        }
        // If this fails, `inspect` does not find the folder by itself; the run does not need it.
        let _ = log.remember();
    }

    /// The terminal that it prints to.
    pub(crate) fn terminal(&self) -> &Terminal {
        &self.terminal
    }

    /// Refuses a job log that is an input or the output.
    ///
    /// # Errors
    /// Which of them it is.
    pub(crate) fn check_joblog(&self, plan: &RunPlan, input: Option<&Input>) -> Result<(), String> {
        self.joblog.as_ref().map_or(Ok(()), |joblog| joblog::check_distinct(joblog, plan, input))
    }

    /// Keeps the data of a run that ended and rewrites the report files.
    pub(super) fn keep(&mut self, mut run: RunSummary, spans: Option<CollectedSpans>, log: Option<&Path>) {
        let _writing = WritingFiles::begin();
        let read = |folder: &Path| Spans::of_log(&RunLog::ended(folder.to_owned(), run.run)?);
        match log.filter(|_| self.files.are_wanted()).map(read) {
            Some(Ok(spans)) => run.spans = spans,
            Some(Err(error)) => self.warn(&error.to_string()),
            None => run.spans = spans.map(|spans| spans.take()).unwrap_or_default(),
        }
        self.data.push(run);
        for problem in self.files.rewrite(slice::from_ref(&self.data)) {
            self.warn(&problem.to_string());
        }
    }

    /// Keeps the failed items of the first run that has some; other runs have the
    /// same.
    pub(super) fn note_failures(&mut self, run: &RunReport, names: &InputNames, folder: Option<&Path>) {
        if self.data.failures.total > 0 {
            return;
        }
        let total = run.output.failures.total.saturating_sub(run.output.before.failures);
        let row = |failure: &procession::raw::ItemFailure| FailureRow {
            item: failure.item,
            place: failure.place.map(|p| format!("{}:{}:{}", names.get(p.input), p.line, p.column)),
            input: failure.input.to_vec(),
            kind: failure.failure.kind,
            message: failure.failure.message.clone(),
            pid: failure.pid,
            attempts: failure.attempts,
            // For other kinds the message says everything.
            file: folder.filter(|_| is_death(failure.failure.kind)).and_then(|run| RunLog::file_of(run, failure.pid)),
        };
        let rows = run.output.failures.first.iter().map(row).collect();
        self.data.failures = FailureList { rows, total };
    }
}

/// Whether the process of the item ended too.
fn is_death(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Crashed | FailureKind::TimedOut | FailureKind::OutOfMemory)
}
