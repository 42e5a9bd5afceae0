//! The content of `OUTPUT.resume`: what is known of an output that may be
//! resumed. It is JSON, so that people can read it. Any other content is
//! refused.

use procession_task::FailureKind;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the format. A record of another version is refused.
const VERSION: u32 = 1;
/// The largest size of a record in bytes; no more is read.
pub(crate) const MAX_RECORD: usize = 1024 * 1024;
/// The largest length of a parser's message in characters: it may quote the
/// whole file.
const SAID: usize = 300;

/// What is known of an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResumeRecord {
    /// The version of the format.
    pub(crate) version: u32,
    pub(crate) state: RecordState,
    /// The settings of the job. The output can't be resumed with other
    /// settings.
    pub(crate) job: JobSettings,
    /// How far the output is complete.
    pub(crate) done: OutputProgress,
    /// How far it is complete once it was replaced by an output that is ready. Until
    /// the next record, the output's bytes tell which of the two holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) next: Option<OutputProgress>,
    /// The log folder of the call that has written it last, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) log: Option<String>,
}

/// Whether the output is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RecordState {
    Interrupted,
    Complete,
}

/// All settings of a job that the bytes of its output depend on, besides the
/// input: names and values as on the command line.
pub(crate) type JobSettings = BTreeMap<String, String>;

/// How far an output is complete.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutputProgress {
    /// How many items are complete, including failed ones with their records.
    pub(crate) items: u64,
    /// The size of their results in the output in bytes, including a header.
    pub(crate) bytes: u64,
    /// The hash of these items in the input.
    pub(crate) input: Digest,
    /// The hash of these bytes of the output.
    pub(crate) output: Digest,
    /// How many of the items failed, by kind.
    pub(crate) failed: BTreeMap<FailureKind, u64>,
}

/// What earlier runs have completed of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PriorProgress {
    /// How many items, including failed ones.
    pub items: u64,
    /// How many of the items failed and are left as they are.
    pub failures: u64,
    /// How many of the items failed and are run again.
    pub retried: u64,
}

/// The first items of an input: their number and their hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ConsumedInput {
    pub(crate) items: u64,
    pub(crate) hash: u128,
}

/// An XXH3-128 hash, written as 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub(crate) struct Digest(pub(crate) u128);

/// Why a file is not a resume record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResumeRecordError {
    /// The file is larger than a record can be.
    #[error("it is longer than a record can be")]
    TooLong,
    /// The record has a version that this program does not know.
    #[error("its version is {0}; this program knows version {VERSION}")]
    Version(u32),
    /// The file is not a valid record.
    #[error("{0}")]
    Malformed(String),
}

impl ResumeRecord {
    pub(crate) fn new(state: RecordState, job: JobSettings, done: OutputProgress) -> Self {
        Self { version: VERSION, state, job, done, next: None, log: None }
    }

    /// Parses a record. Memory is bounded, whatever the file contains.
    ///
    /// # Errors
    /// The file is not a valid record.
    pub fn parse(text: &[u8]) -> Result<Self, ResumeRecordError> {
        /// The version comes first: another version may have other fields.
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

    /// Refuses records that contradict themselves.
    fn check(&self) -> Result<(), ResumeRecordError> {
        let malformed = |what: &str| Err(ResumeRecordError::Malformed(what.to_owned()));
        if std::iter::once(&self.done).chain(&self.next).any(|done| done.failures() > done.items) {
            return malformed("more items failed than there are");
        }
        if self.state == RecordState::Interrupted && self.done.items == 0 && self.done.bytes > 0 {
            return malformed("no items, but bytes");
        }
        Ok(())
    }

    /// The record as JSON; `None` if it would be larger than 1 MiB.
    #[doc(hidden)]
    #[must_use]
    pub fn to_text(&self) -> Option<Vec<u8>> {
        let mut text = serde_json::to_vec_pretty(self).ok()?;
        text.push(b'\n');
        (text.len() <= MAX_RECORD).then_some(text)
    }
}

/// The beginning and the end of a long text: a parser's message ends with the
/// position.
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
        PriorProgress { items: self.items, failures: self.failures(), retried: 0 }
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
    fn a_written_record_can_be_parsed() {
        let text = record().to_text().unwrap();
        assert_eq!(ResumeRecord::parse(&text), Ok(record()));
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("\"timed-out\": 1") && text.contains("\"state\": \"interrupted\""), "{text}");
    }

    #[test]
    fn invalid_records_are_refused_without_a_panic() {
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
    fn a_long_parser_message_is_shortened() {
        let text = format!("{{\"version\":1,\"{}\":1}}", "ä".repeat(100_000));
        let Err(error) = ResumeRecord::parse(text.as_bytes()) else { panic!("it has no job") };
        let shown = error.to_string();
        assert!(shown.starts_with("unknown field `ää") && shown.contains("at line 1 column"), "{shown}");
        assert!(shown.chars().count() <= SAID + 1, "{}", shown.len());
    }
}
