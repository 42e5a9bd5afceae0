//! Parses a line about items.

use crate::log::error::LogError;
use crate::model::chunk_line::{AttemptLine, ChunkLine, NoteLine};
use base64::Engine as _;
use procession_task::escape_terminal;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::path::Path;

/// A line in the file of a process.
#[derive(Clone, Debug)]
pub enum LogLine<'a> {
    /// About an item.
    Item(ItemLine<'a>),
    /// About a part of a chunk.
    Chunk(ChunkLine<'a>),
    /// About an attempt without an outcome.
    Attempt(AttemptLine<'a>),
    /// A note for the reader.
    Note(NoteLine),
}

/// A line about an item.
#[derive(Clone, Debug, Deserialize)]
pub struct ItemLine<'a> {
    /// The item's index in the input, from 0.
    pub item: u64,
    /// The item if it is text; may be cut.
    #[serde(default, borrow)]
    pub input: Option<Cow<'a, str>>,
    /// The item in base64 if it is not text; may be cut.
    #[serde(default, borrow)]
    pub input_base64: Option<Cow<'a, str>>,
    /// The item's full length in bytes, if it was cut.
    #[serde(default)]
    pub input_bytes: Option<u64>,
    /// The process that ran it.
    pub pid: u32,
    /// The host of that process.
    #[serde(borrow)]
    pub host: Cow<'a, str>,
    /// The process's slot in the pool, from 0.
    pub worker: u32,
    /// The item's chunk.
    pub chunk: u64,
    /// How many times the item was sent, counting from 1.
    pub attempt: u32,
    /// When it started, in microseconds since the run's start.
    pub start_us: f64,
    /// How long it took, in microseconds.
    pub duration_us: f64,
    /// The result as JSON, if it is text, a number or a boolean; may be cut.
    #[serde(default, borrow)]
    pub output: Option<&'a RawValue>,
    /// The result in base64, if it is not text; may be cut.
    #[serde(default, borrow)]
    pub output_base64: Option<Cow<'a, str>>,
    /// The result's full length in bytes, if it was cut.
    #[serde(default)]
    pub output_bytes: Option<u64>,
    /// The exit status of the process that ran it, if it failed with one.
    #[serde(default)]
    pub exit_status: Option<i32>,
    /// The signal that killed the process that ran it, if it failed so.
    #[serde(default)]
    pub signal: Option<i32>,
    /// The error, if there is no result.
    #[serde(default, borrow)]
    pub error: Option<LoggedError<'a>>,
}

/// Why an item has no result.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LoggedError<'a> {
    /// The kind of failure.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// The error message.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

impl<'a> LogLine<'a> {
    /// Parses a line of the file at `path`.
    ///
    /// # Errors
    /// It is not a line of a log.
    pub fn parse(line: &'a [u8], path: &Path) -> Result<Self, LogError> {
        let parsed = if line.starts_with(b"{\"chunk\":") {
            serde_json::from_slice(line).map(Self::Chunk)
        } else if line.starts_with(b"{\"items\":") {
            serde_json::from_slice(line).map(Self::Attempt)
        } else if line.starts_with(b"{\"note\":") {
            serde_json::from_slice(line).map(Self::Note)
        } else {
            serde_json::from_slice(line).map(Self::Item)
        };
        parsed.map_err(|error| LogError::malformed(path, &error))
    }
}

impl ItemLine<'_> {
    /// The item's bytes; `None` if the log contains only the beginning.
    #[must_use]
    pub fn whole_input(&self) -> Option<Vec<u8>> {
        if self.input_bytes.is_some() {
            return None;
        }
        match (&self.input, &self.input_base64) {
            (Some(text), _) => Some(text.as_bytes().to_vec()),
            (None, Some(encoded)) => base64::engine::general_purpose::STANDARD.decode(encoded.as_bytes()).ok(),
            (None, None) => None,
        }
    }

    /// The item or its beginning, escaped for a terminal.
    #[must_use]
    pub fn shown_input(&self) -> String {
        let mark = if self.input_bytes.is_some() { "…" } else { "" };
        shown(self.input.as_deref(), self.input_base64.as_deref()) + mark
    }

    /// The result or the error, escaped for a terminal.
    #[must_use]
    pub fn shown_outcome(&self) -> String {
        if let Some(LoggedError { kind, message }) = &self.error {
            return escape_terminal(format!("{kind}: {message}").as_bytes());
        }
        let json = self.output.map(RawValue::get);
        let text = json.map(|json| serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()));
        let mark = if self.output_bytes.is_some() { "…" } else { "" };
        shown(text.as_deref(), self.output_base64.as_deref()) + mark
    }
}

