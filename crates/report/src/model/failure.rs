//! Items that failed.

use procession_task::FailureKind;
use std::path::PathBuf;

/// A failed item. Its texts are not escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureRow {
    /// Its index in the input, from 0.
    pub item: u64,
    /// Its place in the input, as in `primes.txt:3:7`.
    pub place: Option<String>,
    /// The item.
    pub input: Vec<u8>,
    /// The kind of failure.
    pub kind: FailureKind,
    /// The error message.
    pub message: String,
    /// The process that ran it last.
    pub pid: u32,
    /// How many times it was tried.
    pub attempts: u32,
    /// A file with more about the process.
    pub file: Option<PathBuf>,
}

/// The failed items of the first run that had failures. Other runs of the study
/// have the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FailureList {
    /// The first ones, in the order of the input.
    pub rows: Vec<FailureRow>,
    /// Their total number.
    pub total: u64,
}
