//! The files and streams that bytes are read from. Files can be read as often
//! as needed, streams once.

use crate::error::InputError;
use crate::file_id::FileId;
use crate::poll::wait_for;
use crate::text::display_path;
use nix::poll::PollFlags;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// One named input.
#[derive(Debug)]
pub(crate) struct InputFile {
    /// The name, safe for a terminal.
    pub(crate) name: String,
    /// The size in bytes, if it is known.
    pub(crate) bytes: Option<u64>,
    /// The file's identity, if it is a regular file.
    pub(crate) id: Option<FileId>,
    kind: InputFileKind,
}

#[derive(Debug)]
enum InputFileKind {
    /// A regular file, opened for each reading.
    Path(PathBuf),
    /// An open regular file, read from this byte on.
    Open(Arc<File>, u64),
    /// A pipe or a device. Opened when it is its turn, because that may wait
    /// for a writer.
    Stream(PathBuf),
    /// Standard input, if it is not a regular file.
    Stdin,
    /// A stream after the last item that is wanted: never opened.
    Unwanted,
}

/// An opened input.
pub(crate) enum OpenedFile {
    /// A file that can seek.
    File(PositionedFile),
    /// A stream that can only be read forward.
    Stream(StreamReader),
}

impl InputFile {
    /// Checks an input without reading it. What can't be read is refused here,
    /// before any work begins.
    pub(crate) fn check(path: &Path) -> Result<Self, InputError> {
        if path == Path::new("-") {
            return Self::stdin();
        }
        let name = display_path(path);
        let failed = |error| InputError::Open { name: display_path(path), error };
        let about = std::fs::metadata(path).map_err(failed)?;
        if about.is_dir() {
            return Err(InputError::Folder(name));
        }
        if !about.is_file() {
            return Ok(Self { name, bytes: None, id: None, kind: InputFileKind::Stream(path.to_owned()) });
        }
        File::open(path).map_err(failed)?;
        Ok(Self { name, bytes: Some(about.len()), id: FileId::of(&about), kind: InputFileKind::Path(path.to_owned()) })
    }

    fn stdin() -> Result<Self, InputError> {
        let name = "-".to_owned();
        let failed = |error| InputError::Open { name: "-".to_owned(), error };
        let file = stdin_file().map_err(failed)?;
        let about = file.metadata().map_err(failed)?;
        if about.is_dir() {
            return Err(InputError::Folder(name));
        }
        if !about.is_file() {
            return Ok(Self { name, bytes: None, id: None, kind: InputFileKind::Stdin });
        }
        // Another program may have read a part of it before.
        let at = (&file).stream_position().map_err(failed)?;
        let (bytes, id) = (Some(about.len().saturating_sub(at)), FileId::of(&about));
        Ok(Self { name, bytes, id, kind: InputFileKind::Open(Arc::new(file), at) })
    }

    /// Whether it is standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.name == "-"
    }

    /// Whether it can be read only once.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.kind, InputFileKind::Stream(_) | InputFileKind::Stdin)
    }

    /// Replaces the stream by a file with the same content.
    pub(crate) fn replace(&mut self, file: File, bytes: u64) {
        self.kind = InputFileKind::Open(Arc::new(file), 0);
        self.bytes = Some(bytes);
    }

    /// Marks a stream as not needed.
    pub(crate) fn forget_stream(&mut self) {
        if self.is_stream() {
            self.kind = InputFileKind::Unwanted;
        }
    }

    /// Opens the input; `None` if it is not needed. `read` counts the bytes
    /// that are read. `copy` receives every byte that is read from a stream.
    pub(crate) fn open(&self, read: &Arc<AtomicU64>, copy: Option<File>) -> Result<Option<OpenedFile>, InputError> {
        let failed = |error| InputError::Open { name: self.name.clone(), error };
        let meter = || Arc::clone(read);
        Ok(Some(match &self.kind {
            InputFileKind::Path(path) => {
                OpenedFile::File(PositionedFile::new(Arc::new(File::open(path).map_err(failed)?), 0, meter()))
            }
            InputFileKind::Open(file, start) => {
                OpenedFile::File(PositionedFile::new(Arc::clone(file), *start, meter()))
            }
            InputFileKind::Stream(path) => {
                let file = File::open(path).map_err(failed)?;
                OpenedFile::Stream(StreamReader { file, read: meter(), copy })
            }
            InputFileKind::Stdin => {
                OpenedFile::Stream(StreamReader { file: stdin_file().map_err(failed)?, read: meter(), copy })
            }
            InputFileKind::Unwanted => return Ok(None),
        }))
    }
}

