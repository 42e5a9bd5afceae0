//! Whether an output that is there already is begun anew, gone on with, or left
//! alone: decided by its record, its length and what the call asks for.

use crate::failure_policy::FailurePolicy;
use crate::resume::record::{JobSettings, OutputProgress, RecordState, ResumeRecord};
use crate::resume::record_file::FoundRecord;
use crate::text::display_path;
use procession_task::{Items, counted};
use std::path::Path;

/// How much of a setting is shown.
const SHOWN: usize = 100;

/// What is to become of an output that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intent {
    /// A complete one is written anew, an interrupted one is left alone.
    #[default]
    Plain,
    /// An interrupted one is gone on with, a complete one is left alone.
    Resume,
    /// It is written anew in any case.
    Overwrite,
}

/// How an output file is begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResumeOptions {
    /// What is to become of an output that is there already.
    pub intent: Intent,
    /// Settings that its bytes depend on beside those of the work and the
    /// input: name and value, as a person would give them.
    pub settings: Vec<(String, String)>,
}

/// An output that is not touched: status 2.
#[derive(Debug, thiserror::Error)]
#[error("{name} {reason}")]
pub struct ResumeError {
    /// Which output, safe for a terminal.
    pub name: String,
    /// Why.
    pub reason: ResumeReason,
}

/// Why an output is not touched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResumeReason {
    /// Another run writes it.
    #[error("is in use: another run writes it")]
    InUse,
    /// It is one of the inputs.
    #[error("is the same file as the input {0}, and would destroy it: write to another file, then move it")]
    IsInput(String),
    /// It is not complete, and nobody said what to do about it.
    #[error(
        "is the output of an interrupted run, good for its first {}: --resume goes on after that, --overwrite begins anew",
        counted(*.0, "item")
    )]
    Interrupted(u64),
    /// What lies in the place of its record may be anything, and somebody's own.
    #[error(
        "can't be written: {record} is no record that this program can use ({why}), and is not touched: move it away, or write to another file"
    )]
    BadRecord {
        /// Its name, safe for a terminal.
        record: String,
        /// Why it is none.
        why: String,
    },
    /// A pipe, a device.
    #[error("can't be resumed: it is no regular file")]
    NotRegular,
    /// A study, or results as they come.
    #[error("can't be resumed: only the results of a single run, in order, can be")]
    NotOrdered,
    /// It has something in it and no record.
    #[error(
        "can't be resumed: it is not empty and there is no {0} that says how far it is good; --overwrite begins anew"
    )]
    NoRecord(String),
    /// It is of another job.
    #[error("can't be resumed: it was made with {was}, not with {is}; --overwrite begins anew")]
    OtherJob {
        /// The setting that differs, as it was.
        was: String,
        /// The setting now.
        is: String,
    },
    /// It ends before the place that its record speaks of.
    #[error("can't be resumed: it has {has} bytes, and its record speaks of {bytes}; --overwrite begins anew")]
    TooShort {
        /// How many bytes are said to be good.
        bytes: u64,
        /// How many there are.
        has: u64,
    },
    /// It is not what was written.
    #[error("can't be resumed: it was changed since it was written; --overwrite begins anew")]
    Edited,
    /// It holds failed items that this call would have ended at.
    #[error(
        "can't be resumed: it holds the records of {0} failed items, and this call ends earlier: add --keep-going, raise --max-failures, or begin anew with --overwrite"
    )]
    HasFailures(u64),
}

/// The job that an output is to be of.
pub(crate) struct ResumeJob {
    pub(crate) settings: JobSettings,
    /// How the units that the pool is given are separated.
    pub(crate) rule: Items,
    pub(crate) policy: FailurePolicy,
}

/// What is to be done with an output.
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
    /// Refuses a record of another job.
    pub(crate) fn check(&self, record: &ResumeRecord) -> Result<(), ResumeReason> {
        // Of several that differ the task is the one to be told.
        let names = self.settings.keys().chain(record.job.keys()).map(String::as_str);
        let differs = |name: &&str| self.settings.get(*name) != record.job.get(*name);
        if let Some(name) = std::iter::once("--task").chain(names).find(differs) {
            let (was, is) = (setting(name, record.job.get(name)), setting(name, self.settings.get(name)));
            return Err(ResumeReason::OtherJob { was, is });
        }
        let failures = record.done.failures();
        if self.policy.ends_by(failures, record.done.items) { Err(ResumeReason::HasFailures(failures)) } else { Ok(()) }
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

/// Decides what becomes of an output of `length` bytes; `None`: there was none.
pub(crate) fn decide(
    found: FoundRecord,
    intent: Intent,
    length: Option<u64>,
    job: &ResumeJob,
) -> Result<Decision, ResumeReason> {
    if intent != Intent::Resume {
        return decide_without_resume(found, intent, length);
    }
    let has = length.unwrap_or(0);
    match found {
        FoundRecord::Nothing if has == 0 => Ok(Decision::Begin),
        FoundRecord::Nothing => Err(ResumeReason::NoRecord(String::new())),
        FoundRecord::Bad(why) => Err(bad(why)),
        FoundRecord::Record(record) => {
            job.check(&record)?;
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

/// The same for a call that does not go on with anything.
pub(crate) fn decide_without_resume(
    found: FoundRecord,
    intent: Intent,
    length: Option<u64>,
) -> Result<Decision, ResumeReason> {
    match found {
        // Whatever is asked for: it may be anybody's.
        FoundRecord::Bad(why) => Err(bad(why)),
        FoundRecord::Nothing => Ok(Decision::Begin),
        // Of nothing, nothing is lost.
        FoundRecord::Record(_) if intent == Intent::Overwrite || length.unwrap_or(0) == 0 => Ok(Decision::Begin),
        FoundRecord::Record(record) if record.state == RecordState::Complete => Ok(Decision::Begin),
        FoundRecord::Record(record) => Err(ResumeReason::Interrupted(record.done.items)),
    }
}

fn bad(why: String) -> ResumeReason {
    ResumeReason::BadRecord { record: String::new(), why }
}

impl ResumeReason {
    /// The same, if it tells of the record, with the record's name.
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
