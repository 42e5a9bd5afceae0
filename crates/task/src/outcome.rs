//! The failures of items.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The maximum size of a failure's message, in bytes. A longer message is cut and
/// marked.
pub const MESSAGE_BYTES: usize = 4096;

/// Why an item has no value. Outputs, logs and summaries use the same words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The item is not valid input for the task.
    Invalid,
    /// The task or program reported a failure.
    Failed,
    /// The process died while it ran this item alone.
    Crashed,
    /// The item ran longer than its timeout.
    TimedOut,
    /// The process ran out of memory on this item.
    OutOfMemory,
}

impl FailureKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Invalid, Self::Failed, Self::Crashed, Self::TimedOut, Self::OutOfMemory];

    /// The word in outputs, logs and on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Failed => "failed",
            Self::Crashed => "crashed",
            Self::TimedOut => "timed-out",
            Self::OutOfMemory => "out-of-memory",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An item's failure: its kind and a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind.
    pub kind: FailureKind,
    /// One sentence for the user, at most [`MESSAGE_BYTES`] long.
    pub message: String,
    /// Further data, for programs.
    pub cause: Option<Cause>,
}

/// The cause of a failure, if it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The task panicked.
    Panic {
        /// `FILE:LINE:COLUMN`, if a panic hook recorded it.
        location: Option<String>,
        /// The backtrace, if `RUST_BACKTRACE` requests it; cut like a message.
        backtrace: Option<String>,
    },
    /// The process that ran the item exited with this status.
    Status(i32),
    /// The process that ran the item was killed by this signal.
    Signal(i32),
    /// The item or its result could not be encoded or decoded.
    Codec,
}

impl Failure {
    /// A failure with its message cut to [`MESSAGE_BYTES`].
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: cut(message.into()), cause: None }
    }

    /// The same failure, with every text cut to [`MESSAGE_BYTES`].
    #[must_use]
    pub fn cut(self) -> Self {
        let cause = self.cause.map(|cause| match cause {
            Cause::Panic { location, backtrace } => {
                Cause::Panic { location: location.map(cut), backtrace: backtrace.map(cut) }
            }
            known => known,
        });
        Self::new(self.kind, self.message).because(cause)
    }

    /// The same failure with this cause.
    #[must_use]
    pub fn because(self, cause: Option<Cause>) -> Self {
        Self { cause, ..self }
    }
}

/// Cuts a text to [`MESSAGE_BYTES`] and marks the cut.
pub(crate) fn cut(mut message: String) -> String {
    if message.len() > MESSAGE_BYTES {
        let end = message.floor_char_boundary(MESSAGE_BYTES);
        message.truncate(end);
        message.push('…');
    }
    message
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_messages_are_cut_at_a_character() {
        let failure = Failure::new(FailureKind::Failed, "ä".repeat(MESSAGE_BYTES));
        assert!(failure.message.len() <= MESSAGE_BYTES + "…".len());
        assert!(failure.message.ends_with('…'));
        let long = || Some("x".repeat(MESSAGE_BYTES + 1));
        let cause = Cause::Panic { location: long(), backtrace: long() };
        let Some(Cause::Panic { location, backtrace }) = failure.because(Some(cause)).cut().cause else { panic!() };
        assert!([location, backtrace].iter().flatten().all(|text| text.ends_with('…')));
    }

    #[test]
    fn failure_kinds_have_the_same_words_in_messages_and_output() {
        for kind in FailureKind::ALL {
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{}\"", kind.as_str()));
        }
    }
}
