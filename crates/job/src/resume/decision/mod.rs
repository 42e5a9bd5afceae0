//! Decides what happens to an existing output: it is overwritten, resumed or
//! left unchanged. The decision depends on its record, its length and what the
//! call asks for.

use crate::failure_policy::FailurePolicy;
use crate::resume::output_rows::RowLayout;
use crate::resume::record::{JobSettings, OutputProgress, RecordState, ResumeRecord};
use crate::resume::record_file::FoundRecord;
use crate::text::display_path;
use procession_task::{Items, counted};
use std::path::Path;

/// The largest length of a setting in messages in characters.
const SHOWN: usize = 100;

/// What to do with an existing output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intent {
    /// Overwrite a complete output, refuse an interrupted one.
    #[default]
    Plain,
    /// Resume an interrupted output, leave a complete one unchanged.
    Resume,
    /// Run the failed items of an output again and replace their rows; resume an
    /// interrupted one after them.
    RetryFailed,
    /// Overwrite it in any case.
    Overwrite,
}

impl Intent {
    /// Whether it needs what an earlier run has written.
    #[must_use]
    pub fn continues(self) -> bool {
        matches!(self, Self::Resume | Self::RetryFailed)
    }
}

/// How an output file is opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResumeOptions {
    /// What to do with an existing output.
    pub intent: Intent,
    /// Settings that the bytes of the output depend on, besides those of the
    /// job and the input: names and values as on the command line.
    pub settings: Vec<(String, String)>,
    /// The log folder of this call, if it has one. The output's record names it, so
    /// that a call that goes on with the output can name it in its own log.
    pub log: Option<String>,
}

/// The output is refused and left unchanged: exit status 2.
#[derive(Debug, thiserror::Error)]
#[error("{name} {}{reason}", refusal(*.intent, .reason))]
pub struct ResumeError {
    /// The output, safe for a terminal.
    pub name: String,
    /// What was asked for.
    pub intent: Intent,
    /// The reason.
    pub reason: ResumeReason,
}

/// The beginning of a reason that is about what was asked for.
fn refusal(intent: Intent, reason: &ResumeReason) -> &'static str {
    match reason {
        ResumeReason::InUse
        | ResumeReason::IsInput(_)
        | ResumeReason::Interrupted(_)
        | ResumeReason::BadRecord { .. }
        | ResumeReason::Missing => "",
        _ if intent == Intent::RetryFailed => "can't be retried: ",
        _ => "can't be resumed: ",
    }
}

/// Why an output is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResumeReason {
    /// Another run writes to it.
    #[error("is in use: another run is writing it")]
    InUse,
    /// It is one of the inputs.
    #[error("is the same file as the input {0} and would overwrite it: write to another file, then rename it")]
    IsInput(String),
    /// It is incomplete, and the call says neither resume nor overwrite.
    #[error(
        "is the output of an interrupted run and has the results of the first {}: --resume continues after them, --overwrite starts again",
        counted(*.0, "item")
    )]
    Interrupted(u64),
    /// There is a file at the path of the record that is not a record. It may
    /// belong to somebody.
    #[error(
        "can't be written: {record} is not a resume record of this program ({why}) and is not replaced: move it away, or write to another file"
    )]
    BadRecord {
        /// The path of that file, safe for a terminal.
        record: String,
        /// Why it is not a record.
        why: String,
    },
    /// There is nothing to run again: it does not exist.
    #[error("does not exist: --retry-failed needs the output of an earlier run")]
    Missing,
    /// It is a pipe or a device.
    #[error("it is not a regular file")]
    NotRegular,
    /// It belongs to a study of several runs, or its results are not in order.
    #[error("only the ordered results of a single run can be")]
    NotOrdered,
    /// It is not empty and has no record.
    #[error("it is not empty and has no resume record {0}; --overwrite starts again")]
    NoRecord(String),
    /// It was made by another job.
    #[error("it was made with {was}, not with {is}; --overwrite starts again")]
    OtherJob {
        /// The setting that differs, with the old value.
        was: String,
        /// The same setting, with the new value.
        is: String,
    },
    /// It has fewer bytes than its record says.
    #[error("it has {has} bytes, but its record says {bytes}; --overwrite starts again")]
    TooShort {
        /// How many bytes the record says are complete.
        bytes: u64,
        /// How many bytes the output has.
        has: u64,
    },
    /// Its bytes are not those that were written.
    #[error("it was changed since it was written; --overwrite starts again")]
    Edited,
    /// It has so many failed items that this call would have ended earlier.
    #[error(
        "it has {0} failed items, and this call would have ended earlier: add --keep-going, raise --max-failures, or start again with --overwrite"
    )]
    HasFailures(u64),
}

