//! The outcome of an item.

use crate::jobs::{ItemFailure, PoolError};
use crate::observe::Exit;
use procession_task::{Cause, FailureKind};

/// The outcome of an item: its result, or why it has none.
pub type Outcome<T> = Result<T, ItemError>;

/// Why an item has no result.
///
/// Each variant but the last names the item by its `index` in the input, from 0.
/// The message is the same whenever the same thing happens; what differs from run
/// to run, such as process ids, has fields of its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ItemError {
    /// The task returned an error.
    #[error("item {index} failed: {message}")]
    Failed {
        /// The item's index.
        index: u64,
        /// The task's own message.
        message: String,
    },
    /// The task panicked. Its worker goes on.
    #[error("item {index} panicked{}: {message}", at(.location.as_ref()))]
    Panicked {
        /// The item's index.
        index: u64,
        /// The panic's message.
        message: String,
        /// `FILE:LINE:COLUMN`.
        location: Option<String>,
        /// The backtrace, if `RUST_BACKTRACE` is set.
        backtrace: Option<String>,
    },
    /// The worker died while it ran this item alone.
    #[error("item {index} crashed: {message}")]
    Crashed {
        /// The item's index.
        index: u64,
        /// How the process died, in words.
        message: String,
        /// The exit status or signal, if that is known.
        exit: Option<Exit>,
        /// The last process that ran it.
        pid: u32,
        /// How many processes died of it.
        attempts: u32,
    },
    /// The item exceeded its time limit.
    #[error("item {index} timed out: {message}")]
    TimedOut {
        /// The item's index.
        index: u64,
        /// The time limit, in words.
        message: String,
        /// The last process that ran it.
        pid: u32,
        /// How many times it was tried.
        attempts: u32,
    },
    /// The item wanted more memory than its worker's limit.
    #[error("item {index} ran out of memory: {message}")]
    OutOfMemory {
        /// The item's index.
        index: u64,
        /// The memory limit, in words.
        message: String,
        /// The last process that ran it.
        pid: u32,
        /// How many times it was tried.
        attempts: u32,
    },
    /// The item, or its result, can't be encoded.
    #[error("item {index} can't be sent: {message}")]
    NotEncodable {
        /// The item's index.
        index: u64,
        /// The type, and the error.
        message: String,
    },
    /// The item, or its result, can't be decoded.
    #[error("item {index} can't be read: {message}")]
    NotDecodable {
        /// The item's index.
        index: u64,
        /// The type, and the error.
        message: String,
    },
    /// The pool failed or was ended: no more outcomes come.
    #[error(transparent)]
    Pool(#[from] PoolError),
}

impl ItemError {
    /// The item's index; `None` if the pool failed.
    #[must_use]
    pub fn index(&self) -> Option<u64> {
        match *self {
            Self::Failed { index, .. }
            | Self::Panicked { index, .. }
            | Self::Crashed { index, .. }
            | Self::TimedOut { index, .. }
            | Self::OutOfMemory { index, .. }
            | Self::NotEncodable { index, .. }
            | Self::NotDecodable { index, .. } => Some(index),
            Self::Pool(_) => None,
        }
    }
}

impl From<ItemFailure> for ItemError {
    fn from(failed: ItemFailure) -> Self {
        let ItemFailure { item: index, failure, pid, attempts, .. } = failed;
        let (message, cause) = (failure.message, failure.cause);
        match (failure.kind, cause) {
            (FailureKind::Failed, Some(Cause::Panic { location, backtrace })) => {
                let message = message.strip_prefix("panicked: ").map_or_else(|| message.clone(), str::to_owned);
                Self::Panicked { index, message, location, backtrace }
            }
            (FailureKind::Failed, Some(Cause::Codec)) => Self::NotEncodable { index, message },
            (FailureKind::Failed, _) => Self::Failed { index, message },
            (FailureKind::Invalid, _) => Self::NotDecodable { index, message },
            (FailureKind::Crashed, cause) => {
                let exit = match cause {
                    Some(Cause::Status(status)) => Some(Exit::Status(status)),
                    Some(Cause::Signal(signal)) => Some(Exit::Signal(signal)),
                    _ => None,
                };
                Self::Crashed { index, message, exit, pid, attempts }
            }
            (FailureKind::TimedOut, _) => Self::TimedOut { index, message, pid, attempts },
            (FailureKind::OutOfMemory, _) => Self::OutOfMemory { index, message, pid, attempts },
        }
    }
}

fn at(location: Option<&String>) -> String {
    location.map_or_else(String::new, |location| format!(" at {location}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_task::Failure;

    fn error(kind: FailureKind, message: &str, cause: Option<Cause>) -> ItemError {
        let failure = Failure::new(kind, message).because(cause);
        ItemFailure { item: 7, input: "".into(), place: None, failure, record: 0..0, pid: 9, attempts: 3 }.into()
    }

    #[test]
    fn each_way_to_fail_has_its_variant_and_its_words() {
        let panic = Cause::Panic { location: Some("a.rs:1:2".to_owned()), backtrace: None };
        for (error, words) in [
            (error(FailureKind::Failed, "odd", None), "item 7 failed: odd"),
            (error(FailureKind::Failed, "panicked: oh", Some(panic)), "item 7 panicked at a.rs:1:2: oh"),
            (error(FailureKind::Failed, "too long", Some(Cause::Codec)), "item 7 can't be sent: too long"),
            (error(FailureKind::Invalid, "no u8", Some(Cause::Codec)), "item 7 can't be read: no u8"),
            (error(FailureKind::Crashed, "SIGSEGV", Some(Cause::Signal(11))), "item 7 crashed: SIGSEGV"),
            (error(FailureKind::TimedOut, "1s", None), "item 7 timed out: 1s"),
            (error(FailureKind::OutOfMemory, "1 GiB", None), "item 7 ran out of memory: 1 GiB"),
        ] {
            assert_eq!((error.to_string().as_str(), error.index()), (words, Some(7)));
        }
        let crashed = error(FailureKind::Crashed, "", Some(Cause::Signal(11)));
        assert!(matches!(crashed, ItemError::Crashed { exit: Some(Exit::Signal(11)), pid: 9, attempts: 3, .. }));
    }
}
