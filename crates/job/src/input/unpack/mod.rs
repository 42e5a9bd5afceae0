//! Unpacks compressed inputs, recognised by their content: gzip (also with
//! several members) and zip (every file in it, in order).

use super::file::{OpenedFile, PositionedFile};
use super::peek::PeekReader;
use crate::error::InputError;
use crate::text::system_message;
use flate2::bufread::MultiGzDecoder;
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zip::ZipArchive;

const GZIP: &[u8] = b"\x1f\x8b\x08";
const ZIP: &[u8] = b"PK\x03\x04";
const EMPTY_ZIP: &[u8] = b"PK\x05\x06";
const MARK: &[u8] = b"\xef\xbb\xbf";

/// The largest accepted ratio of unpacked to packed bytes.
const MAX_RATIO: u64 = 1000;
/// The ratio is checked once this many bytes were unpacked.
const JUDGED_FROM: u64 = 64 * 1024 * 1024;
/// Packed bytes are read in pieces of this many bytes.
const PACKED_BUFFER: usize = 128 * 1024;

/// Receives one stream of unpacked bytes and its name.
pub(crate) type Visit<'a> = dyn FnMut(&str, &mut dyn Read) -> Result<ControlFlow<()>, InputError> + 'a;

/// Visits every stream of plain bytes in this input: the input itself, what it
/// unpacks to, or each file of an archive. A byte-order mark is removed.
pub(crate) fn visit(name: &str, opened: OpenedFile, visit: &mut Visit<'_>) -> Result<ControlFlow<()>, InputError> {
    let failed = |error| InputError::Read { name: name.to_owned(), error };
    let beginnings = [GZIP, ZIP, EMPTY_ZIP];
    match opened {
        OpenedFile::File(mut file) => {
            let kind = PeekReader::new(&mut file).begins_with(&beginnings).map_err(failed)?;
            file.rewind().map_err(failed)?;
            match kind {
                None => visit_file(name, file, visit),
                Some(0) => visit_gzip(name, file, visit),
                Some(_) => visit_zip(name, file, visit),
            }
        }
        OpenedFile::Stream(stream) => {
            let mut stream = PeekReader::new(stream);
            match stream.begins_with(&beginnings).map_err(failed)? {
                None => visit_plain(name, &mut stream, visit),
                Some(0) => visit_gzip(name, stream, visit),
                Some(_) => visit_zip(name, spooled(&mut stream)?, visit),
            }
        }
    }
}

/// A plain file is read as it is, without a copy of its beginning.
fn visit_file(name: &str, mut file: PositionedFile, visit: &mut Visit<'_>) -> Result<ControlFlow<()>, InputError> {
    let failed = |error| InputError::Read { name: name.to_owned(), error };
    let is_marked = PeekReader::new(&mut file).begins_with(&[MARK]).map_err(failed)?.is_some();
    let start = if is_marked { MARK.len() as u64 } else { 0 };
    file.seek(SeekFrom::Start(start)).map_err(failed)?;
    visit(name, &mut file)
}

fn visit_plain(name: &str, reader: &mut dyn Read, visit: &mut Visit<'_>) -> Result<ControlFlow<()>, InputError> {
    let mut reader = PeekReader::new(reader);
    match reader.begins_with(&[MARK]) {
        Ok(Some(_)) => reader.pass(MARK.len()),
        Ok(None) => {}
        Err(error) => return Err(InputError::Read { name: name.to_owned(), error }),
    }
    visit(name, &mut reader)
}

fn visit_gzip(name: &str, reader: impl Read, visit: &mut Visit<'_>) -> Result<ControlFlow<()>, InputError> {
    let taken = Arc::new(AtomicU64::new(0));
    let packed = CompressedReader { inner: BufReader::with_capacity(PACKED_BUFFER, reader), taken: Arc::clone(&taken) };
    let packed_size = move || taken.load(Ordering::Relaxed);
    let mut given = 0;
    let mut reader = UnpackedReader { inner: MultiGzDecoder::new(packed), given: &mut given, packed_size };
    explained(name, visit_plain(name, &mut reader, visit))
}

