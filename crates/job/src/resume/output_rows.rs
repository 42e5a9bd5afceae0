//! The rows of an output that was written earlier: which items failed, and whether
//! the other rows are of the items that an input has now.
//!
//! Rows belong to items by their position. Of an output in the order of completion
//! they belong to them by the index that each row has.

use super::item_set::ItemSet;
use procession_task::{Format, RecordParts};
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Bytes that are read at once.
const BUFFER: usize = 256 * 1024;

/// How the rows of an output belong to the items of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RowLayout {
    pub(crate) format: Format,
    /// The index of the first item.
    pub(crate) first: u64,
    /// Whether rows are in the order of the input.
    pub(crate) is_ordered: bool,
}

/// The hash of the beginnings of rows that are kept, each with the index of its
/// item. The order of rows makes no difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct KeptRows {
    rows: u64,
    sum: u128,
}

impl KeptRows {
    /// Adds the row of this item, which begins with `head`.
    pub(crate) fn add(&mut self, item: u64, head: &[u8]) {
        self.rows += 1;
        self.sum = self.sum.wrapping_add(xxh3_128_with_seed(head, item));
    }
}

/// What is known of the rows of an output.
#[derive(Clone, Debug)]
pub(crate) struct OutputRows {
    pub(crate) layout: RowLayout,
    /// How many bytes the rows take, with a header.
    pub(crate) bytes: u64,
    /// How many rows there are.
    pub(crate) count: u64,
    /// The items whose rows are failures.
    pub(crate) failed: Arc<ItemSet>,
    /// The other rows.
    pub(crate) kept: KeptRows,
}

impl OutputRows {
    /// Reads the first `bytes` bytes of an output; `None` if they are not whole rows
    /// of this layout.
    pub(crate) fn of(file: &File, bytes: u64, layout: RowLayout) -> io::Result<Option<Self>> {
        let (mut failed, mut unordered) = (ItemSet::default(), Vec::new());
        let (mut count, mut kept) = (0, KeptRows::default());
        let visited = visit_rows(file, bytes, layout, &mut |row| {
            count += 1;
            if !row.parts.is_failed {
                kept.add(row.item, &row.record[..row.parts.head]);
            } else if !layout.is_ordered {
                unordered.push(row.item);
            } else if !failed.push(row.item) {
                return Err(io::ErrorKind::InvalidData.into());
            }
            Ok(())
        });
        match visited {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        if !layout.is_ordered {
            failed = unordered.into_iter().collect();
        }
        Ok(Some(Self { layout, bytes, count, failed: Arc::new(failed), kept }))
    }

    /// The items that have a row.
    pub(crate) fn items(&self) -> Range<u64> {
        self.layout.first..self.layout.first + self.count
    }
}

/// A row of an output.
pub(crate) struct OutputRow<'r> {
    /// The index of its item.
    pub(crate) item: u64,
    /// Its bytes, with the line feed at its end.
    pub(crate) record: &'r [u8],
    pub(crate) parts: RecordParts,
}

/// Calls `visit` with each row in the first `bytes` bytes of an output. Bytes that
/// are not rows of this layout are `InvalidData` or `UnexpectedEof`.
pub(crate) fn visit_rows(
    file: &File,
    bytes: u64,
    layout: RowLayout,
    visit: &mut dyn FnMut(&OutputRow<'_>) -> io::Result<()>,
) -> io::Result<()> {
    let header = layout.format.header();
    let mut reader = BufReader::with_capacity(BUFFER, FilePart { file, at: 0, end: bytes });
    if bytes > 0 {
        let mut found = vec![0; header.len()];
        reader.read_exact(&mut found)?;
        if found != header {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    let (mut record, mut position) = (Vec::new(), layout.first);
    while layout.format.read_record(&mut reader, &mut record)? {
        let parts = layout.format.record_parts(&record).ok_or(io::ErrorKind::InvalidData)?;
        let item = if layout.is_ordered { position } else { parts.index.ok_or(io::ErrorKind::InvalidData)? };
        if parts.index.is_some_and(|index| index != item) {
            return Err(io::ErrorKind::InvalidData.into());
        }
        visit(&OutputRow { item, record: &record, parts })?;
        position += 1;
    }
    Ok(())
}

/// A part of a file, read without moving its position.
struct FilePart<'f> {
    file: &'f File,
    at: u64,
    end: u64,
}

impl Read for FilePart<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX).min(into.len());
        let read = self.file.read_at(&mut into[..left], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn rows(text: &str, layout: RowLayout) -> Option<OutputRows> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        OutputRows::of(&file, text.len() as u64, layout).unwrap()
    }

    fn layout(format: Format) -> RowLayout {
        RowLayout { format, first: 5, is_ordered: true }
    }

    fn failed(rows: &OutputRows) -> Vec<u64> {
        rows.failed.within(0..u64::MAX).flatten().collect()
    }

    #[test]
    fn failed_rows_are_found_by_position_or_by_index() {
        let tsv = rows("a\t1\nb\t\tfailed: no\na\t\tfailed: no\nc\t\n", layout(Format::Tsv)).unwrap();
        assert_eq!((failed(&tsv), tsv.items()), (vec![6, 7], 5..9));
        let text = "index,input,output,error\n7,\"x\ny\",,\"failed: \"\"\n\"\n5,a,1,\n6,b,,failed: no\n";
        let csv = RowLayout { is_ordered: false, ..layout(Format::Csv) };
        let found = rows(text, csv).unwrap();
        assert_eq!((failed(&found), found.count), (vec![6, 7], 3));
        let mut kept = KeptRows::default();
        kept.add(5, b"5,a,");
        assert_eq!(found.kept, kept);
        assert!(rows(text, layout(Format::Csv)).is_none(), "not in order");
    }

    #[test]
    fn kept_rows_are_compared_with_their_items_in_any_order() {
        let hash = |rows: &[(u64, &str)]| {
            let mut kept = KeptRows::default();
            rows.iter().for_each(|(item, head)| kept.add(*item, head.as_bytes()));
            kept
        };
        let expected = hash(&[(0, "a\t"), (1, "b\t")]);
        assert_eq!(hash(&[(1, "b\t"), (0, "a\t")]), expected);
        for other in [&[(0, "b\t"), (1, "a\t")][..], &[(0, "a\t")], &[(0, "a\t"), (1, "b\t"), (2, "")]] {
            assert_ne!(hash(other), expected, "{other:?}");
        }
    }

    #[test]
    fn other_bytes_are_no_rows() {
        for (format, text) in [
            (Format::Tsv, "no tab\n"),
            (Format::Tsv, "cut\t1"),
            (Format::Csv, "5,a,1,\n"),
            (Format::Jsonl, "{\"index\":4,\"input\":\"a\",\"output\":1}\n"),
        ] {
            assert!(rows(text, layout(format)).is_none(), "{text}");
        }
        assert_eq!(rows("", layout(Format::Csv)).unwrap().count, 0);
        assert_eq!(rows("index,input,output,error\n", layout(Format::Csv)).unwrap().count, 0);
    }
}
