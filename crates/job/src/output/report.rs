//! The result of writing an output.

use super::failures::FailedItems;
use crate::resume::record::PriorProgress;
use crate::text::system_message;
use std::io;

/// An output can't be opened or written: exit status 4.
#[derive(Debug, thiserror::Error)]
#[error("can't write {name}: {}", system_message(.error))]
pub struct OutputError {
    /// The output.
    pub name: String,
    /// The operating system's error.
    pub error: io::Error,
}

/// How the output ended.
#[derive(Debug)]
pub enum OutputEnd {
    /// Everything that was delivered was written.
    Complete,
    /// A failed item ended the run; everything before it was written.
    Failures,
    /// The reader closed the output.
    Closed,
    /// The output can't be written.
    Failed(OutputError),
}

/// Failed rows that were replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetriedRows {
    /// How many.
    pub count: u64,
    /// How many of the new rows are failures again.
    pub failed: u64,
}

/// The result of writing an output.
#[derive(Debug)]
pub struct OutputReport {
    /// How many items were written, including failed ones with their records.
    pub items: u64,
    /// How many bytes were written, including a header.
    pub bytes: u64,
    /// The XXH3-128 hash of what was written, if it was asked for.
    pub digest: Option<u128>,
    /// The failed items.
    pub failures: FailedItems,
    /// Whether more items failed than the policy allows.
    pub exceeded: bool,
    /// How the output ended.
    pub end: OutputEnd,
    /// What earlier runs have completed of it; included in the figures above.
    pub before: PriorProgress,
    /// How many failed items were run again and have new rows; `None` if the output
    /// still has the old ones, or none were to be run again.
    pub retried: Option<RetriedRows>,
    /// How many items are complete, if the output can be resumed.
    pub resumable: Option<u64>,
    /// Why the resume record could not be written. The output can perhaps not
    /// be resumed.
    pub record_error: Option<OutputError>,
}

impl OutputReport {
    /// The report of a run that could not begin.
    pub(crate) fn nothing(before: PriorProgress) -> Self {
        Self {
            items: before.items,
            bytes: 0,
            digest: None,
            failures: FailedItems::default(),
            exceeded: false,
            end: OutputEnd::Complete,
            before,
            retried: None,
            resumable: None,
            record_error: None,
        }
    }
}
