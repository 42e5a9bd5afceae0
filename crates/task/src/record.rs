//! Output records: one line for each item in one of four formats, and two formats
//! for programs.

use crate::{FRAME_BYTES, Failure};
use base64::Engine as _;
use serde::{Deserialize, Serialize};

/// The first line of a csv output.
pub const CSV_HEADER: &[u8] = b"index,input,output,error\n";

/// How a result is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// `INPUT<TAB>RESULT`, with tab, newline, carriage return and backslash escaped.
    Tsv,
    /// RFC 4180, with lines that end in a line feed.
    Csv,
    /// One JSON object for each line.
    Jsonl,
    /// Only the result, with its line feeds and carriage returns written as `\n` and
    /// `\r`, so that each item has one line.
    Lines,
    /// Only the result, unchanged; nothing for a failed item.
    Raw,
    /// The result after its length (four bytes, little-endian). A failed item has
    /// [`NO_RESULT`] as its length.
    Framed,
    /// As [`Self::Csv`], with `'` before cells that a spreadsheet would take for
    /// formulas.
    SafeCsv,
}

/// The length in a framed record without a result.
pub const NO_RESULT: u32 = u32::MAX;

/// One item and its outcome.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The index of the item in the input, from 0.
    pub index: u64,
    /// The item.
    pub input: &'a [u8],
    /// The result or the failure.
    pub outcome: Result<ResultText<'a>, &'a Failure>,
}

/// A result's text.
#[derive(Clone, Copy, Debug)]
pub struct ResultText<'a> {
    /// The text.
    pub text: &'a [u8],
    /// Whether the text is a JSON value as it is.
    pub is_json: bool,
}

impl Format {
    /// Every format with its name.
    pub const ALL: [(&'static str, Self); 4] =
        [("tsv", Self::Tsv), ("csv", Self::Csv), ("jsonl", Self::Jsonl), ("lines", Self::Lines)];

    /// The format with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().find(|(known, _)| *known == name).map(|(_, format)| *format)
    }

    /// The name. Those of [`Self::ALL`] are also file name extensions.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::SafeCsv => "csv with --csv-safe",
            _ => Self::ALL.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name),
        }
    }

    /// The text before the first record.
    #[must_use]
    pub fn header(self) -> &'static [u8] {
        if matches!(self, Self::Csv | Self::SafeCsv) { CSV_HEADER } else { b"" }
    }

    /// Whether a reader can tell the records of failed items from others.
    #[must_use]
    pub fn shows_failures(self) -> bool {
        matches!(self, Self::Tsv | Self::Csv | Self::SafeCsv | Self::Jsonl)
    }

    /// Appends the beginning of an item's record: everything before its outcome.
    /// Formats without it append nothing.
    pub fn write_head(self, out: &mut Vec<u8>, index: u64, input: &[u8]) {
        match self {
            Self::Tsv => write_tsv_head(out, input),
            Self::Csv => write_csv_head(out, index, input, push_csv),
            Self::SafeCsv => write_csv_head(out, index, input, push_safe_csv),
            Self::Jsonl => write_jsonl_head(out, index, input),
            Self::Lines | Self::Raw | Self::Framed => {}
        }
    }

    /// Appends a record, including its end of line.
    pub fn write(self, out: &mut Vec<u8>, record: &Record<'_>) {
        match self {
            Self::Tsv => write_tsv(out, record),
            Self::Csv => write_csv(out, record, push_csv),
            Self::SafeCsv => write_csv(out, record, push_safe_csv),
            Self::Jsonl => write_jsonl(out, record),
            Self::Lines => {
                if let Ok(output) = record.outcome {
                    push_line(out, output.text);
                }
                out.push(b'\n');
            }
            Self::Raw => {
                if let Ok(output) = record.outcome {
                    out.extend_from_slice(output.text);
                }
            }
            Self::Framed => write_framed(out, record),
        }
    }
}

fn write_framed(out: &mut Vec<u8>, record: &Record<'_>) {
    // A result is bounded by a frame's length, far below 4 GiB.
    let length = record.outcome.map_or(NO_RESULT, |output| u32::try_from(output.text.len()).unwrap_or(NO_RESULT));
    out.reserve(FRAME_BYTES + record.outcome.map_or(0, |output| output.text.len()));
    out.extend_from_slice(&length.to_le_bytes());
    if let Ok(output) = record.outcome {
        out.extend_from_slice(output.text);
    }
}

fn write_tsv_head(out: &mut Vec<u8>, input: &[u8]) {
    push_tsv(out, input);
    out.push(b'\t');
}

