//! Unpacks compressed inputs, recognised by their content: gzip (also with
//! several members) and zip (every file in it, in order) here; zstd, xz, bzip2 and
//! lz4 by the usual programs. What has no items is refused by its name.

mod gzip;
mod kind;
mod program;
mod utf16;

use self::gzip::GzipReader;
use self::kind::{BEGINNINGS, InputKind, OtherKind, PackedFormat};
use self::program::ProgramReader;
use self::utf16::Utf16Reader;
use super::file::{OpenedFile, PositionedFile};
use super::peek::PeekReader;
use crate::error::InputError;
use crate::text::system_message;
use procession_task::{Items, shell_quote};
use std::io::{self, BufRead, BufReader, Read, Seek as _, SeekFrom};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use zip::ZipArchive;

/// The largest accepted ratio of unpacked to packed bytes.
const MAX_RATIO: u64 = 1000;
/// The ratio is checked once this many bytes were unpacked.
const JUDGED_FROM: u64 = 64 * 1024 * 1024;
/// Packed bytes are read in pieces of this many bytes.
const PACKED_BUFFER: usize = 128 * 1024;

/// Receives one stream of unpacked bytes and its name.
pub(crate) type Visit<'a> = dyn FnMut(&str, &mut dyn Read) -> Result<ControlFlow<()>, InputError> + 'a;

/// Visits every stream of plain bytes in this input: the input itself, what it
/// unpacks to, or each file of an archive. A byte-order mark is removed, UTF-16
/// is read as UTF-8. `items` is how the items are cut.
///
/// # Errors
/// The input can't be read or unpacked, or is known to have no items.
pub(crate) fn visit(
    name: &str,
    opened: OpenedFile,
    items: Items,
    visit: &mut Visit<'_>,
) -> Result<ControlFlow<()>, InputError> {
    match opened {
        OpenedFile::File(mut file) => {
            let kind = kind(name, &mut PeekReader::new(&mut file), items)?;
            let start = if let InputKind::Plain(mark) = kind { mark } else { 0 };
            let failed = |error| InputError::Read { name: name.to_owned(), error };
            file.seek(SeekFrom::Start(start as u64)).map_err(failed)?;
            match kind {
                InputKind::Zip => visit_zip(name, file, items, visit),
                // A plain file is read as it is, without a copy of its beginning.
                InputKind::Plain(_) => visit(name, &mut file),
                kind => visit_kind(name, kind, file, items, visit),
            }
        }
        OpenedFile::Stream(stream) => {
            let mut stream = PeekReader::new(stream);
            match kind(name, &mut stream, items)? {
                InputKind::Zip => visit_zip(name, spooled(&mut stream)?, items, visit),
                kind => visit_kind(name, kind, stream, items, visit),
            }
        }
    }
}

/// What the stream is.
fn kind(name: &str, reader: &mut PeekReader<impl Read>, items: Items) -> Result<InputKind, InputError> {
    let beginnings: Vec<&[u8]> = BEGINNINGS.iter().map(|(beginning, _)| *beginning).collect();
    let begins = reader.begins_with(&beginnings).map_err(|error| InputError::Read { name: name.to_owned(), error })?;
    Ok(kind::of(begins, reader.head(), items))
}

fn visit_kind(
    name: &str,
    kind: InputKind,
    mut reader: impl Read + Send + 'static,
    items: Items,
    visit: &mut Visit<'_>,
) -> Result<ControlFlow<()>, InputError> {
    let taken = Arc::new(AtomicU64::new(0));
    let packed_size = |taken: &Arc<AtomicU64>| {
        let taken = Arc::clone(taken);
        move || taken.load(Ordering::Relaxed)
    };
    let (mut given, packed_size) = (0, packed_size(&taken));
    match kind {
        InputKind::Gzip => {
            let packed = CompressedReader { inner: BufReader::with_capacity(PACKED_BUFFER, reader), taken };
            let mut reader = UnpackedReader { inner: GzipReader::new(packed), given: &mut given, packed_size };
            explained(name, visit_unpacked(name, &mut reader, items, visit))
        }
        InputKind::Packed(format) => {
            let inner =
                ProgramReader::start(format, reader, taken).map_err(|error| not_started(name, format, error))?;
            let mut reader = UnpackedReader { inner, given: &mut given, packed_size };
            explained(name, visit_unpacked(name, &mut reader, items, visit))
        }
        kind => visit_text(name, kind, &mut reader, visit),
    }
}

