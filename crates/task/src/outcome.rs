//! What can become of an item other than a value.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Longest message that is kept of a failure, in bytes; the rest is cut with a mark.
pub const MESSAGE_BYTES: usize = 4096;

/// Why an item has no value. The words are those of outputs, logs and summaries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The item is not what the task takes.
    Invalid,
    /// The task or program said no.
    Failed,
    /// The process died while it ran this item alone.
    Crashed,
    /// The item ran longer than it may.
    TimedOut,
    /// The process ran out of memory on this item.
    OutOfMemory,
}

impl FailureKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [Self; 5] = [Self::Invalid, Self::Failed, Self::Crashed, Self::TimedOut, Self::OutOfMemory];

    /// The word for it in outputs, logs and on the command line.
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

/// An item's failure: its kind and what was said about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Which of the five it is.
    pub kind: FailureKind,
    /// One sentence for a person, at most [`MESSAGE_BYTES`] long.
    pub message: String,
    /// What else is known, for programs.
    pub cause: Option<Cause>,
}

/// What is behind a failure, where that is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cause {
    /// The task panicked.
    Panic {
        /// `FILE:LINE:COLUMN`, if the panic could be looked at.
        location: Option<String>,
        /// Where it came from, if `RUST_BACKTRACE` asks for that; cut like a message.
        backtrace: Option<String>,
    },
    /// The process that ran it exited with this status.
    Status(i32),
    /// The process that ran it was ended by this signal.
    Signal(i32),
    /// The item, or its result, could not be put into bytes or read from them.
    Codec,
}

impl Failure {
    /// A failure with its message cut to [`MESSAGE_BYTES`].
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self { kind, message: cut(message.into()), cause: None }
    }

    /// The same, with everything cut that is longer than [`MESSAGE_BYTES`].
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

    /// The same, and what is behind it.
    #[must_use]
    pub fn because(self, cause: Option<Cause>) -> Self {
        Self { cause, ..self }
    }
}

/// Cuts what is longer than [`MESSAGE_BYTES`], with a mark.
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
    fn words_are_those_of_the_wire_and_the_output() {
        for kind in FailureKind::ALL {
            let json = serde_json::to_string(&kind).unwrap();
            assert_eq!(json, format!("\"{}\"", kind.as_str()));
        }
    }
}
