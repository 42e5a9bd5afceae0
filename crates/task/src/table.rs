//! Tables: records of comma-separated values (RFC 4180) and of JSON values, a line
//! each. A coordinator finds the ends of records; a worker reads their fields.

use crate::outcome::{Failure, FailureKind};
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// What separates the fields of a record if it is not known.
const USUAL: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How the records of a table are read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableSpec {
    /// The format of the records.
    pub format: TableFormat,
    /// The names of the columns, if the table has a heading.
    pub names: Vec<String>,
    /// The field that is the item; without it, an item is a whole record.
    pub column: Option<Column>,
}

/// The format of a table's records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TableFormat {
    /// Fields between this byte, also in quotes.
    Csv(u8),
    /// A JSON value.
    Jsonl,
}

/// A field of a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Column {
    /// The field at this position, from 0.
    Position(u32),
    /// The value of this key.
    Key(String),
}

/// The position of a field in its record: with quotes, if it has some.
#[derive(Clone, Debug, PartialEq, Eq)]
struct RawField {
    range: Range<usize>,
    is_quoted: bool,
}

/// A field: where it stands in its record, and its value.
pub(crate) type Field<'r> = (Range<usize>, Cow<'r, [u8]>);

impl TableSpec {
    /// Whether the record is one of this table.
    ///
    /// # Errors
    /// It is not valid in its format.
    pub fn check(&self, record: &[u8]) -> Result<(), Failure> {
        match self.format {
            TableFormat::Jsonl => json::<IgnoredAny>(record).map(drop),
            TableFormat::Csv(_) if memchr::memchr(b'"', record).is_none() => Ok(()),
            TableFormat::Csv(delimiter) => raw_fields(record, delimiter).map(drop),
        }
    }

    /// The fields of a record, in order.
    ///
    /// # Errors
    /// The record is not valid, or JSON that is no array of values.
    pub fn fields<'r>(&self, record: &'r [u8]) -> Result<Vec<Cow<'r, [u8]>>, Failure> {
        match self.format {
            TableFormat::Csv(delimiter) => {
                Ok(raw_fields(record, delimiter)?.iter().map(|field| value(record, field)).collect())
            }
            TableFormat::Jsonl => {
                let values: Vec<&serde_json::value::RawValue> = json(record)?;
                values.into_iter().map(|raw| Ok(text_of(raw.get()))).collect()
            }
        }
    }

    /// The field of this column in a record.
    ///
    /// # Errors
    /// The record is not valid, or has no such field.
    pub fn field<'r>(&self, record: &'r [u8], column: &Column) -> Result<Cow<'r, [u8]>, Failure> {
        self.locate(record, column).map(|(_, value)| value)
    }

    /// The item of a record: the field of the chosen column, or all of it.
    pub(crate) fn item<'r>(&self, record: &'r [u8]) -> Result<Field<'r>, Failure> {
        match &self.column {
            Some(column) => self.locate(record, column),
            None => self.check(record).map(|()| (0..record.len(), Cow::Borrowed(record))),
        }
    }

    fn locate<'r>(&self, record: &'r [u8], column: &Column) -> Result<Field<'r>, Failure> {
        match (self.format, column) {
            (TableFormat::Csv(delimiter), Column::Position(position)) => {
                let fields = raw_fields(record, delimiter)?;
                let field = fields.get(*position as usize).ok_or_else(|| too_few(fields.len(), *position))?;
                Ok((field.range.clone(), value(record, field)))
            }
            (TableFormat::Jsonl, Column::Position(position)) => {
                let values: Vec<&serde_json::value::RawValue> = json(record)?;
                let raw = values.get(*position as usize).ok_or_else(|| too_few(values.len(), *position))?;
                Ok((position_in(record, raw.get()), text_of(raw.get())))
            }
            (TableFormat::Jsonl, Column::Key(key)) => {
                let raw = value_of_key(record, key)?;
                let raw = raw.ok_or_else(|| invalid(format!("the record has no key '{key}'")))?;
                Ok((position_in(record, raw), text_of(raw)))
            }
            (TableFormat::Csv(_), Column::Key(key)) => Err(invalid(format!("the record has no column '{key}'"))),
        }
    }
}

fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(FailureKind::Invalid, message)
}