/// Visits what an input unpacks to. Whatever it is then, it is not unpacked again.
fn visit_unpacked(
    name: &str,
    reader: &mut dyn Read,
    items: Items,
    visit: &mut Visit<'_>,
) -> Result<ControlFlow<()>, InputError> {
    let mut reader = PeekReader::new(reader);
    let kind = kind(name, &mut reader, items)?;
    visit_text(name, kind, &mut reader, visit)
}

fn visit_text(
    name: &str,
    kind: InputKind,
    reader: &mut dyn Read,
    visit: &mut Visit<'_>,
) -> Result<ControlFlow<()>, InputError> {
    let mark = match kind {
        InputKind::Plain(mark) => mark,
        InputKind::Utf16 { .. } => 2,
        InputKind::Other(other) => return Err(no_items(name, other)),
        InputKind::Gzip | InputKind::Zip | InputKind::Packed(_) => {
            return Err(no_items(name, OtherKind { what: "compressed twice", way_out: "unpack it before" }));
        }
    };
    let passed = reader.read_exact(&mut [0; 3][..mark]);
    passed.map_err(|error| InputError::Read { name: name.to_owned(), error })?;
    match kind {
        InputKind::Utf16 { is_big_endian } => visit(name, &mut Utf16Reader::new(reader, is_big_endian)),
        _ => visit(name, reader),
    }
}

/// The refusal of an input without items.
fn no_items(name: &str, kind: OtherKind) -> InputError {
    let way_out = kind.way_out.replace("FILE", &shell_quote::word(name.as_bytes()));
    InputError::NoItems { name: name.to_owned(), what: kind.what, way_out }
}

fn not_started(name: &str, format: PackedFormat, error: io::Error) -> InputError {
    if error.kind() != io::ErrorKind::NotFound {
        return InputError::Unpack { name: name.to_owned(), message: format!("{}: {error}", format.program) };
    }
    let command = format!("{} {} | …", format.cat, shell_quote::word(name.as_bytes()));
    InputError::NoProgram { name: name.to_owned(), program: format.program, command }
}

/// Copies an archive that comes through a pipe to a temporary file, because its
/// directory is at its end.
fn spooled(stream: &mut dyn Read) -> Result<PositionedFile, InputError> {
    let mut file = tempfile::tempfile().map_err(InputError::Spool)?;
    io::copy(stream, &mut file).map_err(InputError::Spool)?;
    Ok(PositionedFile::new(Arc::new(file), 0, Arc::default()))
}

fn visit_zip(
    name: &str,
    file: PositionedFile,
    items: Items,
    visit: &mut Visit<'_>,
) -> Result<ControlFlow<()>, InputError> {
    let read = |error| InputError::Read { name: name.to_owned(), error };
    let unpack = |error: zip::result::ZipError| unpack_error(name, &error);
    let size = file.len().map_err(read)?;
    let mut file = file;
    file.seek(SeekFrom::Start(0)).map_err(read)?;
    let mut archive = ZipArchive::new(BufReader::with_capacity(PACKED_BUFFER, file)).map_err(unpack)?;
    let wanted = wanted_entries(name, &mut archive)?;
    let names: Vec<&str> = wanted.iter().map(|(_, name)| &name[..]).collect();
    if let Some(kind) = kind::document(&names) {
        return Err(no_items(name, kind));
    }
    let mut given = 0;
    for (entry, entry_name) in &wanted {
        let shown = if wanted.len() == 1 { name.to_owned() } else { format!("{name}/{entry_name}") };
        let inner = archive.by_index(*entry).map_err(unpack)?;
        let mut reader = UnpackedReader { inner, given: &mut given, packed_size: || size };
        if explained(name, visit_unpacked(&shown, &mut reader, items, visit))?.is_break() {
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