/// Standard input without a buffer.
fn stdin_file() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// A regular file with a read position of its own: other users of the file
/// descriptor, or a second reader, are not disturbed.
#[derive(Clone)]
pub(crate) struct PositionedFile {
    file: Arc<File>,
    start: u64,
    at: u64,
    read: Arc<AtomicU64>,
}

impl PositionedFile {
    pub(crate) fn new(file: Arc<File>, start: u64, read: Arc<AtomicU64>) -> Self {
        Self { file, start, at: start, read }
    }

    /// How many bytes there are from its start position.
    pub(crate) fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len().saturating_sub(self.start))
    }
}

impl Read for PositionedFile {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for PositionedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, offset) = match to {
            SeekFrom::Start(offset) => (self.start, i64::try_from(offset).unwrap_or(i64::MAX)),
            SeekFrom::End(offset) => (self.start + self.len()?, offset),
            SeekFrom::Current(offset) => (self.at, offset),
        };
        let at = base.checked_add_signed(offset).filter(|&at| at >= self.start);
        self.at = at.ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
        Ok(self.at - self.start)
    }
}

/// A stream. If it is in non-blocking mode, it is waited for; the mode is not
/// changed.
pub(crate) struct StreamReader {
    file: File,
    read: Arc<AtomicU64>,
    copy: Option<File>,
}

/// The copy of a stream could not be written.
#[derive(Debug, thiserror::Error)]
#[error("can't be copied")]
pub(crate) struct CopyFailed(#[source] pub(crate) io::Error);

impl StreamReader {
    #[cfg(test)]
    pub(crate) fn new(file: File) -> Self {
        Self { file, read: Arc::default(), copy: None }
    }
}

impl Read for StreamReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.file.read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_for(&self.file, PollFlags::POLLIN)?,
                Err(error) => return Err(error),
                Ok(read) => {
                    self.read.fetch_add(read as u64, Ordering::Relaxed);
                    if let Some(copy) = &mut self.copy {
                        copy.write_all(&into[..read]).map_err(|error| io::Error::other(CopyFailed(error)))?;
                    }
                    return Ok(read);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(input_file: &InputFile) -> String {
        let Some(OpenedFile::File(mut file)) = input_file.open(&Arc::default(), None).unwrap() else {
            panic!("no file")
        };
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn what_cannot_be_read_is_refused_by_the_check() {
        let missing = InputFile::check(Path::new("/nonexistent/primes")).unwrap_err().to_string();
        assert_eq!(missing, "can't open /nonexistent/primes: No such file or directory");
        assert!(matches!(InputFile::check(Path::new("/")), Err(InputError::Folder(_))));
    }

    #[test]
    fn regular_files_can_be_read_repeatedly() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"2 3").unwrap();
        let input_file = InputFile::check(file.path()).unwrap();
        assert!(!input_file.is_stream());
        assert_eq!(input_file.bytes, Some(3));
        assert_eq!(read_all(&input_file), "2 3");
        assert_eq!(read_all(&input_file), "2 3");
    }

    #[test]
    fn a_positioned_file_begins_at_its_start() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"head body").unwrap();
        let mut at = PositionedFile::new(Arc::new(file), 5, Arc::default());
        assert_eq!(at.seek(SeekFrom::End(-2)).unwrap(), 2);
        assert_eq!(at.seek(SeekFrom::Current(-1)).unwrap(), 1);
        assert!(at.seek(SeekFrom::Current(-2)).is_err());
        let mut text = String::new();
        at.read_to_string(&mut text).unwrap();
        assert_eq!(text, "ody");
    }
}