fn write_tsv(out: &mut Vec<u8>, record: &Record<'_>) {
    write_tsv_head(out, record.input);
    match record.outcome {
        Ok(output) => push_tsv(out, output.text),
        Err(failure) => {
            out.push(b'\t');
            push_tsv(out, failure.to_string().as_bytes());
        }
    }
    out.push(b'\n');
}

fn write_csv_head(out: &mut Vec<u8>, index: u64, input: &[u8], push: fn(&mut Vec<u8>, &[u8])) {
    push_number(out, index);
    out.push(b',');
    push(out, input);
    out.push(b',');
}

fn write_csv(out: &mut Vec<u8>, record: &Record<'_>, push: fn(&mut Vec<u8>, &[u8])) {
    write_csv_head(out, record.index, record.input, push);
    match record.outcome {
        Ok(output) => {
            push(out, output.text);
            out.push(b',');
        }
        Err(failure) => {
            out.push(b',');
            push(out, failure.to_string().as_bytes());
        }
    }
    out.push(b'\n');
}

fn write_jsonl_head(out: &mut Vec<u8>, index: u64, input: &[u8]) {
    out.extend_from_slice(b"{\"index\":");
    push_number(out, index);
    push_json_bytes(out, "input", input);
}

fn write_jsonl(out: &mut Vec<u8>, record: &Record<'_>) {
    write_jsonl_head(out, record.index, record.input);
    match record.outcome {
        Ok(output) if output.is_json => {
            out.extend_from_slice(b",\"output\":");
            out.extend_from_slice(output.text);
        }
        Ok(output) => push_json_bytes(out, "output", output.text),
        Err(failure) => push_json_error(out, failure),
    }
    out.extend_from_slice(b"}\n");
}