fn too_few(fields: usize, position: u32) -> Failure {
    invalid(format!("the record has {}, no field {}", crate::counted(fields as u64, "field"), u64::from(position) + 1))
}

fn json<'r, T: Deserialize<'r>>(record: &'r [u8]) -> Result<T, Failure> {
    let what = std::any::type_name::<T>();
    serde_json::from_slice(record).map_err(|error| {
        if error.is_data() && !what.contains("IgnoredAny") {
            return invalid("the record is no JSON value with such fields");
        }
        let text = error.to_string();
        let why = text.split(" at line").next().unwrap_or(&text);
        invalid(format!("not a JSON value: {why} at column {}", error.column()))
    })
}

/// A JSON string's text; any other value as it is written.
fn text_of(raw: &str) -> Cow<'_, [u8]> {
    match raw.as_bytes() {
        // The parser has passed over the value: escapes are all that is left.
        [b'"', text @ .., b'"'] if memchr::memchr(b'\\', text).is_none() => Cow::Borrowed(text),
        [b'"', ..] => match serde_json::from_str::<String>(raw) {
            Ok(text) => Cow::Owned(text.into_bytes()),
            Err(_) => Cow::Borrowed(raw.as_bytes()),
        },
        other => Cow::Borrowed(other),
    }
}

/// Where a value that was read from a record stands in it.
fn position_in(record: &[u8], raw: &str) -> Range<usize> {
    let from = (raw.as_ptr() as usize).wrapping_sub(record.as_ptr() as usize);
    if from <= record.len() { from..from + raw.len() } else { 0..record.len() }
}

/// The value of a key of a JSON object, as it is written. The last one counts if
/// the key is there several times.
fn value_of_key<'r>(record: &'r [u8], key: &str) -> Result<Option<&'r str>, Failure> {
    struct Wanted<'k>(&'k str);

    impl<'r> Visitor<'r> for Wanted<'_> {
        type Value = Option<&'r str>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<M: MapAccess<'r>>(self, mut map: M) -> Result<Self::Value, M::Error> {
            let mut found = None;
            while let Some(key) = map.next_key::<KeyText<'r>>()? {
                if key.0 == self.0 {
                    found = Some(map.next_value::<&serde_json::value::RawValue>()?.get());
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }

    let mut deserializer = serde_json::Deserializer::from_slice(record);
    let found = deserializer.deserialize_map(Wanted(key));
    let ended = found.and_then(|found| deserializer.end().map(|()| found));
    ended.map_err(|error| {
        if error.is_data() {
            return invalid("the record is no JSON object");
        }
        let text = error.to_string();
        invalid(format!("not a JSON value: {}", text.split(" at line").next().unwrap_or(&text)))
    })
}

/// A key, borrowed if it has no escapes.
#[derive(Deserialize)]
struct KeyText<'r>(#[serde(borrow)] Cow<'r, str>);

/// The fields of a record.
fn raw_fields(record: &[u8], delimiter: u8) -> Result<Vec<RawField>, Failure> {
    let (mut fields, mut from) = (Vec::new(), 0);
    loop {
        let is_quoted = record.get(from) == Some(&b'"');
        let close = if is_quoted { after_quotes(record, from + 1).map(Some) } else { Some(None) };
        let Some(close) = close else { return Err(invalid("a quote at the beginning of a field is not closed")) };
        let search = close.unwrap_or(from);
        let end = memchr::memchr(delimiter, &record[search..]).map(|at| search + at);
        fields.push(RawField { range: from..end.unwrap_or(record.len()), is_quoted });
        match end {
            Some(end) => from = end + 1,
            None => return Ok(fields),
        }
    }
}

/// A field's value: without quotes around it, and a quote for two.
fn value<'r>(record: &'r [u8], field: &RawField) -> Cow<'r, [u8]> {
    let raw = &record[field.range.clone()];
    if !field.is_quoted {
        return Cow::Borrowed(raw);
    }
    let close = after_quotes(raw, 1).unwrap_or(raw.len());
    let inner = &raw[1..close - 1];
    if close == raw.len() && memchr::memchr(b'"', inner).is_none() {
        return Cow::Borrowed(inner);
    }
    let mut text = Vec::with_capacity(raw.len());
    let mut rest = inner;
    while let Some(at) = memchr::memchr(b'"', rest) {
        text.extend_from_slice(&rest[..=at]);
        rest = &rest[at + 2..];
    }
    text.extend_from_slice(rest);
    text.extend_from_slice(&raw[close..]);
    Cow::Owned(text)
}

