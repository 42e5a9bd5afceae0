//! What is reported at the end of the call, and the exit status.

use super::run_reporter::RunReporter;
use crate::console::{self, style};
use crate::environment::signals::WritingFiles;
use crate::exit::{self, Status};
use crate::plan::RunPlan;
use crate::report_files::Unwritten;
use crate::run::ending::{describe, status_of};
use procession_job::{AlreadyComplete, Ending, OutputChoice, RetriedRows, StudyReport};
use procession_report::{self as report, FailureRow, LogFolder, Summary};
use procession_task::builtin::ItemRunner;
use procession_task::{Items, counted, escape_terminal};
use std::io::IsTerminal as _;
use std::os::unix::ffi::OsStrExt as _;
use std::slice;

impl RunReporter {
    /// Reports the results of the call and returns the status.
    pub(crate) fn conclude(&mut self, plan: &RunPlan, report: &StudyReport) -> Status {
        let unwritten = self.finish_files();
        let is_empty = report.runs.iter().all(|run| run.output.items == 0);
        if report.ending.is_none() && is_empty {
            self.warn(&plan.source.without_items());
        } else {
            self.show_summary(is_empty);
        }
        if let Some(hint) = self.hint_at_numbers(plan) {
            self.terminal.println(&format!("hint: {hint}"));
        }
        self.tell_of_function();
        self.tell_of_output(plan, report);
        if let Some(Ending::AlreadyComplete(of)) = &report.ending {
            return self.already_complete(of);
        }
        let mut status = report.ending.as_ref().map_or(exit::SUCCESS, status_of);
        for problem in unwritten {
            console::say(format_args!("error: {problem}"));
            status = status.max(exit::OUTPUT_FAILED);
        }
        if let Some(error) = &self.joblog_error {
            console::say(format_args!("error: the job log is not complete: {error}"));
            status = status.max(exit::OUTPUT_FAILED);
        }
        if let Some(text) = report.ending.as_ref().and_then(describe) {
            console::say(format_args!("error: {}", escape_terminal(text.as_bytes())));
        }
        if report.runs.iter().any(|run| run.output.failures.total > 0) {
            status = status.max(exit::ITEM_FAILED);
        }
        if plan.executors.verify {
            status = status.max(self.compare(plan, report));
        }
        status
    }

    /// Reports outputs that differ between configurations. For code of the user's
    /// own that is a warning: it may use the time or random numbers.
    fn compare(&self, plan: &RunPlan, report: &StudyReport) -> Status {
        for mismatch in &report.mismatches {
            let size = mismatch.size.map_or(String::new(), |size| format!(" of size {size}"));
            let groups: Vec<String> = mismatch.runs.iter().map(|(_, runs)| format!("{runs:?}")).collect();
            let text = format!("the outputs{size} differ between runs {}", groups.join(" and "));
            if plan.work.is_users() {
                self.warn(&format!("{text}; use --no-verify if they may differ"));
            } else {
                console::say(format_args!("error: {text}"));
            }
        }
        let is_fault = !report.mismatches.is_empty() && !plan.work.is_users();
        if is_fault { exit::ITEM_FAILED } else { exit::SUCCESS }
    }

    /// Prints the summary with its hints. With --quiet, and of runs without an item, only
    /// failed items are printed.
    fn show_summary(&self, is_empty: bool) {
        let quiet = self.settings.quiet;
        let advice = report::advice(&self.data);
        let told = advice.iter().filter(|advice| self.settings.hints.include(advice));
        let hints: Vec<String> = told.map(|of| format!("hint: {}\n      {}", of.evidence(), of.remedy())).collect();
        let summary = Summary {
            runs: if quiet || is_empty { &[] } else { &self.data.runs },
            study: &self.data.study,
            failures: &self.data.failures.rows,
            failed: self.data.failures.total,
            log: self.log.as_ref().filter(|log| log.has_runs()).map(LogFolder::path).filter(|_| !quiet),
            hints: &hints,
            detail: self.settings.detail,
        };
        self.terminal.print_lines(summary.to_text(style(std::io::stderr().is_terminal())).as_bytes());
        if let Some(page) = self.files.page().filter(|_| self.settings.is_demo && !quiet) {
            self.terminal.println(&format!("page: {}", escape_terminal(page.as_os_str().as_bytes())));
        }
    }

