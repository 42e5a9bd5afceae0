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
    let flow = visit("f", opened, Items::Lines, &mut |name, reader| {
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
    let _ = visit("f", opened, Items::Lines, &mut |name, reader| {
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

/// Bytes as this program compresses them.
fn packed_by(program: &str, bytes: &[u8]) -> Vec<u8> {
    let mut command = std::process::Command::new(program);
    let pipes = (std::process::Stdio::piped(), std::process::Stdio::piped());
    let mut child = command.arg("-c").stdin(pipes.0).stdout(pipes.1).spawn().unwrap();
    let (mut input, bytes) = (child.stdin.take().unwrap(), bytes.to_vec());
    let writer = std::thread::spawn(move || input.write_all(&bytes).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output.stdout
}

fn programs() -> impl Iterator<Item = &'static str> {
    let is_there = |program: &&str| std::process::Command::new(program).arg("--version").output().is_ok();
    ["zstd", "xz", "bzip2", "lz4"].into_iter().filter(is_there)
}

#[test]
fn outside_programs_unpack_what_they_packed() {
    let text: String = (0..200_000).map(|n| format!("{n}\n")).collect();
    for program in programs() {
        for text in [&text, "2\n3\n"] {
            let packed = packed_by(program, text.as_bytes());
            assert!(collected(positioned(&packed)).unwrap() == [pair("f", text)], "{program}");
            assert!(streamed(&packed).unwrap() == [pair("f", text)], "{program}");
        }
    }
}

#[test]
fn an_outside_program_that_fails_is_an_error_behind_what_it_gave() {
    // More than a block of any of them.
    let text: String = (0..1_000_000).map(|n| format!("{n}\n")).collect();
    for program in programs() {
        let packed = packed_by(program, text.as_bytes());
        let mut given = 0;
        let error = visit("f", positioned(&packed[..packed.len() * 9 / 10]), Items::Lines, &mut |name, reader| {
            let copied = loop {
                match reader.read(&mut [0; 4096]) {
                    Ok(0) => break Ok(()),
                    Ok(read) => given += read,
                    Err(error) => break Err(error),
                }
            };
            copied
                .map(|()| ControlFlow::Continue(()))
                .map_err(|error| InputError::Read { name: name.to_owned(), error })
        });
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with(&format!("can't unpack f: {program}")), "{error}");
        assert!(given > 0, "{program}");
    }
}

#[test]
fn gzip_may_be_padded_with_zeros() {
    let several = [gzip(b"2\n3"), vec![0; 512], gzip(b"5\n"), vec![0; 200_000]].concat();
    assert_eq!(collected(positioned(&several)).unwrap(), [pair("f", "2\n35\n")]);
    assert_eq!(streamed(&several).unwrap(), [pair("f", "2\n35\n")]);
    let garbage = [gzip(b"2\n"), b"\0\0x".to_vec()].concat();
    assert!(matches!(collected(positioned(&garbage)), Err(InputError::Unpack { .. })));
}

#[test]
fn what_has_no_items_is_refused_also_when_it_is_packed() {
    let utf16 = b"\xff\xfe2\0\n\0";
    assert_eq!(collected(positioned(utf16)).unwrap(), [pair("f", "2\n")]);
    assert_eq!(streamed(&gzip(utf16)).unwrap(), [pair("f", "2\n")]);
    let mut tar = vec![b'x'; 512];
    tar[257..262].copy_from_slice(b"ustar");
    for (bytes, says) in [
        (tar.clone(), "f is a tar archive: tar -xOf f | …"),
        (gzip(&tar), "f is a tar archive: tar -xOf f | …"),
        (gzip(&gzip(b"2\n")), "f is compressed twice"),
        (zipped(&[("[Content_Types].xml", b"<"), ("xl/workbook.xml", b"<")]), "f is an Excel workbook: save it as CSV"),
        (zipped(&[("a.gz", &gzip(b"2"))]), "f is compressed twice"),
        (b"2\0\n\0".to_vec(), "f is UTF-16 text without a mark: iconv -f UTF-16LE"),
    ] {
        for result in [collected(positioned(&bytes)), streamed(&bytes)] {
            let error = result.unwrap_err().to_string();
            assert!(error.starts_with(says), "{error}");
        }
    }
}
