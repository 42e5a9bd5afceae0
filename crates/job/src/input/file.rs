//! Where bytes come from: files that can be read as often as one likes, and
//! streams that can be read once.

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
    /// Its name, safe for a terminal.
    pub(crate) name: String,
    /// How many bytes it has, where that is known.
    pub(crate) bytes: Option<u64>,
    /// Which file it is, if it is a regular one.
    pub(crate) id: Option<FileId>,
    kind: InputFileKind,
}

#[derive(Debug)]
enum InputFileKind {
    /// A regular file, opened anew for each reading.
    Path(PathBuf),
    /// A regular file that is open already, from this byte on.
    Open(Arc<File>, u64),
    /// A pipe or a device, opened when its turn comes (that may wait for a writer).
    Stream(PathBuf),
    /// The standard input, if it is no regular file.
    Stdin,
    /// A stream behind the last item that is wanted: never opened.
    Unwanted,
}

/// An opened input.
pub(crate) enum OpenedFile {
    /// It can be sought in.
    File(PositionedFile),
    /// It can only be read on.
    Stream(StreamReader),
}

impl InputFile {
    /// Looks at an input without reading it; what can't be read is refused here,
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
        // Someone before us may have read a part of it.
        let at = (&file).stream_position().map_err(failed)?;
        let (bytes, id) = (Some(about.len().saturating_sub(at)), FileId::of(&about));
        Ok(Self { name, bytes, id, kind: InputFileKind::Open(Arc::new(file), at) })
    }

    /// Whether it is the standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.name == "-"
    }

    /// Whether it can be read only once.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.kind, InputFileKind::Stream(_) | InputFileKind::Stdin)
    }

    /// From now on this file holds what the stream had.
    pub(crate) fn replace(&mut self, file: File, bytes: u64) {
        self.kind = InputFileKind::Open(Arc::new(file), 0);
        self.bytes = Some(bytes);
    }

    /// Nothing of it will be needed, if it is a stream.
    pub(crate) fn forget_stream(&mut self) {
        if self.is_stream() {
            self.kind = InputFileKind::Unwanted;
        }
    }

    /// Opens it; `None` if nothing of it is wanted. `read` counts the bytes that
    /// are read; of a stream, `copy` gets every byte that is read.
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

/// The standard input without a buffer in front of it.
fn stdin_file() -> io::Result<File> {
    Ok(File::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// A regular file read from a position of its own, so that whoever shares the
/// descriptor, or reads it a second time, is not disturbed.
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

    /// How many bytes there are from its start.
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

/// A stream; one that does not block is waited for, its flags are left alone.
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
    fn what_cant_be_read_is_refused_when_it_is_looked_at() {
        let missing = InputFile::check(Path::new("/nonexistent/primes")).unwrap_err().to_string();
        assert_eq!(missing, "can't open /nonexistent/primes: No such file or directory");
        assert!(matches!(InputFile::check(Path::new("/")), Err(InputError::Folder(_))));
    }

    #[test]
    fn regular_files_are_read_again_and_again() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"2 3").unwrap();
        let input_file = InputFile::check(file.path()).unwrap();
        assert!(!input_file.is_stream());
        assert_eq!(input_file.bytes, Some(3));
        assert_eq!(read_all(&input_file), "2 3");
        assert_eq!(read_all(&input_file), "2 3");
    }

    #[test]
    fn a_position_of_its_own_starts_where_it_is_told() {
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