/// Copies an archive that comes through a pipe to a temporary file, because its
/// directory is at its end.
fn spooled(stream: &mut dyn Read) -> Result<PositionedFile, InputError> {
    let mut file = tempfile::tempfile().map_err(InputError::Spool)?;
    io::copy(stream, &mut file).map_err(InputError::Spool)?;
    Ok(PositionedFile::new(Arc::new(file), 0, Arc::default()))
}

fn visit_zip(name: &str, file: PositionedFile, visit: &mut Visit<'_>) -> Result<ControlFlow<()>, InputError> {
    let read = |error| InputError::Read { name: name.to_owned(), error };
    let unpack = |error: zip::result::ZipError| unpack_error(name, &error);
    let size = file.len().map_err(read)?;
    let mut file = file;
    file.seek(SeekFrom::Start(0)).map_err(read)?;
    let mut archive = ZipArchive::new(BufReader::with_capacity(PACKED_BUFFER, file)).map_err(unpack)?;
    let wanted = wanted_entries(name, &mut archive)?;
    let mut given = 0;
    for (entry, entry_name) in &wanted {
        let shown = if wanted.len() == 1 { name.to_owned() } else { format!("{name}/{entry_name}") };
        let inner = archive.by_index(*entry).map_err(unpack)?;
        let mut reader = UnpackedReader { inner, given: &mut given, packed_size: || size };
        if explained(name, visit_plain(&shown, &mut reader, visit))?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The files of an archive, without folders and without the files that macOS
/// adds.
fn wanted_entries(
    name: &str,
    archive: &mut ZipArchive<BufReader<PositionedFile>>,
) -> Result<Vec<(usize, String)>, InputError> {
    let mut wanted = Vec::new();
    for index in 0..archive.len() {
        let entry = archive.by_index_raw(index).map_err(|error| unpack_error(name, &error))?;
        let path = entry.name_raw();
        let last = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
        let is_added = path.starts_with(b"__MACOSX/") || last.starts_with(b"._");
        if !entry.is_dir() && !entry.is_symlink() && !is_added {
            wanted.push((index, procession_task::escape_terminal(path)));
        }
    }
    Ok(wanted)
}

fn unpack_error(name: &str, error: &zip::result::ZipError) -> InputError {
    InputError::Unpack { name: name.to_owned(), message: error.to_string() }
}

/// Replaces errors of the unpacking reader by errors that say what is wrong.
fn explained<T>(name: &str, result: Result<T, InputError>) -> Result<T, InputError> {
    result.map_err(|error| match error {
        InputError::Read { error, .. } if error.get_ref().is_some_and(|inner| inner.is::<Bomb>()) => {
            InputError::Bomb { name: name.to_owned(), ratio: MAX_RATIO }
        }
        InputError::Read { name, error } if error.kind() == io::ErrorKind::UnexpectedEof => {
            InputError::Unpack { name, message: "unexpected end of file".to_owned() }
        }
        InputError::Read { name, error } if error.raw_os_error().is_none() => {
            InputError::Unpack { name, message: system_message(&error) }
        }
        other => other,
    })
}

#[derive(Debug, thiserror::Error)]
#[error("unpacks to too much")]
struct Bomb;

/// Counts unpacked bytes and fails when the ratio is too large.
struct UnpackedReader<'a, R, S> {
    inner: R,
    given: &'a mut u64,
    packed_size: S,
}

impl<R: Read, S: Fn() -> u64> Read for UnpackedReader<'_, R, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        *self.given += read as u64;
        let is_large = *self.given > JUDGED_FROM;
        if is_large && *self.given / MAX_RATIO > (self.packed_size)() {
            return Err(io::Error::other(Bomb));
        }
        Ok(read)
    }
}

/// Counts the packed bytes that were used, not those that were only read ahead.
struct CompressedReader<R> {
    inner: R,
    taken: Arc<AtomicU64>,
}

impl<R: Read> Read for CompressedReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.taken.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl<R: BufRead> BufRead for CompressedReader<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.taken.fetch_add(bytes as u64, Ordering::Relaxed);
        self.inner.consume(bytes);
    }
}

#[cfg(test)]
mod tests;
