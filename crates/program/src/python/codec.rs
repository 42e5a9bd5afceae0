//! Requests to the shim and its answers: lines in the format of `shim/serve.py`.

use crate::coprocess::{Asked, Codec, Said};
use procession_task::{Failure, FailureKind, TableFormat, TableSpec};
use serde::Serialize;

/// What a request holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RequestContent {
    /// The item's bytes.
    Text,
    /// The fields of a csv record: a JSON array of texts.
    Fields,
    /// A JSON record.
    Record,
    /// A field of a JSON record, as it is written.
    Value,
}

pub(super) struct ShimCodec {
    rule: RequestContent,
    /// How the fields of a record are read.
    table: Option<TableSpec>,
}

impl ShimCodec {
    pub(super) fn new(table: Option<&TableSpec>) -> Self {
        let rule = table.map_or(RequestContent::Text, |table| match (table.format, &table.column) {
            (TableFormat::Csv(_), Some(_)) => RequestContent::Text,
            (TableFormat::Csv(_), None) => RequestContent::Fields,
            (TableFormat::Jsonl, Some(_)) => RequestContent::Value,
            (TableFormat::Jsonl, None) => RequestContent::Record,
        });
        Self { rule, table: table.cloned().filter(|_| rule == RequestContent::Fields) }
    }

    pub(super) fn rule(&self) -> RequestContent {
        self.rule
    }
}

impl Codec for ShimCodec {
    const HAS_GREETING: bool = true;

    fn ask(&self, asked: &Asked<'_>, at_once: bool, line: &mut Vec<u8>) -> Result<(), Failure> {
        line.push(if at_once { b'!' } else { b' ' });
        match &self.table {
            Some(table) => push_fields(line, table, asked.item)?,
            None if self.rule == RequestContent::Value => push_escaped(line, asked.raw),
            None => push_escaped(line, asked.item),
        }
        line.push(b'\n');
        Ok(())
    }

    fn longest_answer(&self, max_result: usize) -> usize {
        // In the worst case each byte is escaped as two.
        max_result.saturating_mul(2).saturating_add(1)
    }

    fn read(&self, line: &[u8], text: &mut Vec<u8>) -> Result<Said, Failure> {
        let (kind, said) = line.split_first().unwrap_or((&0, b""));
        let from = text.len();
        push_plain(text, said);
        let kind = match kind {
            b'v' => return Ok(Said { is_json: true }),
            b's' => return Ok(Said { is_json: false }),
            b'f' => FailureKind::Failed,
            b'i' => FailureKind::Invalid,
            b'm' => FailureKind::OutOfMemory,
            _ => return Err(Failure::new(FailureKind::Failed, "its answer can't be understood")),
        };
        Err(Failure::new(kind, String::from_utf8_lossy(&text.split_off(from))))
    }

    fn item_type<'l>(&self, line: &'l [u8]) -> Option<std::borrow::Cow<'l, str>> {
        line.strip_prefix(b"t").map(String::from_utf8_lossy)
    }

    fn greeting(&self, line: &[u8]) -> Result<(), String> {
        match line.split_first() {
            Some((b'r', b"")) => Ok(()),
            Some((b'e', said)) => {
                let mut text = Vec::new();
                push_plain(&mut text, said);
                Err(String::from_utf8_lossy(&text).into_owned())
            }
            _ => Err("the first line of the Python shim can't be understood".to_owned()),
        }
    }
}

/// Appends the fields of a csv record as a JSON array of texts, escaped.
fn push_fields(line: &mut Vec<u8>, table: &TableSpec, record: &[u8]) -> Result<(), Failure> {
    let from = line.len();
    line.push(b'[');
    for field in table.fields(record).inspect_err(|_| line.truncate(from - 1))? {
        if line.len() > from + 1 {
            line.push(b',');
        }
        push_json_text(line, &field);
    }
    line.push(b']');
    Ok(())
}

/// Appends a JSON string whose backslashes are escaped for the line. Bytes that are
/// not UTF-8 stay as they are: the shim reads them as surrogates.
fn push_json_text(line: &mut Vec<u8>, text: &[u8]) {
    line.push(b'"');
    for &byte in text {
        match byte {
            b'"' => line.extend_from_slice(b"\\s\""),
            b'\\' => line.extend_from_slice(b"\\s\\s"),
            0..=0x1f => line.extend_from_slice(format!("\\su{byte:04x}").as_bytes()),
            _ => line.push(byte),
        }
    }
    line.push(b'"');
}

/// Appends bytes in escaped form, without line feeds.
fn push_escaped(line: &mut Vec<u8>, bytes: &[u8]) {
    let mut rest = bytes;
    while let Some(at) = memchr::memchr2(b'\\', b'\n', rest) {
        line.extend_from_slice(&rest[..at]);
        line.extend_from_slice(if rest[at] == b'\n' { b"\\n" } else { b"\\s" });
        rest = &rest[at + 1..];
    }
    line.extend_from_slice(rest);
}

/// Appends the bytes that [`push_escaped`] has escaped.
fn push_plain(text: &mut Vec<u8>, line: &[u8]) {
    let mut rest = line;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        text.extend_from_slice(&rest[..at]);
        text.push(if rest.get(at + 1) == Some(&b'n') { b'\n' } else { b'\\' });
        rest = rest.get(at + 2..).unwrap_or_default();
    }
    text.extend_from_slice(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping_is_reversible_and_leaves_no_line_feed() {
        for text in [&b""[..], b"\\", b"\n", b"\\n", b"a\\\\nb\n\\s", b"plain"] {
            let (mut line, mut back) = (Vec::new(), Vec::new());
            push_escaped(&mut line, text);
            push_plain(&mut back, &line);
            assert!(!line.contains(&b'\n') && back == text, "{text:?}");
        }
    }

    #[test]
    fn a_record_is_a_json_array_of_its_fields() {
        let table = TableSpec { format: TableFormat::Csv(b','), names: Vec::new(), column: None };
        let ask = |record: &[u8]| {
            let mut line = b"before".to_vec();
            let codec = ShimCodec::new(Some(&table));
            let asked = Asked { item: record, raw: record };
            codec.ask(&asked, false, &mut line).map(|()| line.clone()).map_err(|_| line)
        };
        let line = ask(b"7,\"a\"\"b\nc\",\\x,").unwrap();
        let mut plain = Vec::new();
        push_plain(&mut plain, &line);
        assert_eq!(plain, b"before [\"7\",\"a\\\"b\\u000ac\",\"\\\\x\",\"\"]\n");
        assert_eq!(ask(b"7,\"open").unwrap_err(), b"before", "nothing is sent");
    }
}
