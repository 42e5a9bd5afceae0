//! `OUTPUT.resume`: what is known of an output that may be gone on with. It is
//! JSON, for people to read; whatever else is found in its place is refused.

use procession_task::FailureKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Of this form; another one is refused.
const VERSION: u32 = 1;
/// No record is longer, and no more than that is read of one.
pub(crate) const MAX_RECORD: usize = 1024 * 1024;
/// How much of what is wrong with one is said: it may quote all of it.
const SAID: usize = 300;

/// What is known of an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResumeRecord {
    /// The form of this record.
    pub(crate) version: u32,
    pub(crate) state: RecordState,
    /// What the output is of: a job with any other is not the same.
    pub(crate) job: JobSettings,
    /// How much of it is done.
    pub(crate) done: OutputProgress,
}

/// Whether there is more to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RecordState {
    Interrupted,
    Complete,
}

/// A job, by everything that its output's bytes depend on beside the input:
/// names and values, as people gave them.
pub(crate) type JobSettings = BTreeMap<String, String>;

/// How far an output is complete.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutputProgress {
    /// How many items are complete, failed ones with their records among them.
    pub(crate) items: u64,
    /// How many bytes of the output they are, a header included.
    pub(crate) bytes: u64,
    /// The hash of these items in the input.
    pub(crate) input: Digest,
    /// The hash of these bytes of the output.
    pub(crate) output: Digest,
    /// How many of them failed, by kind.
    pub(crate) failed: BTreeMap<FailureKind, u64>,
}

/// What an earlier run had done of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PriorProgress {
    /// How many items, failed ones among them.
    pub items: u64,
    /// How many of them failed.
    pub failures: u64,
}

/// A number of items, and what they were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConsumedInput {
    pub(crate) items: u64,
    pub(crate) hash: u128,
}

/// An XXH3-128, written as 32 digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Digest(pub(crate) u128);

/// Why something is no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResumeRecordError {
    /// Too long to be one.
    #[error("it is longer than a record can be")]
    TooLong,
    /// Of a form that this version does not know.
    #[error("its version is {0}, and this program knows {VERSION}")]
    Version(u32),
    /// Anything else.
    #[error("{0}")]
    Malformed(String),
}

impl ResumeRecord {
    pub(crate) fn new(state: RecordState, job: JobSettings, done: OutputProgress) -> Self {
        Self { version: VERSION, state, job, done }
    }

    /// Reads a record; whatever it is given, memory stays bounded.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &[u8]) -> Result<Self, ResumeRecordError> {
        /// Looked at first: another version may have other fields.
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        if text.len() > MAX_RECORD {
            return Err(ResumeRecordError::TooLong);
        }
        let malformed = |error: serde_json::Error| ResumeRecordError::Malformed(short(&error.to_string()));
        let Head { version } = serde_json::from_slice(text).map_err(malformed)?;
        if version != VERSION {
            return Err(ResumeRecordError::Version(version));
        }
        let record: Self = serde_json::from_slice(text).map_err(malformed)?;
        record.check()?;
        Ok(record)
    }

    /// What can't be is not believed.
    fn check(&self) -> Result<(), ResumeRecordError> {
        let malformed = |what: &str| Err(ResumeRecordError::Malformed(what.to_owned()));
        if self.done.failures() > self.done.items {
            return malformed("more items failed than there are");
        }
        if self.state == RecordState::Interrupted && self.done.items == 0 && self.done.bytes > 0 {
            return malformed("no items, but bytes");
        }
        Ok(())
    }

    /// As it is written; `None` if it would be longer than a record may be.
    #[doc(hidden)]
    #[must_use]
    pub fn to_text(&self) -> Option<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self).ok()?;
        text.push(b'\n');
        (text.len() <= MAX_RECORD).then_some(text)
    }
}

/// Both ends of a text: a parser says last where it stopped.
fn short(text: &str) -> String {
    let count = text.chars().count();
    if count <= SAID {
        return text.to_owned();
    }
    let begin: String = text.chars().take(SAID * 2 / 3).collect();
    let end: String = text.chars().skip(count - SAID / 3).collect();
    format!("{begin}…{end}")
}

impl OutputProgress {
    pub(crate) fn consumed(&self) -> ConsumedInput {
        ConsumedInput { items: self.items, hash: self.input.0 }
    }

    pub(crate) fn failures(&self) -> u64 {
        self.failed.values().fold(0, |sum, &count| sum.saturating_add(count))
    }

    pub(crate) fn summary(&self) -> PriorProgress {
        PriorProgress { items: self.items, failures: self.failures() }
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        format!("{:032x}", digest.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let is_digest = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let number = u128::from_str_radix(&text, 16).ok().filter(|_| is_digest);
        number.map(Self).ok_or("a digest is 32 hexadecimal digits")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> ResumeRecord {
        let job = [("task", "sqrt"), ("format", "tsv")].map(|(k, v)| (k.to_owned(), v.to_owned()));
        let progress = OutputProgress {
            items: 7,
            bytes: 90,
            input: Digest(5),
            output: Digest(u128::MAX),
            failed: [(FailureKind::Invalid, 2), (FailureKind::TimedOut, 1)].into(),
        };
        ResumeRecord::new(RecordState::Interrupted, job.into(), progress)
    }

    #[test]
    fn what_is_written_is_read() {
        let text = record().to_text().unwrap();
        assert_eq!(ResumeRecord::parse(&text), Ok(record()));
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("\"timed-out\": 1") && text.contains("\"state\": \"interrupted\""), "{text}");
    }

    #[test]
    fn whatever_else_is_refused_and_never_panics() {
        let text = String::from_utf8(record().to_text().unwrap()).unwrap();
        for (from, to) in [
            ("\"items\": 7", "\"items\": -7"),
            ("\"items\": 7", "\"items\": 2"),
            ("\"items\": 7", "\"items\": 7, \"items\": 7"),
            ("\"items\": 7", "\"things\": 7"),
            ("\"items\": 7", "\"items\": 7, \"more\": 1"),
            ("\"items\": 7", "\"items\": 99999999999999999999"),
            ("ffffffff", "+fffffff"),
            ("ffffffff", "fffffff"),
            ("interrupted", "odd"),
            ("\"invalid\": 2", "\"invalid\": 18446744073709551615"),
            ("\"invalid\"", "\"bored\""),
        ] {
            let changed = text.replacen(from, to, 1);
            assert_ne!(changed, text, "{from}");
            assert!(ResumeRecord::parse(changed.as_bytes()).is_err(), "{to}");
        }
        for end in 0..text.trim_end().len() {
            assert!(ResumeRecord::parse(&text.as_bytes()[..end]).is_err());
        }
        let newer = text.replacen("\"version\": 1", "\"version\": 2, \"new\": []", 1);
        assert_eq!(ResumeRecord::parse(newer.as_bytes()), Err(ResumeRecordError::Version(2)));
        assert_eq!(ResumeRecord::parse(&vec![b' '; MAX_RECORD + 1]), Err(ResumeRecordError::TooLong));
        assert!(ResumeRecord::parse("[".repeat(MAX_RECORD).as_bytes()).is_err());
    }

    #[test]
    fn of_a_long_mistake_only_the_ends_are_shown() {
        let text = format!("{{\"version\":1,\"{}\":1}}", "ä".repeat(100_000));
        let Err(error) = ResumeRecord::parse(text.as_bytes()) else { panic!("it has no job") };
        let shown = error.to_string();
        assert!(shown.starts_with("unknown field `ää") && shown.contains("at line 1 column"), "{shown}");
        assert!(shown.chars().count() <= SAID + 1, "{}", shown.len());
    }
}
