//! Packed inputs unpack to what was packed; damaged ones and decompression
//! bombs are refused.

use super::*;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use zip::write::SimpleFileOptions;

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zipped(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        if name.ends_with('/') {
            writer.add_directory(*name, SimpleFileOptions::default()).unwrap();
        } else {
            writer.start_file(*name, SimpleFileOptions::default()).unwrap();
            writer.write_all(bytes).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

fn positioned(bytes: &[u8]) -> OpenedFile {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    OpenedFile::File(PositionedFile::new(Arc::new(file), 0, Arc::default()))
}

fn streamed(bytes: &[u8]) -> Result<Vec<(String, String)>, InputError> {
    let (reader, mut writer) = io::pipe().unwrap();
    let bytes = bytes.to_vec();
    let thread = std::thread::spawn(move || writer.write_all(&bytes));
    let file = std::fs::File::from(std::os::fd::OwnedFd::from(reader));
    let found = collected(OpenedFile::Stream(crate::input::file::StreamReader::new(file)));
    let _ = thread.join().unwrap();
    found
}

fn collected(opened: OpenedFile) -> Result<Vec<(String, String)>, InputError> {
    let mut found = Vec::new();
    let flow = visit("f", opened, &mut |name, reader| {
        let mut text = String::new();
        match reader.read_to_string(&mut text) {
            Ok(_) => found.push((name.to_owned(), text)),
            Err(error) => return Err(InputError::Read { name: name.to_owned(), error }),
        }
        Ok(ControlFlow::Continue(()))
    })?;
    assert!(flow.is_continue());
    Ok(found)
}

fn pair(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

#[test]
fn plain_files_gzip_members_and_zip_entries_are_read() {
    let several = [gzip(b"2\n3"), gzip(b""), gzip(b"5\n7\n")].concat();
    for (bytes, text) in [
        (b"2\n3\n".to_vec(), "2\n3\n"),
        (b"".to_vec(), ""),
        (b"\xef\xbb\xbf2".to_vec(), "2"),
        (b"PK".to_vec(), "PK"),
        (gzip(b"2\n"), "2\n"),
        (gzip(b"\xef\xbb\xbf2\n"), "2\n"),
        (several, "2\n35\n7\n"),
        (zipped(&[("a.txt", b"\xef\xbb\xbf2 3")]), "2 3"),
    ] {
        assert_eq!(collected(positioned(&bytes)).unwrap(), [pair("f", text)]);
        assert_eq!(streamed(&bytes).unwrap(), [pair("f", text)]);
    }
}

#[test]
fn an_archive_gives_its_files_in_order() {
    let bytes = zipped(&[
        ("folder/", b""),
        ("folder/b.txt", b"2"),
        ("__MACOSX/folder/b.txt", b"x"),
        ("folder/._b.txt", b"x"),
        ("a.txt", b"3"),
        ("__MACOSX/", b""),
    ]);
    let expected = [pair("f/folder/b.txt", "2"), pair("f/a.txt", "3")];
    assert_eq!(collected(positioned(&bytes)).unwrap(), expected);
    assert_eq!(streamed(&bytes).unwrap(), expected);
    assert_eq!(collected(positioned(&zipped(&[]))).unwrap(), []);
}

#[test]
fn damaged_archives_are_refused() {
    let packed = gzip(&b"2 3 5 7 11 13\n".repeat(100));
    let mut flipped = packed.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    let mut zip = zipped(&[("a", b"2 3 5 7")]);
    zip.truncate(zip.len() - 30);
    for bytes in [&packed[..packed.len() - 3], &packed[..20], &flipped, &zip] {
        for result in [collected(positioned(bytes)), streamed(bytes)] {
            let error = result.unwrap_err();
            assert!(matches!(error, InputError::Unpack { .. }), "{error}");
            assert!(error.to_string().starts_with("can't unpack f: "), "{error}");
        }
    }
}

/// Reads to the end without keeping anything.
fn drained(opened: OpenedFile) -> Result<u64, InputError> {
    let mut total = 0;
    let _ = visit("f", opened, &mut |name, reader| {
        total +=
            io::copy(reader, &mut io::sink()).map_err(|error| InputError::Read { name: name.to_owned(), error })?;
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(total)
}

#[test]
fn bombs_are_refused_and_repetitive_files_are_not() {
    let zeros = vec![0; 100 << 20];
    let encode = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let error = drained(positioned(&encode(&zeros))).unwrap_err();
    assert!(matches!(error, InputError::Bomb { .. }), "{error}");
    assert_eq!(drained(positioned(&encode(&zeros[..60 << 20]))).unwrap(), 60 << 20);
    let quarter = &zeros[..25 << 20];
    let zip = zipped(&[("a", quarter), ("b", quarter), ("c", quarter), ("d", quarter)]);
    let error = drained(positioned(&zip)).unwrap_err();
    assert!(matches!(error, InputError::Bomb { .. }), "{error}");
}