    /// What to do about a Python function that failed on a line of numbers.
    fn hint_at_numbers(&self, plan: &RunPlan) -> Option<&'static str> {
        let takes_lines = plan.work.job.items == Items::Lines && plan.work.runner() == ItemRunner::Python;
        let is_of_numbers = |row: &FailureRow| is_line_of_numbers(&row.input);
        let is_hinted = takes_lines && !self.settings.quiet && self.data.failures.rows.iter().any(is_of_numbers);
        is_hinted.then_some("an item is a whole line of numbers; --items numbers gives the function each of them")
    }

    /// What a Python function was given and what it printed, a line each.
    fn tell_of_function(&self) {
        let Some(function) = &self.function else { return };
        let log = self.log.as_ref().map(LogFolder::path);
        let notes = [function.note_types(), function.note_printed(log, self.settings.verbose)];
        notes.iter().flatten().for_each(|note| self.note(note));
    }

    /// Writes the report files after the last run.
    fn finish_files(&mut self) -> Vec<Unwritten> {
        let _writing = WritingFiles::begin();
        let unwritten = self.files.finish(slice::from_ref(&self.data));
        self.files.notes().iter().for_each(|note| self.note(note));
        if !self.settings.quiet
            && let Err(error) = self.data.read_item_times()
        {
            self.warn(&error.to_string());
        }
        if let Some(note) = self.data.skipped_lines().note() {
            self.warn(&note);
        }
        unwritten
    }

    /// The output was complete before the call: the status is that of the run that
    /// wrote it.
    fn already_complete(&self, of: &AlreadyComplete) -> Status {
        let failed = if of.failures > 0 { format!(", {} of them failed", of.failures) } else { String::new() };
        let grown = if of.input_has_grown { "; the input has more items now: --overwrite starts again" } else { "" };
        let nothing = match (of.to_retry, of.failures) {
            (true, _) => "none of them failed; there is nothing to retry",
            (false, 0) => "nothing to do",
            (false, _) => "nothing to do (--retry-failed runs those again)",
        };
        let items = counted(of.items, "item");
        self.note(&format!("{} is complete with {items}{failed}; {nothing}{grown}", of.name));
        if of.failures > 0 { exit::ITEM_FAILED } else { exit::SUCCESS }
    }

    /// Says what to do about an output that is not complete.
    fn tell_of_output(&self, plan: &RunPlan, report: &StudyReport) {
        let Some(OutputChoice::File(path)) = &plan.output.choice else { return };
        let name = escape_terminal(path.as_os_str().as_bytes());
        for run in &report.runs {
            if let Some(error) = &run.output.record_error {
                self.warn(&format!(
                    "it may not be possible to resume {name}: {}",
                    escape_terminal(error.to_string().as_bytes())
                ));
            }
            match run.output.retried {
                Some(retried) => self.note(&retried_rows(&name, retried)),
                None if run.output.before.retried > 0 => self.note(&format!("{name} is left as it was")),
                None => {}
            }
            if let Some(items) = run.output.resumable {
                self.note(&format!(
                    "{name} has the results of the first {}; --resume continues after them",
                    counted(items, "item")
                ));
            }
        }
    }
}

/// How many failed items were run again, and what became of them.
fn retried_rows(name: &str, RetriedRows { count, failed }: RetriedRows) -> String {
    let tried = counted(count, "failed item");
    format!("{tried} tried again: {} mended, {failed} left; {name} has their new rows", count - failed)
}

/// Whether the line has two numbers or more and nothing else.
fn is_line_of_numbers(line: &[u8]) -> bool {
    let is_number = |word: &[u8]| std::str::from_utf8(word).is_ok_and(|word| word.parse::<f64>().is_ok());
    let is_many = Items::Words.count(line) > 1;
    is_many && Items::Words.split(line).all(|(_, word)| is_number(word))
}