pub(crate) fn push_number(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a tsv field with its escapes.
pub(crate) fn push_tsv(out: &mut Vec<u8>, field: &[u8]) {
    for &byte in field {
        match byte {
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            _ => out.push(byte),
        }
    }
}

/// Whether a tsv field made of these bytes needs no escapes.
pub(crate) fn is_plain_tsv(bytes: &[u8]) -> bool {
    memchr::memchr3(b'\t', b'\r', b'\\', bytes).is_none() && memchr::memchr(b'\n', bytes).is_none()
}

fn push_line(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = memchr::memchr2(b'\n', b'\r', rest) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(if rest[at] == b'\n' { b"\\n" } else { b"\\r" });
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
}

fn push_csv(out: &mut Vec<u8>, field: &[u8]) {
    let needs_quotes = |b: &u8| matches!(b, b'"' | b',' | b'\n' | b'\r');
    if !field.iter().any(needs_quotes) {
        return out.extend_from_slice(field);
    }
    out.push(b'"');
    for &byte in field {
        if byte == b'"' {
            out.push(b'"');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// As [`push_csv`], with `'` before what a spreadsheet would take for a formula. A
/// number is none, also with a sign.
fn push_safe_csv(out: &mut Vec<u8>, field: &[u8]) {
    let is_number = || std::str::from_utf8(field).is_ok_and(|text| text.parse::<f64>().is_ok());
    if matches!(field, [b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r', ..]) && !is_number() {
        push_csv(out, &[b"'", field].concat());
    } else {
        push_csv(out, field);
    }
}

/// Appends `,"NAME":"…"`, or `,"NAME_base64":"…"` for bytes that are not UTF-8.
pub(crate) fn push_json_bytes(out: &mut Vec<u8>, name: &str, bytes: &[u8]) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    if is_plain_json(bytes) {
        out.extend_from_slice(b"\":\"");
        out.extend_from_slice(bytes);
        out.push(b'"');
        return;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => {
            out.extend_from_slice(b"\":");
            push_json_string(out, text);
        }
        Err(_) => {
            out.extend_from_slice(b"_base64\":\"");
            out.extend_from_slice(base64::engine::general_purpose::STANDARD.encode(bytes).as_bytes());
            out.push(b'"');
        }
    }
}

pub(crate) fn push_json_error(out: &mut Vec<u8>, failure: &Failure) {
    out.extend_from_slice(b",\"error\":{\"kind\":\"");
    out.extend_from_slice(failure.kind.as_str().as_bytes());
    out.extend_from_slice(b"\",\"message\":");
    push_json_string(out, &failure.message);
    out.push(b'}');
}

/// Appends a JSON string. Nearly all strings are plain and need no serializer.
pub(crate) fn push_json_string(out: &mut Vec<u8>, text: &str) {
    if is_plain_json(text.as_bytes()) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        // Writing a string into memory cannot fail.
        let _ = serde_json::to_writer(out, text);
    }
}

/// Whether these bytes need no escapes in a JSON string: printable ASCII without
/// quotes and backslashes.
fn is_plain_json(bytes: &[u8]) -> bool {
    bytes.iter().all(|&b| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\')
}

/// Makes text from items and workers safe for a terminal: control characters (C0,
/// DEL, C1), bidirectional controls and bytes that are not UTF-8 become escapes.
#[must_use]
pub fn escape_terminal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\n' => text.push_str("\\n"),
                '\t' => text.push_str("\\t"),
                '\r' => text.push_str("\\r"),
                c if c.is_control() || is_invisible(c) => text.push_str(&format!("\\u{{{:x}}}", c as u32)),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// Marks that are not seen and change how a text is read: a byte-order mark inside
/// a text, directions, and separators of lines.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{feff}' | '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FailureKind;

    fn written(format: Format, input: &[u8], outcome: Result<(&[u8], bool), &Failure>) -> String {
        let outcome = outcome.map(|(text, is_json)| ResultText { text, is_json });
        let mut out = Vec::new();
        format.write(&mut out, &Record { index: 3, input, outcome });
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn formula_cells_are_quoted_if_asked() {
        let text = |text| Ok((text, false));
        for (cell, safe) in [
            (&b"=1+2"[..], "'=1+2"),
            (b"@SUM(A1)", "'@SUM(A1)"),
            (b"-1+cmd", "'-1+cmd"),
            (b"+x,y", "\"'+x,y\""),
            (b"\tx", "'\tx"),
            (b"-1.5e3", "-1.5e3"),
            (b"a=b", "a=b"),
            (b"", ""),
        ] {
            assert_eq!(written(Format::SafeCsv, cell, text(cell)), format!("3,{safe},{safe},\n"));
        }
        assert_eq!(written(Format::Csv, b"=1", text(b"=1")), "3,=1,=1,\n");
        assert_eq!(Format::SafeCsv.header(), CSV_HEADER);
    }

    #[test]
    fn values() {
        let value = Ok((&b"1.5"[..], true));
        assert_eq!(written(Format::Tsv, b"2", value), "2\t1.5\n");
        assert_eq!(written(Format::Csv, b"2", value), "3,2,1.5,\n");
        assert_eq!(written(Format::Jsonl, b"2", value), "{\"index\":3,\"input\":\"2\",\"output\":1.5}\n");
        assert_eq!(written(Format::Lines, b"2", value), "1.5\n");
    }

    #[test]
    fn failures() {
        let failure = Failure::new(FailureKind::Invalid, "not a number, \"x\"");
        let no = Err(&failure);
        assert_eq!(written(Format::Tsv, b"x", no), "x\t\tinvalid: not a number, \"x\"\n");
        assert_eq!(written(Format::Csv, b"x", no), "3,x,,\"invalid: not a number, \"\"x\"\"\"\n");
        assert_eq!(
            written(Format::Jsonl, b"x", no),
            "{\"index\":3,\"input\":\"x\",\"error\":{\"kind\":\"invalid\",\"message\":\"not a number, \\\"x\\\"\"}}\n"
        );
        assert_eq!(written(Format::Lines, b"x", no), "\n");
    }

    #[test]
    fn odd_bytes() {
        let text = Ok((&b"a\tb\nc\r\\"[..], false));
        assert_eq!(written(Format::Tsv, b"\\\t", text), "\\\\\\t\ta\\tb\\nc\\r\\\\\n");
        assert_eq!(written(Format::Csv, b"a,b", Ok((b"l1\nl2", false))), "3,\"a,b\",\"l1\nl2\",\n");
        assert_eq!(written(Format::Lines, b"x", Ok((b"a\r\nb\\", false))), "a\\r\\nb\\\n");
        let json = written(Format::Jsonl, b"\xff\xfe", Ok(("é\u{1}".as_bytes(), false)));
        assert_eq!(json, "{\"index\":3,\"input_base64\":\"//4=\",\"output\":\"é\\u0001\"}\n");
    }

    #[test]
    fn terminals_get_no_controls() {
        let hostile = "a\u{1b}[31mb\u{9b}\u{202e}c\u{7f}\n".as_bytes();
        assert_eq!(escape_terminal(hostile), "a\\u{1b}[31mb\\u{9b}\\u{202e}c\\u{7f}\\n");
        assert_eq!(escape_terminal(b"ok\xff"), "ok\\xff");
    }
}
