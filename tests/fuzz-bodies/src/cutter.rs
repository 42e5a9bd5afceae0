//! Input: the items do not depend on how the bytes of a stream are split into
//! reads.

use procession::raw::Place;
use procession_job::{InputError, cut_all, rest_after_heading};
use procession_task::{BlockItems, Column, Format, Identity, Items, TableFormat, TableSpec, TextOptions};
use std::io::{self, Read};

const START: Place = Place { input: 0, line: 1, column: 1 };

/// Gives its bytes in pieces of the given lengths, over and over.
struct Pieces<'a> {
    bytes: &'a [u8],
    lengths: [usize; 3],
    next: usize,
}

impl Read for Pieces<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let length = self.lengths[self.next % self.lengths.len()].min(into.len()).min(self.bytes.len());
        self.next += 1;
        let (now, later) = self.bytes.split_at(length);
        into[..length].copy_from_slice(now);
        self.bytes = later;
        Ok(length)
    }
}

/// Four bytes say how: the rule and the longest item, and the lengths of three
/// reads. The rest is the stream.
fn drawn(bytes: &[u8]) -> Option<(Items, usize, Pieces<'_>)> {
    let (&[how, a, b, c], stream) = bytes.split_first_chunk::<4>()?;
    let rule = [Items::Words, Items::Lines, Items::Nul][usize::from(how % 3)];
    let max_item = if how & 0x80 == 0 { 1 << 20 } else { 1 + usize::from(how >> 2 & 15) };
    let lengths = [a, b, c].map(|length| 1 + usize::from(length) * usize::from(length) / 8);
    Some((rule, max_item, Pieces { bytes: stream, lengths, next: 0 }))
}

/// Cuts a stream, and walks through it by the rule.
pub fn cutter(bytes: &[u8]) {
    if let Some((rule, max_item, pieces)) = drawn(bytes) {
        cut(rule, max_item, pieces);
    }
}

/// Cuts records of comma-separated values, and reads their fields.
pub fn csv(bytes: &[u8]) {
    let Some((_, max_item, pieces)) = drawn(bytes) else { return };
    let delimiter = [None, Some(b','), Some(b';'), Some(b'\t')][usize::from(bytes[0] & 3)];
    let (rule, block) = (Items::Csv(delimiter), pieces.bytes);
    cut(rule, max_item, pieces);
    let spec = |column| TableSpec { format: TableFormat::Csv(delimiter.unwrap_or(b',')), names: Vec::new(), column };
    fields(rule, block, spec(Some(Column::Position(u32::from(bytes[1])))));
    fields(rule, block, spec(None));
}

/// Cuts JSON values, a line each, and reads a key of them.
pub fn jsonl(bytes: &[u8]) {
    let Some((_, max_item, pieces)) = drawn(bytes) else { return };
    let block = pieces.bytes;
    cut(Items::Jsonl, max_item, pieces);
    let spec = |column| TableSpec { format: TableFormat::Jsonl, names: Vec::new(), column };
    fields(Items::Jsonl, block, spec(Some(Column::Key("a".to_owned()))));
    fields(Items::Jsonl, block, spec(Some(Column::Position(u32::from(bytes[1])))));
    fields(Items::Jsonl, block, spec(None));
}

/// Each record of a block gives one item, whose place is in the block.
fn fields(items: Items, block: &[u8], table: TableSpec) {
    let whole = table.column.is_none();
    let identity = Identity::new(1, "h", 0);
    let options = TextOptions { items, table: Some(table), format: Format::Tsv, show: false, identity };
    let found = BlockItems::of(&options, block).expect("a table");
    let records: Vec<(usize, &[u8])> = items.split(block).collect();
    let all: Vec<_> = found.iter(block).collect();
    assert_eq!(all.len(), records.len());
    for (item, (at, record)) in all.iter().zip(records) {
        assert!(item.at >= at && item.at + item.length <= at + record.len(), "a field outside of its record");
        assert!(!whole || item.item == record);
        assert!(item.item.len() <= record.len(), "a field longer than its record");
    }
}

fn cut(rule: Items, max_item: usize, mut pieces: Pieces<'_>) {
    let whole = pieces.bytes;
    let expected: Vec<(Place, &[u8])> = rule.split(whole).map(|(at, item)| (START.after(&whole[..at]), item)).collect();
    assert_eq!(rule.count(whole), expected.len() as u64);
    let segments = match cut_all(rule, max_item, &mut pieces) {
        Ok(segments) => segments,
        Err(InputError::TooLong { .. }) => {
            // A carriage return that belongs to the line's end is counted until that has come.
            assert!(
                expected
                    .iter()
                    .any(|(_, item)| item.len() + usize::from(rule == Items::Lines || rule.are_records()) > max_item)
            );
            return;
        }
        Err(error) => panic!("{error}"),
    };
    let mut found = Vec::new();
    for (start, items, bytes) in &segments {
        let walked = rule.split(bytes).map(|(at, item)| (start.after(&bytes[..at]), item));
        let before = found.len();
        found.extend(walked);
        assert_eq!(*items, (found.len() - before) as u64);
        assert!(*items > 0, "a segment without items");
    }
    assert!(found == expected, "{found:?} are not {expected:?}");
    assert!(found.iter().all(|(_, item)| item.len() <= max_item), "a longer item than may be");
}

/// Passes over a stream's heading: what is left is the end of it, from the
/// beginning of a line on, however its bytes come.
pub fn heading(bytes: &[u8]) {
    let Some((.., mut pieces)) = drawn(bytes) else { return };
    let whole = pieces.bytes;
    let rest = rest_after_heading(&mut pieces).expect("it can be read");
    assert!(whole.ends_with(&rest));
    let passed = &whole[..whole.len() - rest.len()];
    assert!(passed.is_empty() || rest.is_empty() || passed.ends_with(b"\n"));
    let at_once = rest_after_heading(&mut &whole[..]).expect("it can be read");
    assert_eq!(rest, at_once);
}