/// The job that writes the output.
pub(crate) struct ResumeJob {
    pub(crate) settings: JobSettings,
    /// How the units are separated that the pool receives.
    pub(crate) rule: Items,
    pub(crate) policy: FailurePolicy,
    /// How the rows of the output belong to the items.
    pub(crate) layout: RowLayout,
    /// The log folder of this call, if it has one.
    pub(crate) log: Option<String>,
}

/// What to do with an output.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Begin,
    GoOn(OutputProgress),
    Complete(OutputProgress),
}

impl Decision {
    pub(crate) fn progress(&self) -> OutputProgress {
        match self {
            Self::Begin => OutputProgress::default(),
            Self::GoOn(progress) | Self::Complete(progress) => progress.clone(),
        }
    }
}

impl ResumeJob {
    /// Refuses a record of another job, and to go on after so many failures that this
    /// call would have ended, unless they are run again.
    pub(crate) fn check(&self, record: &ResumeRecord, intent: Intent) -> Result<(), ResumeReason> {
        // If several settings differ, the task is the one to report.
        let names = self.settings.keys().chain(record.job.keys()).map(String::as_str);
        let differs = |name: &&str| self.settings.get(*name) != record.job.get(*name);
        if let Some(name) = std::iter::once("--task").chain(names).find(differs) {
            let (was, is) = (setting(name, record.job.get(name)), setting(name, self.settings.get(name)));
            return Err(ResumeReason::OtherJob { was, is });
        }
        let failures = record.done.failures();
        let is_ended = intent != Intent::RetryFailed && self.policy.ends_by(failures, record.done.items);
        if is_ended { Err(ResumeReason::HasFailures(failures)) } else { Ok(()) }
    }
}

/// As in `--format csv`, or `no --size`.
fn setting(name: &str, value: Option<&String>) -> String {
    let short = |text: &str| match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    match value {
        None => format!("no {}", short(name)),
        Some(value) if value.is_empty() => short(name),
        Some(value) if name.starts_with("--param ") => format!("{}={}", short(name), short(value)),
        Some(value) => format!("{} {}", short(name), short(value)),
    }
}

/// Decides what to do with an output of `length` bytes; `None` means that it
/// did not exist.
pub(crate) fn decide(
    found: FoundRecord,
    intent: Intent,
    length: Option<u64>,
    job: &ResumeJob,
) -> Result<Decision, ResumeReason> {
    if !intent.continues() {
        return decide_without_resume(found, intent, length);
    }
    let has = length.unwrap_or(0);
    let resumes = intent == Intent::Resume;
    match found {
        FoundRecord::Nothing if length.is_none() && !resumes => Err(ResumeReason::Missing),
        FoundRecord::Nothing if has == 0 && resumes => Ok(Decision::Begin),
        FoundRecord::Nothing => Err(ResumeReason::NoRecord(String::new())),
        FoundRecord::Bad(why) => Err(bad(why)),
        FoundRecord::Record(record) => {
            job.check(&record, intent)?;
            let bytes = record.done.bytes;
            match record.state {
                _ if has < bytes => Err(ResumeReason::TooShort { bytes, has }),
                RecordState::Complete if has > bytes => Err(ResumeReason::Edited),
                RecordState::Complete => Ok(Decision::Complete(record.done)),
                RecordState::Interrupted => Ok(Decision::GoOn(record.done)),
            }
        }
    }
}

/// Decides the same for a call that does not resume.
pub(crate) fn decide_without_resume(
    found: FoundRecord,
    intent: Intent,
    length: Option<u64>,
) -> Result<Decision, ResumeReason> {
    match found {
        // Refused whatever the call asks for: the file may belong to somebody.
        FoundRecord::Bad(why) => Err(bad(why)),
        FoundRecord::Nothing => Ok(Decision::Begin),
        // An empty output has nothing to lose.
        FoundRecord::Record(_) if intent == Intent::Overwrite || length.unwrap_or(0) == 0 => Ok(Decision::Begin),
        FoundRecord::Record(record) if record.state == RecordState::Complete => Ok(Decision::Begin),
        FoundRecord::Record(record) => Err(ResumeReason::Interrupted(record.done.items)),
    }
}

fn bad(why: String) -> ResumeReason {
    ResumeReason::BadRecord { record: String::new(), why }
}

impl ResumeReason {
    /// Adds the path of the record to a reason that mentions it.
    pub(crate) fn naming(self, path: &Path) -> Self {
        match self {
            Self::NoRecord(_) => Self::NoRecord(display_path(path)),
            Self::BadRecord { why, .. } => Self::BadRecord { record: display_path(path), why },
            reason => reason,
        }
    }
}

#[cfg(test)]
mod tests;