/// The position behind the quote that closes a field, whose text begins at `from`.
fn after_quotes(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + memchr::memchr(b'"', bytes.get(from..)?)?;
        if bytes.get(at + 1) != Some(&b'"') {
            return Some(at + 1);
        }
        from = at + 2;
    }
}

/// Whether a quote behind this byte opens a field.
fn is_delimiter(byte: u8, delimiter: Option<u8>) -> bool {
    delimiter.map_or_else(|| USUAL.contains(&byte), |delimiter| delimiter == byte)
}

/// The position behind the line feed that ends the first record, if it is there.
pub(crate) fn record_end(bytes: &[u8], delimiter: Option<u8>) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr::memchr2(b'\n', b'"', &bytes[at..])?;
        if bytes[at] == b'\n' {
            return Some(at + 1);
        }
        let opens = at == 0 || is_delimiter(bytes[at - 1], delimiter);
        at = if opens { after_quotes(bytes, at + 1)? } else { at + 1 };
    }
}

/// Finds the ends of records in a stream that comes in pieces.
#[derive(Clone, Debug)]
pub struct RecordScanner {
    delimiter: Option<u8>,
    state: ScanState,
    /// The last byte before the next piece.
    last: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScanState {
    Plain,
    Quoted,
    /// In quotes, behind one that closes them or is the first of two.
    AfterQuote,
}

impl RecordScanner {
    /// At the beginning of a record.
    #[must_use]
    pub fn new(delimiter: Option<u8>) -> Self {
        Self { delimiter, state: ScanState::Plain, last: b'\n' }
    }

