//! What a file is, judged on its first bytes. What can't be read is named, with
//! the way out.

use procession_task::Items;

/// A byte-order mark of UTF-8.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";
/// UTF-16 without a mark is judged on this many bytes.
const JUDGED: usize = 1024;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum InputKind {
    /// Text, or whatever its items are, behind this many bytes of a mark.
    Plain(usize),
    Gzip,
    Zip,
    /// Compressed in a way that an outside program unpacks.
    Packed(PackedFormat),
    /// UTF-16 behind a mark; whether the high byte comes first.
    Utf16 {
        is_big_endian: bool,
    },
    /// Nothing that has items.
    Other(OtherKind),
}

/// A compression that an outside program unpacks from its standard input with
/// `-dc`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PackedFormat {
    /// The program.
    pub(super) program: &'static str,
    /// What unpacks a file to standard output.
    pub(super) cat: &'static str,
}

/// A file that has no items, and what to do with it: `FILE` in it is the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OtherKind {
    pub(super) what: &'static str,
    pub(super) way_out: &'static str,
}

const ZSTD: PackedFormat = PackedFormat { program: "zstd", cat: "zstdcat" };
const XZ: PackedFormat = PackedFormat { program: "xz", cat: "xzcat" };
const BZIP2: PackedFormat = PackedFormat { program: "bzip2", cat: "bzcat" };
const LZ4: PackedFormat = PackedFormat { program: "lz4", cat: "lz4 -dc" };

const SAVE_AS_CSV: &str = "save it as CSV, and see --items csv";
const WRITE_TEXT: &str = "write its items as text, a line each";
const GIVE_NAMES: &str = "its bytes are no items; a list of files is one name a line, or --list FILE";

