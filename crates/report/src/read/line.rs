//! A line about items, as it stands in a log.

use super::malformed;
use crate::runlog::{ChunkLine, LogError, NoteLine};
use base64::Engine as _;
use procession_task::escape_terminal;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::path::Path;

/// One line of a process's file.
#[derive(Clone, Debug)]
pub enum Line<'a> {
    /// About an item.
    Item(ItemLine<'a>),
    /// About a part of a chunk.
    Chunk(ChunkLine<'a>),
    /// For the reader.
    Note(NoteLine),
}

/// What a line tells of an item.
#[derive(Clone, Debug, Deserialize)]
pub struct ItemLine<'a> {
    /// Its index in the input, from 0.
    pub item: u64,
    /// The item, if it is text; perhaps cut.
    #[serde(default, borrow)]
    pub input: Option<Cow<'a, str>>,
    /// The item in base64, if it is not text; perhaps cut.
    #[serde(default, borrow)]
    pub input_base64: Option<Cow<'a, str>>,
    /// Its true length in bytes, if it was cut.
    #[serde(default)]
    pub input_bytes: Option<u64>,
    /// The process that ran it.
    pub pid: u32,
    /// Where that ran.
    #[serde(borrow)]
    pub host: Cow<'a, str>,
    /// The process's place in the pool, from 0.
    pub worker: u32,
    /// The chunk that it was part of.
    pub chunk: u64,
    /// How many times it was sent.
    pub attempt: u32,
    /// When it started, in microseconds since the run's start.
    pub start_us: f64,
    /// How long it took, in microseconds.
    pub duration_us: f64,
    /// Its result as JSON, if it is text, a number or a boolean; perhaps cut.
    #[serde(default, borrow)]
    pub output: Option<&'a RawValue>,
    /// Its result in base64, if it is not text; perhaps cut.
    #[serde(default, borrow)]
    pub output_base64: Option<Cow<'a, str>>,
    /// Its result's true length in bytes, if it was cut.
    #[serde(default)]
    pub output_bytes: Option<u64>,
    /// What happened to it instead.
    #[serde(default, borrow)]
    pub error: Option<ItemError<'a>>,
}

/// What happened to an item that has no result.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ItemError<'a> {
    /// The word for it.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// What was said about it.
    #[serde(borrow)]
    pub message: Cow<'a, str>,
}

impl<'a> Line<'a> {
    /// Reads a line of the file at `path`.
    ///
    /// # Errors
    /// It is none of the lines that a log holds.
    pub fn parse(line: &'a [u8], path: &Path) -> Result<Self, LogError> {
        let parsed = if line.starts_with(b"{\"chunk\":") {
            serde_json::from_slice(line).map(Self::Chunk)
        } else if line.starts_with(b"{\"note\":") {
            serde_json::from_slice(line).map(Self::Note)
        } else {
            serde_json::from_slice(line).map(Self::Item)
        };
        parsed.map_err(|error| malformed(path, &error))
    }
}

impl ItemLine<'_> {
    /// The item's bytes; `None` if the log holds only their beginning.
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

    /// The item, or its beginning, safe for a terminal.
    #[must_use]
    pub fn shown_input(&self) -> String {
        let mark = if self.input_bytes.is_some() { "…" } else { "" };
        shown(self.input.as_deref(), self.input_base64.as_deref()) + mark
    }

    /// Its result or error, safe for a terminal.
    #[must_use]
    pub fn shown_outcome(&self) -> String {
        if let Some(ItemError { kind, message }) = &self.error {
            return escape_terminal(format!("{kind}: {message}").as_bytes());
        }
        let json = self.output.map(RawValue::get);
        let text = json.map(|json| serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()));
        let mark = if self.output_bytes.is_some() { "…" } else { "" };
        shown(text.as_deref(), self.output_base64.as_deref()) + mark
    }
}

/// Text, or bytes in base64, safe for a terminal.
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

/// The index at the head of an item's line, without reading the rest.
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
        match Line::parse(line, Path::new("f")).unwrap() {
            Line::Item(item) => item,
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
        assert_eq!(read(&line).whole_input(), None);
        assert_eq!(read(&line).shown_input(), "y".repeat(256) + "…");
    }

    #[test]
    fn results_keep_their_digits() {
        let line = samples::line(samples::who(0, 0, 1), 0, 3, b"4");
        assert_eq!(read(line.trim_end().as_bytes()).shown_outcome(), "2.0");
    }

    #[test]
    fn other_lines() {
        let part = samples::accepted(samples::who(2, 0, 5), 9, 100, 4);
        let json = serde_json::to_vec(&ChunkLine::new(&part, "h")).unwrap();
        let Line::Chunk(chunk) = Line::parse(&json, Path::new("f")).unwrap() else { panic!() };
        assert_eq!(chunk, ChunkLine::new(&part, "h"));
        assert!(matches!(Line::parse(b"{\"note\":\"n\"}", Path::new("f")), Ok(Line::Note(_))));
        assert!(matches!(Line::parse(b"{\"item\":1}", Path::new("f")), Err(LogError::Malformed { .. })));
        assert_eq!(item_index(&json), None);
    }
}
