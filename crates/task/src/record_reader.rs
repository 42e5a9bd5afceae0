//! Reads output records back: where each ends, which item it is of, and whether
//! the item failed. Their contents are not decoded; an item is compared by writing
//! its record's beginning again ([`Format::write_head`]).

use crate::Format;
use std::io::{self, BufRead};

/// What is known of an output record without decoding it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordParts {
    /// The index of its item in the input, if the format has it.
    pub index: Option<u64>,
    /// The length of its beginning in bytes: everything before the outcome.
    pub head: usize,
    /// Whether the item failed.
    pub is_failed: bool,
}

impl Format {
    /// Reads the next record with its end of line into `record`, which is emptied
    /// before; false at the end of the output. Only formats with records of failed
    /// items can be read ([`Self::shows_failures`]).
    ///
    /// # Errors
    /// The reader's. A record that is cut off is `UnexpectedEof`.
    pub fn read_record(self, reader: &mut dyn BufRead, record: &mut Vec<u8>) -> io::Result<bool> {
        record.clear();
        let mut quotes = 0;
        loop {
            let from = record.len();
            reader.read_until(b'\n', record)?;
            match record.last() {
                None => return Ok(false),
                Some(b'\n') if record.len() > from => {}
                Some(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
            if !matches!(self, Self::Csv | Self::SafeCsv) {
                return Ok(true);
            }
            // A line feed in quotes does not end a record.
            quotes += memchr::memchr_iter(b'"', &record[from..]).count();
            if quotes.is_multiple_of(2) {
                return Ok(true);
            }
        }
    }

    /// The parts of a record; `None` if it is not one of this format.
    #[must_use]
    pub fn record_parts(self, record: &[u8]) -> Option<RecordParts> {
        match self {
            Self::Tsv => tsv_parts(record),
            Self::Csv | Self::SafeCsv => csv_parts(record),
            Self::Jsonl => jsonl_parts(record),
            Self::Lines | Self::Raw | Self::Framed => None,
        }
    }
}

fn tsv_parts(record: &[u8]) -> Option<RecordParts> {
    let head = memchr::memchr(b'\t', record)? + 1;
    Some(RecordParts { index: None, head, is_failed: record.get(head) == Some(&b'\t') })
}

fn csv_parts(record: &[u8]) -> Option<RecordParts> {
    let comma = memchr::memchr(b',', record)?;
    let field = comma + 1;
    let length = match record.get(field)? {
        b'"' => string_length(&record[field..], |rest| if rest.starts_with(b"\"\"") { 2 } else { 0 })?,
        _ => memchr::memchr(b',', &record[field..])?,
    };
    let head = field + length + 1;
    let is_failed = record.get(head - 1..=head)? == b",," && record.get(head + 1)? != &b'\n';
    Some(RecordParts { index: Some(number(&record[..comma])?), head, is_failed })
}

fn jsonl_parts(record: &[u8]) -> Option<RecordParts> {
    let digits = record.strip_prefix(b"{\"index\":")?;
    let comma = memchr::memchr(b',', digits)?;
    let rest = &digits[comma..];
    let text = rest.strip_prefix(b",\"input\":").or_else(|| rest.strip_prefix(b",\"input_base64\":"))?;
    let length = string_length(text, |rest| if rest.starts_with(b"\\") { 2 } else { 0 })?;
    let outcome = text.get(length..)?;
    let head = record.len() - outcome.len();
    Some(RecordParts { index: Some(number(&digits[..comma])?), head, is_failed: outcome.starts_with(b",\"error\":") })
}

/// The length of a quoted text with its quotes. `escape` says how many bytes the
/// escape at the beginning of a text takes; 0 if there is none.
fn string_length(text: &[u8], escape: impl Fn(&[u8]) -> usize) -> Option<usize> {
    let mut at = 1;
    loop {
        at += memchr::memchr2(b'"', b'\\', text.get(at..)?)?;
        match escape(&text[at..]) {
            0 if text[at] == b'"' => return Some(at + 1),
            0 => at += 1,
            length => at += length,
        }
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Failure, FailureKind, Record, ResultText};

    const INPUTS: [&[u8]; 9] =
        [b"", b"x", b"a\tb", b"l1\nl2\r", b"q\"uo,te\"", b"\\", b"\\\"", b"\xff\xfe", "é\u{1}".as_bytes()];
    const FORMATS: [Format; 4] = [Format::Tsv, Format::Csv, Format::SafeCsv, Format::Jsonl];

    #[test]
    fn what_is_written_is_read_back() {
        let failure = Failure::new(FailureKind::Failed, "no \"such\",\nthing\t\\");
        for format in FORMATS {
            let (mut all, mut expected) = (Vec::new(), Vec::new());
            for (index, input) in (7..).zip(INPUTS) {
                let outcomes = INPUTS.map(|text| Ok(ResultText { text, is_json: false })).into_iter();
                let json = Ok(ResultText { text: b"{\"error\":\",\\\"error\\\":\"}", is_json: true });
                for outcome in outcomes.chain([json, Err(&failure)]) {
                    let (from, mut head) = (all.len(), Vec::new());
                    format.write(&mut all, &Record { index, input, outcome });
                    format.write_head(&mut head, index, input);
                    assert!(all[from..].starts_with(&head));
                    let index = Some(index).filter(|_| format != Format::Tsv);
                    expected.push(RecordParts { index, head: head.len(), is_failed: outcome.is_err() });
                }
            }
            let (mut reader, mut record, mut found) = (&all[..], Vec::new(), Vec::new());
            while format.read_record(&mut reader, &mut record).unwrap() {
                found.push(format.record_parts(&record).unwrap());
            }
            assert_eq!(found, expected, "{format:?}");
        }
    }

    #[test]
    fn records_that_are_cut_or_of_another_format_are_found() {
        for (format, text) in
            [(Format::Tsv, &b"a\tb"[..]), (Format::Csv, b"0,\"a\nb\n"), (Format::Csv, b"0,a"), (Format::Jsonl, b"{")]
        {
            let error = format.read_record(&mut &text[..], &mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof, "{format:?} {text:?}");
        }
        for text in [&b"\n"[..], b"x\n", b",\n", b"1,\n", b"1,\"\n", b"{\"index\":1}\n", b"{\"index\":1,\"input\":\"\n"]
        {
            for format in FORMATS {
                assert_eq!(format.record_parts(text), None, "{format:?} {text:?}");
            }
        }
        assert!(!Format::Lines.shows_failures() && Format::Lines.record_parts(b"x\n").is_none());
    }
}