    /// The position behind the last record that ends in these bytes.
    pub fn last_end(&mut self, bytes: &[u8]) -> Option<usize> {
        let (mut at, mut end) = (0, None);
        while at < bytes.len() {
            let rest = &bytes[at..];
            match self.state {
                ScanState::AfterQuote => {
                    self.state = if rest[0] == b'"' { ScanState::Quoted } else { ScanState::Plain };
                    at += usize::from(rest[0] == b'"');
                }
                ScanState::Quoted => {
                    let Some(quote) = memchr::memchr(b'"', rest) else { break };
                    self.state = ScanState::AfterQuote;
                    at += quote + 1;
                }
                ScanState::Plain => {
                    let quote = memchr::memchr(b'"', rest);
                    let plain = &rest[..quote.unwrap_or(rest.len())];
                    end = memchr::memrchr(b'\n', plain).map(|line| at + line + 1).or(end);
                    let Some(quote) = quote else { break };
                    let before = if at + quote == 0 { self.last } else { bytes[at + quote - 1] };
                    if before == b'\n' || is_delimiter(before, self.delimiter) {
                        self.state = ScanState::Quoted;
                    }
                    at += quote + 1;
                }
            }
        }
        self.last = bytes.last().copied().unwrap_or(self.last);
        end
    }
}

/// What separates the fields of these records: the byte that cuts the most of them
/// into as many fields, more than one.
#[must_use]
pub fn sniff_delimiter(records: &[&[u8]]) -> u8 {
    let score = |delimiter: u8| {
        let counts: Vec<usize> =
            records.iter().filter_map(|record| Some(raw_fields(record, delimiter).ok()?.len())).collect();
        let first = counts.first().copied().unwrap_or(1);
        let same = counts.iter().filter(|&&count| count == first).count();
        if first > 1 { (same, first) } else { (0, 0) }
    };
    let mut best = b',';
    for delimiter in [b';', b'\t', b'|'] {
        if score(delimiter) > score(best) {
            best = delimiter;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    fn csv(column: Option<u32>) -> TableSpec {
        TableSpec { format: TableFormat::Csv(b','), names: Vec::new(), column: column.map(Column::Position) }
    }

    fn fields(record: &str) -> Result<Vec<String>, String> {
        let fields = csv(None).fields(record.as_bytes()).map_err(|failure| failure.message)?;
        Ok(fields.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect())
    }

    #[test]
    fn fields_are_those_of_rfc_4180() {
        assert_eq!(fields("a,b c,").unwrap(), ["a", "b c", ""]);
        assert_eq!(fields("").unwrap(), [""]);
        assert_eq!(fields("\"a,b\",\"say \"\"x\"\"\",\"two\nlines\"").unwrap(), ["a,b", "say \"x\"", "two\nlines"]);
        assert_eq!(fields("5\" pipe, \"x\"").unwrap(), ["5\" pipe", " \"x\""], "no quotes of a field");
        assert_eq!(fields("\"a\"b,\"\"").unwrap(), ["ab", ""]);
        assert!(fields("a,\"b").unwrap_err().contains("not closed"));
    }

    #[test]
    fn a_column_is_a_field() {
        let item = |record: &str| csv(Some(1)).item(record.as_bytes()).map(|(at, text)| (at, text.into_owned()));
        assert_eq!(item("a,7").unwrap(), (2..3, b"7".to_vec()));
        assert_eq!(item("a,\"x\"\"y\",c").unwrap(), (2..8, b"x\"y".to_vec()));
        assert_eq!(item("a").unwrap_err().message, "the record has 1 field, no field 2");
    }

    #[test]
    fn a_key_is_a_value() {
        let key = |key: &str| TableSpec {
            format: TableFormat::Jsonl,
            names: Vec::new(),
            column: Some(Column::Key(key.to_owned())),
        };
        let record = br#"{"a": 7, "t": "x\ny", "o": {"a": [1, 2]}, "e\u0041": true}"#;
        let item = |name: &str| key(name).item(record).map(|(at, text)| (record[at].to_vec(), text.into_owned()));
        assert_eq!(item("a").unwrap(), (b"7".to_vec(), b"7".to_vec()));
        assert_eq!(item("t").unwrap(), (br#""x\ny""#.to_vec(), b"x\ny".to_vec()));
        assert_eq!(item("o").unwrap().1, br#"{"a": [1, 2]}"#);
        assert_eq!(item("eA").unwrap().1, b"true");
        assert_eq!(item("b").unwrap_err().message, "the record has no key 'b'");
        for (record, says) in
            [("[1]", "no JSON object"), ("{\"a\": 1", "not a JSON value"), ("{\"a\": 1} x", "not a JSON")]
        {
            let error = key("a").item(record.as_bytes()).unwrap_err();
            assert!(error.message.contains(says), "{record}: {}", error.message);
        }
        let whole = TableSpec { column: None, ..key("") };
        assert!(whole.check(b" 7 ").is_ok() && whole.check(b"x").is_err() && whole.check(b"1 2").is_err());
    }

    #[test]
    fn the_scanner_agrees_with_the_walk_in_any_pieces() {
        let text = b"a,\"b\nc\"\"\n\",d\n\"x\ny\"\n5\" z\nq,\"\"\n\"open\n\n";
        let mut ends = Vec::new();
        while let Some(end) = record_end(&text[ends.last().copied().unwrap_or(0)..], None) {
            ends.push(ends.last().copied().unwrap_or(0) + end);
        }
        for piece in 1..text.len() {
            let (mut scanner, mut at, mut last) = (RecordScanner::new(None), 0, 0);
            for bytes in text.chunks(piece) {
                if let Some(end) = scanner.last_end(bytes) {
                    assert!(ends.contains(&(at + end)), "{piece}: {}", at + end);
                    last = at + end;
                }
                at += bytes.len();
            }
            assert_eq!(last, *ends.last().unwrap(), "{piece}");
        }
    }

    #[test]
    fn the_delimiter_cuts_into_equal_records() {
        let sniffed =
            |records: &[&str]| char::from(sniff_delimiter(&records.iter().map(|r| r.as_bytes()).collect::<Vec<_>>()));
        assert_eq!(sniffed(&["id;nummer", "1;7,5", "2;9"]), ';');
        assert_eq!(sniffed(&["a,b", "\"x;y\",2", "3,4"]), ',');
        assert_eq!(sniffed(&["a\tb", "1\t2"]), '\t');
        assert_eq!(sniffed(&["a|b|c", "1|2|3"]), '|');
        assert_eq!(sniffed(&["number", "7"]), ',');
        assert_eq!(sniffed(&[]), ',');
    }
}