/// Text, or decoded base64, escaped for a terminal.
fn shown(text: Option<&str>, encoded: Option<&str>) -> String {
    match (text, encoded) {
        (Some(text), _) => escape_terminal(text.as_bytes()),
        (None, Some(encoded)) => match base64::engine::general_purpose::STANDARD.decode(encoded) {
            Ok(bytes) => escape_terminal(&bytes),
            Err(_) => escape_terminal(encoded.as_bytes()),
        },
        (None, None) => String::new(),
    }
}

/// The index at the beginning of an item's line, without parsing the rest.
#[doc(hidden)]
#[must_use]
pub fn item_index(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(b"{\"item\":")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    std::str::from_utf8(&digits[..end]).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples;
    use procession_task::{CoordinatorLine, Failure, FailureKind, Identity};

    fn written(input: &[u8], message: &str) -> Vec<u8> {
        let failure = Failure::new(FailureKind::Crashed, message);
        let line =
            CoordinatorLine { item: 7, input, chunk: 1, attempt: 3, span_ns: (1500, 3_000_250), failure: &failure };
        let mut out = Vec::new();
        Identity::new(42, "h\"ost", 1).write_for_dead(&mut out, &line);
        assert_eq!(out.pop(), Some(b'\n'));
        out
    }

    fn read(line: &[u8]) -> ItemLine<'_> {
        match LogLine::parse(line, Path::new("f")).unwrap() {
            LogLine::Item(item) => item,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let line = written(b"in\n", "killed");
        let item = read(&line);
        assert_eq!((item.item, item.pid, item.worker, item.chunk, item.attempt), (7, 42, 1, 1, 3));
        assert_eq!((item.start_us, item.duration_us, &*item.host), (1.5, 2998.75, "h\"ost"));
        assert_eq!(item.whole_input().unwrap(), b"in\n");
        assert_eq!(item.shown_outcome(), "crashed: killed");
        assert_eq!(item_index(&line), Some(7));
    }

    #[test]
    fn bytes_and_cut_inputs() {
        let line = written(b"\xff\x1b", "x");
        assert_eq!(read(&line).whole_input().unwrap(), b"\xff\x1b");
        assert_eq!(read(&line).shown_input(), "\\xff\\u{1b}");
        let line = written(&[b'y'; 300], "x");
        assert_eq!(read(&line).whole_input().unwrap(), [b'y'; 300], "it can be run again");
        let line = samples::line(samples::who(0, 0, 1), 0, 3, &[b'4'; 300]);
        let line = line.trim_end().as_bytes();
        assert_eq!(read(line).whole_input(), None);
        assert_eq!(read(line).shown_input(), "4".repeat(256) + "…");
    }

    #[test]
    fn results_keep_their_digits() {
        let line = samples::line(samples::who(0, 0, 1), 0, 3, b"4");
        assert_eq!(read(line.trim_end().as_bytes()).shown_outcome(), "2.0");
    }

    #[test]
    fn chunk_and_note_lines_are_parsed() {
        let part = samples::accepted(samples::who(2, 0, 5), 9, 100, 4);
        let json = serde_json::to_vec(&ChunkLine::new(&part, "h")).unwrap();
        let LogLine::Chunk(chunk) = LogLine::parse(&json, Path::new("f")).unwrap() else { panic!() };
        assert_eq!(chunk, ChunkLine::new(&part, "h"));
        let lost = samples::attempt_lost(samples::who(2, 0, 5), 7, 3);
        let json = serde_json::to_vec(&AttemptLine::new(&lost, "h").unwrap()).unwrap();
        let LogLine::Attempt(attempt) = LogLine::parse(&json, Path::new("f")).unwrap() else { panic!() };
        assert_eq!((attempt.item, attempt.items, attempt.pid, attempt.attempt), (7, 3, 5, 1));
        assert_eq!((attempt.start_us, attempt.duration_us, &*attempt.error.kind), (20_000.0, 30_000.0, "crashed"));
        assert!(matches!(LogLine::parse(b"{\"note\":\"n\"}", Path::new("f")), Ok(LogLine::Note(_))));
        assert!(matches!(LogLine::parse(b"{\"item\":1}", Path::new("f")), Err(LogError::Malformed { .. })));
        assert_eq!(item_index(&json), None);
    }
}