/// Every beginning by which a file is known. As long as a stream may still begin
/// with one of them, more of it is read.
pub(super) const BEGINNINGS: &[(&[u8], InputKind)] = &[
    (b"\x1f\x8b\x08", InputKind::Gzip),
    (b"PK\x03\x04", InputKind::Zip),
    (b"PK\x05\x06", InputKind::Zip),
    (b"\x28\xb5\x2f\xfd", InputKind::Packed(ZSTD)),
    (b"\x50\x2a\x4d\x18", InputKind::Packed(ZSTD)),
    (b"\xfd7zXZ\x00", InputKind::Packed(XZ)),
    (b"BZh", InputKind::Packed(BZIP2)),
    (b"\x04\x22\x4d\x18", InputKind::Packed(LZ4)),
    (MARK, InputKind::Plain(MARK.len())),
    (b"\xff\xfe\x00\x00", other("UTF-32 text", "iconv -f UTF-32 -t UTF-8 FILE | …")),
    (b"\x00\x00\xfe\xff", other("UTF-32 text", "iconv -f UTF-32 -t UTF-8 FILE | …")),
    (b"\xff\xfe", InputKind::Utf16 { is_big_endian: false }),
    (b"\xfe\xff", InputKind::Utf16 { is_big_endian: true }),
    (b"\x1f\x9d", other("compressed with compress", "zcat FILE | …")),
    (b"LZIP\x01", other("compressed with lzip", "lzip -dc FILE | …")),
    (b"7z\xbc\xaf\x27\x1c", other("a 7-Zip archive", "7z x -so FILE | …")),
    (b"Rar!\x1a\x07", other("a RAR archive", "unrar p -inul FILE | …")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", other("an Excel workbook or Word document of the old kind", SAVE_AS_CSV)),
    (b"\x93NUMPY", other("a NumPy array", "save it as text with numpy.savetxt")),
    (b"\x89HDF\r\n\x1a\n", other("an HDF5 file", WRITE_TEXT)),
    (b"PAR1\x15", other("a Parquet file", WRITE_TEXT)),
    (b"SQLite format 3\x00", other("an SQLite database", "sqlite3 FILE 'SELECT …' | …")),
    (b"\x7fELF", other("a program (ELF)", "a program runs with --task command … -- FILE")),
    (b"%PDF-", other("a PDF document", "pdftotext FILE - | …")),
    (b"\x89PNG\r\n\x1a\n", other("a PNG picture", GIVE_NAMES)),
    (b"\xff\xd8\xff", other("a JPEG picture", GIVE_NAMES)),
    (b"\x80\x02", other("a Python pickle", WRITE_TEXT)),
    (b"\x80\x03", other("a Python pickle", WRITE_TEXT)),
    (b"\x80\x04", other("a Python pickle", WRITE_TEXT)),
    (b"\x80\x05", other("a Python pickle", WRITE_TEXT)),
];

const fn other(what: &'static str, way_out: &'static str) -> InputKind {
    InputKind::Other(OtherKind { what, way_out })
}

/// Judges the first bytes of a stream whose items are cut by this rule. `begins`
/// is the position in [`BEGINNINGS`] of its beginning, if it has one.
pub(super) fn of(begins: Option<usize>, head: &[u8], items: Items) -> InputKind {
    let text = || unmarked_utf16(head, items).or_else(|| notebook(head)).unwrap_or(InputKind::Plain(0));
    match begins.map(|at| BEGINNINGS[at].1) {
        // The word may begin a text.
        Some(InputKind::Packed(BZIP2)) if !is_bzip2(head) => text(),
        // Every text in UTF-16 has a NUL byte, at the latest in the end of its line.
        Some(InputKind::Utf16 { .. }) if head.len() > 2 && memchr::memchr(0, head).is_none() => text(),
        Some(kind) => kind,
        None if head.get(257..262) == Some(b"ustar") => other("a tar archive", "tar -xOf FILE | …"),
        None => text(),
    }
}

fn is_bzip2(head: &[u8]) -> bool {
    let is_level = head.get(3).is_some_and(|level| (b'1'..=b'9').contains(level));
    is_level && matches!(head.get(4..10), Some(b"1AY&SY" | b"\x17rE8P\x90"))
}

/// Text in which every other byte is NUL.
fn unmarked_utf16(head: &[u8], items: Items) -> Option<InputKind> {
    let pairs = head[..head.len().min(JUDGED)].as_chunks::<2>().0;
    if items == Items::Nul || pairs.len() < 2 {
        return None;
    }
    let zeros = |at: usize| pairs.iter().filter(|pair| pair[at] == 0).count();
    let is_text = |low: usize, high: usize| zeros(low) == 0 && zeros(high) * 5 >= pairs.len() * 4;
    if is_text(0, 1) {
        Some(other("UTF-16 text without a mark", "iconv -f UTF-16LE -t UTF-8 FILE | …"))
    } else if is_text(1, 0) {
        Some(other("UTF-16 text without a mark", "iconv -f UTF-16BE -t UTF-8 FILE | …"))
    } else {
        None
    }
}

fn notebook(head: &[u8]) -> Option<InputKind> {
    let has = |text: &str| memchr::memmem::find(head, text.as_bytes()).is_some();
    let is_notebook =
        head.trim_ascii_start().starts_with(b"{") && has("\"cells\"") && (has("\"cell_type\"") || has("\"nbformat\""));
    is_notebook.then_some(other("a Jupyter notebook", "jupyter nbconvert --to script FILE writes its code"))
}

/// An archive that is a document, by the names of its files.
pub(super) fn document(names: &[&str]) -> Option<OtherKind> {
    let has = |prefix: &str| names.iter().any(|name| name.starts_with(prefix));
    let kind = |what, way_out| Some(OtherKind { what, way_out });
    if has("[Content_Types].xml") && has("xl/") {
        kind("an Excel workbook", SAVE_AS_CSV)
    } else if has("[Content_Types].xml") {
        kind("an Office document", "save it as text")
    } else if has("mimetype") && has("content.xml") {
        kind("an OpenDocument file", SAVE_AS_CSV)
    } else if has("META-INF/MANIFEST.MF") {
        kind("a Java archive", GIVE_NAMES)
    } else if !names.is_empty() && names.iter().all(|name| name.ends_with(".npy")) {
        kind("an archive of NumPy arrays", "save them as text with numpy.savetxt")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(head: &[u8], items: Items) -> InputKind {
        of(BEGINNINGS.iter().position(|(beginning, _)| head.starts_with(beginning)), head, items)
    }

    fn what(head: &[u8]) -> &'static str {
        match kind(head, Items::Lines) {
            InputKind::Other(other) => other.what,
            kind => panic!("{kind:?}"),
        }
    }

    #[test]
    fn text_is_text() {
        for head in [
            &b""[..],
            b"2\n",
            b"P",
            b"BZh",
            b"BZh9 is a word",
            b"PAR1\nPAR2\n",
            b"a\0b\0c d",
            b"{\"cells\": 3}",
            b"\0\0\0\0",
        ] {
            assert_eq!(kind(head, Items::Lines), InputKind::Plain(0), "{head:?}");
        }
        assert_eq!(kind(b"a\0b\0c\0", Items::Nul), InputKind::Plain(0));
        assert_eq!(kind(b"\xff\xfe\n", Items::Lines), InputKind::Plain(0));
        assert_eq!(kind(b"\xff\xfe2\0", Items::Lines), InputKind::Utf16 { is_big_endian: false });
        assert_eq!(kind(b"\xef\xbb\xbf2", Items::Lines), InputKind::Plain(3));
    }

    #[test]
    fn what_has_no_items_is_named() {
        assert_eq!(what(b"2\x00\n\x003\x00\n\x00"), "UTF-16 text without a mark");
        assert_eq!(what(b"\x002\x00\n\x003"), "UTF-16 text without a mark");
        assert_eq!(what(b"\xff\xfe\x00\x002\x00\x00\x00"), "UTF-32 text");
        assert_eq!(what(b"{\n \"cells\": [\n  {\n   \"cell_type\": \"code\""), "a Jupyter notebook");
        assert_eq!(what(b"\x7fELF\x02"), "a program (ELF)");
        assert_eq!(what(b"\x80\x04\x95\x0b"), "a Python pickle");
        let mut tar = vec![b'x'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        assert_eq!(what(&tar), "a tar archive");
    }

    #[test]
    fn documents_are_known_by_their_files() {
        let what = |names: &[&str]| document(names).map(|kind| kind.what);
        assert_eq!(what(&["[Content_Types].xml", "xl/workbook.xml"]), Some("an Excel workbook"));
        assert_eq!(what(&["mimetype", "content.xml"]), Some("an OpenDocument file"));
        assert_eq!(what(&["a.npy"]), Some("an archive of NumPy arrays"));
        assert_eq!(what(&["a.txt", "b.npy"]), None);
        assert_eq!(what(&[]), None);
    }
}
