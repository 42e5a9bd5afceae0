//! What became of a run's results.

use super::failures::FailedItems;
use crate::resume::record::PriorProgress;
use crate::text::system_message;
use std::io;

/// An output can't be opened or written: status 4.
#[derive(Debug, thiserror::Error)]
#[error("can't write {name}: {}", system_message(.error))]
pub struct OutputError {
    /// Which one.
    pub name: String,
    /// What the system said.
    pub error: io::Error,
}

/// How the output ended.
#[derive(Debug)]
pub enum OutputEnd {
    /// Everything that was delivered was written.
    Complete,
    /// A failed item ended the run; everything before it was written.
    Failures,
    /// Whoever read it wants no more.
    Closed,
    /// It can't be written.
    Failed(OutputError),
}

/// What became of the results.
#[derive(Debug)]
pub struct OutputReport {
    /// How many items were written, failed ones with their records among them.
    pub items: u64,
    /// How many bytes, a header included.
    pub bytes: u64,
    /// XXH3-128 of what was written, if it was asked for.
    pub digest: Option<u128>,
    /// The failed items.
    pub failures: FailedItems,
    /// Whether there were more of them than the policy allows.
    pub exceeded: bool,
    /// How it ended.
    pub end: OutputEnd,
    /// What an earlier run had done of it; the figures above include that.
    pub before: PriorProgress,
    /// How many items are complete, if it can be gone on with.
    pub resumable: Option<u64>,
    /// Why its record could not be kept: it may not be possible to resume it.
    pub record_error: Option<OutputError>,
}

impl OutputReport {
    /// Of a run that could not begin.
    pub(crate) fn nothing(before: PriorProgress) -> Self {
        Self {
            items: before.items,
            bytes: 0,
            digest: None,
            failures: FailedItems::default(),
            exceeded: false,
            end: OutputEnd::Complete,
            before,
            resumable: None,
            record_error: None,
        }
    }
}
