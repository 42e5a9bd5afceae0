//! Where bytes come from: files that can be read as often as one likes, and
//! streams that can be read once.

use crate::error::InputError;
use crate::file_id::FileId;
use crate::poll::wait_for;
use crate::text::shown;
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
pub(crate) struct Origin {
    /// Its name, safe for a terminal.
    pub(crate) name: String,
    /// How many bytes it has, where that is known.
    pub(crate) bytes: Option<u64>,
    /// Which file it is, if it is a regular one.
    pub(crate) id: Option<FileId>,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
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
pub(crate) enum Opened {
    /// It can be sought in.
    File(Positioned),
    /// It can only be read on.
    Stream(Waiting),
}

impl Origin {
    /// Looks at an input without reading it; what can't be read is refused here,
    /// before any work begins.
    pub(crate) fn look(path: &Path) -> Result<Self, InputError> {
        if path == Path::new("-") {
            return Self::stdin();
        }
        let name = shown(path);
        let failed = |error| InputError::Open { name: shown(path), error };
        let about = std::fs::metadata(path).map_err(failed)?;
        if about.is_dir() {
            return Err(InputError::Folder(name));
        }
        if !about.is_file() {
            return Ok(Self { name, bytes: None, id: None, kind: Kind::Stream(path.to_owned()) });
        }
        File::open(path).map_err(failed)?;
        Ok(Self { name, bytes: Some(about.len()), id: FileId::of(&about), kind: Kind::Path(path.to_owned()) })
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
            return Ok(Self { name, bytes: None, id: None, kind: Kind::Stdin });
        }
        // Someone before us may have read a part of it.
        let at = (&file).stream_position().map_err(failed)?;
        let (bytes, id) = (Some(about.len().saturating_sub(at)), FileId::of(&about));
        Ok(Self { name, bytes, id, kind: Kind::Open(Arc::new(file), at) })
    }

    /// Whether it is the standard input.
    pub(crate) fn is_stdin(&self) -> bool {
        self.name == "-"
    }

    /// Whether it can be read only once.
    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.kind, Kind::Stream(_) | Kind::Stdin)
    }

    /// From now on this file holds what the stream had.
    pub(crate) fn replace(&mut self, file: File, bytes: u64) {
        self.kind = Kind::Open(Arc::new(file), 0);
        self.bytes = Some(bytes);
    }

    /// Nothing of it will be needed, if it is a stream.
    pub(crate) fn forget_stream(&mut self) {
        if self.is_stream() {
            self.kind = Kind::Unwanted;
        }
    }

    /// Opens it; `None` if nothing of it is wanted. `read` counts the bytes that
    /// are read; of a stream, `copy` gets every byte that is read.
    pub(crate) fn open(&self, read: &Arc<AtomicU64>, copy: Option<File>) -> Result<Option<Opened>, InputError> {
        let failed = |error| InputError::Open { name: self.name.clone(), error };
        let meter = || Arc::clone(read);
        Ok(Some(match &self.kind {
            Kind::Path(path) => Opened::File(Positioned::new(Arc::new(File::open(path).map_err(failed)?), 0, meter())),
            Kind::Open(file, start) => Opened::File(Positioned::new(Arc::clone(file), *start, meter())),
            Kind::Stream(path) => {
                let file = File::open(path).map_err(failed)?;
                Opened::Stream(Waiting { file, read: meter(), copy })
            }
            Kind::Stdin => Opened::Stream(Waiting { file: stdin_file().map_err(failed)?, read: meter(), copy }),
            Kind::Unwanted => return Ok(None),
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
pub(crate) struct Positioned {
    file: Arc<File>,
    start: u64,
    at: u64,
    read: Arc<AtomicU64>,
}

impl Positioned {
    pub(crate) fn new(file: Arc<File>, start: u64, read: Arc<AtomicU64>) -> Self {
        Self { file, start, at: start, read }
    }

    /// How many bytes there are from its start.
    pub(crate) fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len().saturating_sub(self.start))
    }
}

impl Read for Positioned {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += read as u64;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

impl Seek for Positioned {
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
pub(crate) struct Waiting {
    file: File,
    read: Arc<AtomicU64>,
    copy: Option<File>,
}

/// The copy of a stream could not be written.
#[derive(Debug, thiserror::Error)]
#[error("can't be copied")]
pub(crate) struct CopyFailed(#[source] pub(crate) io::Error);

impl Waiting {
    #[cfg(test)]
    pub(crate) fn new(file: File) -> Self {
        Self { file, read: Arc::default(), copy: None }
    }
}

impl Read for Waiting {
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

    fn read_all(origin: &Origin) -> String {
        let Some(Opened::File(mut file)) = origin.open(&Arc::default(), None).unwrap() else { panic!("no file") };
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn what_cant_be_read_is_refused_when_it_is_looked_at() {
        let missing = Origin::look(Path::new("/nonexistent/primes")).unwrap_err().to_string();
        assert_eq!(missing, "can't open /nonexistent/primes: No such file or directory");
        assert!(matches!(Origin::look(Path::new("/")), Err(InputError::Folder(_))));
    }

    #[test]
    fn regular_files_are_read_again_and_again() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"2 3").unwrap();
        let origin = Origin::look(file.path()).unwrap();
        assert!(!origin.is_stream());
        assert_eq!(origin.bytes, Some(3));
        assert_eq!(read_all(&origin), "2 3");
        assert_eq!(read_all(&origin), "2 3");
    }

    #[test]
    fn a_position_of_its_own_starts_where_it_is_told() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"head body").unwrap();
        let mut at = Positioned::new(Arc::new(file), 5, Arc::default());
        assert_eq!(at.seek(SeekFrom::End(-2)).unwrap(), 2);
        assert_eq!(at.seek(SeekFrom::Current(-1)).unwrap(), 1);
        assert!(at.seek(SeekFrom::Current(-2)).is_err());
        let mut text = String::new();
        at.read_to_string(&mut text).unwrap();
        assert_eq!(text, "ody");
    }
}
