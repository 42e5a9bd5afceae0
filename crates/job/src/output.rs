//! Where results go: standard output, a file, a writer of the caller's, or
//! nowhere but into a digest.

use crate::error::{shown, system};
use crate::failures::Failures;
use crate::identity::{FileId, Made};
use crate::origin::wait_for;
use crate::picture::PictureFile;
use crate::plan::Wanted;
use crate::resume::discard;
use crate::resume::journal::Journal;
use crate::resume::trail::Trail;
use nix::poll::PollFlags;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where results go.
pub struct Target {
    name: String,
    /// Which file it is, if it is a regular one.
    id: Option<FileId>,
    writer: Option<Box<dyn Write + Send>>,
    journal: Option<Journal>,
}

/// An output can't be opened or written: status 4.
#[derive(Debug, thiserror::Error)]
#[error("can't write {name}: {}", system(.error))]
pub struct OutputError {
    /// Which one.
    pub name: String,
    /// What the system said.
    pub error: io::Error,
}

/// How the output ended.
#[derive(Debug)]
pub enum OutputEnd {
    /// Everything that was delivered was written.
    Complete,
    /// A failed item ended the run; everything before it was written.
    Failures,
    /// Whoever read it wants no more.
    Closed,
    /// It can't be written.
    Failed(OutputError),
}

/// What became of the results.
#[derive(Debug)]
pub struct OutputReport {
    /// How many items were written, failed ones with their records among them.
    pub items: u64,
    /// How many bytes, a header included.
    pub bytes: u64,
    /// XXH3-128 of what was written, if it was asked for.
    pub digest: Option<u128>,
    /// The failed items.
    pub failures: Failures,
    /// Whether there were more of them than the policy allows.
    pub exceeded: bool,
    /// How it ended.
    pub end: OutputEnd,
    /// What an earlier run had done of it; the figures above include that.
    pub before: Before,
    /// How many items are complete, if it can be gone on with.
    pub resumable: Option<u64>,
    /// Why its record could not be kept: it may not be possible to resume it.
    pub record_error: Option<OutputError>,
}

/// What an earlier run had done of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Before {
    /// How many items, failed ones among them.
    pub items: u64,
    /// How many of them failed.
    pub failures: u64,
}

impl OutputReport {
    /// Of a run that could not begin.
    pub(crate) fn nothing(before: Before) -> Self {
        Self {
            items: before.items,
            bytes: 0,
            digest: None,
            failures: Failures::default(),
            exceeded: false,
            end: OutputEnd::Complete,
            before,
            resumable: None,
            record_error: None,
        }
    }
}

impl Target {
    /// The standard output, unbuffered.
    ///
    /// # Errors
    /// It is closed: also if it was when the program was started.
    pub fn stdout() -> Result<Self, OutputError> {
        let name = "standard output".to_owned();
        match procession_sys::check_stdout().and_then(|()| io::stdout().as_fd().try_clone_to_owned()) {
            Ok(descriptor) => Ok(Self::file(name, File::from(descriptor))),
            Err(error) => Err(OutputError { name, error }),
        }
    }

    /// A file, created if there is none. One that has something in it is
    /// emptied when the first result is written, or when it is known that there
    /// is none: a call that is refused, or comes to nothing, leaves it as it was.
    ///
    /// # Errors
    /// It can't be opened for writing.
    pub fn create(path: &Path) -> Result<Self, OutputError> {
        let opened = File::options().write(true).create(true).truncate(false).open(path);
        match opened.and_then(|file| Ok((file.metadata()?.is_file(), file))) {
            Ok((is_full, file)) => {
                let first = First { cut: is_full.then_some(0), ..First::default() };
                Ok(Self::descriptor(shown(path), Descriptor { file: Some(file), first: Some(first) }))
            }
            Err(error) => Err(OutputError { name: shown(path), error }),
        }
    }

    /// An open file, written from where it stands.
    #[must_use]
    pub fn file(name: String, file: File) -> Self {
        Self::descriptor(name, Descriptor { file: Some(file), first: None })
    }

    /// An open file, to which this is done before the first write or at the end.
    pub(crate) fn prepared(name: String, file: File, first: First) -> Self {
        Self::descriptor(name, Descriptor { file: Some(file), first: Some(first) })
    }

    /// Its results are a journal.
    pub(crate) fn with_journal(self, journal: Journal) -> Self {
        Self { journal: Some(journal), ..self }
    }

    /// What the source is to tell of its blocks to.
    pub(crate) fn trail(&self) -> Option<Arc<Trail>> {
        self.journal.as_ref().map(|journal| Arc::clone(journal.trail()))
    }

    /// What an earlier run had done of it.
    pub(crate) fn before(&self) -> Before {
        self.journal.as_ref().map_or_else(Before::default, |journal| journal.before.summary())
    }

    /// What it is called, and which file it is if it is a regular one.
    pub(crate) fn file_id(&self) -> Option<(&str, FileId)> {
        self.id.map(|id| (&self.name[..], id))
    }

    fn descriptor(name: String, descriptor: Descriptor) -> Self {
        let id = descriptor.file.as_ref().and_then(FileId::of_file);
        Self { name, id, writer: Some(Box::new(descriptor)), journal: None }
    }

    /// Something else that takes bytes; flushed at the end.
    #[must_use]
    pub fn writer(name: impl Into<String>, writer: Box<dyn Write + Send>) -> Self {
        Self { name: name.into(), id: None, writer: Some(writer), journal: None }
    }

    /// Nothing is written, only counted (and digested).
    #[must_use]
    pub fn nothing() -> Self {
        Self { name: String::new(), id: None, writer: None, journal: None }
    }

    pub(crate) fn into_parts(self) -> (String, Option<Box<dyn Write + Send>>, Option<Journal>) {
        (self.name, self.writer, self.journal)
    }
}

/// What to open once it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputChoice {
    /// The standard output.
    Stdout,
    /// This file.
    File(PathBuf),
    /// A picture made of the results; with several sizes, one for each.
    Picture(PictureFile),
}

impl OutputChoice {
    /// Whether it is a picture: what is written is not what was computed, and
    /// can't be gone on with.
    #[must_use]
    pub fn is_picture(&self) -> bool {
        matches!(self, Self::Picture(_))
    }

    /// Which results of a study it takes.
    pub(crate) fn wanted(choice: Option<&Self>) -> Wanted {
        match choice {
            None => Wanted::Nothing,
            Some(Self::Picture(_)) => Wanted::EachSize,
            Some(Self::Stdout | Self::File(_)) => Wanted::Largest,
        }
    }
}

/// A descriptor that is waited for if it does not block; its flags, which
/// others may share, are left alone. Flushing, which comes last, closes it, as
/// some file systems tell of an error only then.
struct Descriptor {
    file: Option<File>,
    /// What is still to be done to it.
    first: Option<First>,
}

/// What comes before the first write, and not before it is known that there is
/// one.
#[derive(Debug, Default)]
pub(crate) struct First {
    /// A record that will no longer be true.
    pub(crate) stale: Option<PathBuf>,
    /// What it is cut to.
    pub(crate) cut: Option<u64>,
    /// The file is new: gone again if it comes to nothing.
    pub(crate) made: Option<Made>,
}

impl First {
    fn apply(self, file: &File) -> io::Result<()> {
        // The record first: at no moment it speaks of bytes that are not there.
        self.stale.map_or(Ok(()), |record| discard(&record))?;
        self.cut.map_or(Ok(()), |bytes| file.set_len(bytes))?;
        if let Some(made) = self.made {
            made.keep();
        }
        Ok(())
    }
}

impl Descriptor {
    fn ready(&mut self) -> io::Result<&mut File> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        if let Some(first) = self.first.take() {
            first.apply(file)?;
        }
        Ok(file)
    }
}

impl Write for Descriptor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let file = self.ready()?;
        loop {
            match file.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_for(file, PollFlags::POLLOUT)?,
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.ready()?;
        match self.file.take().map(nix::unistd::close) {
            // The descriptor is gone after an interruption too.
            None | Some(Ok(()) | Err(nix::errno::Errno::EINTR)) => Ok(()),
            Some(Err(error)) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::fcntl::{FcntlArg, OFlag, fcntl};
    use std::io::Read as _;
    use std::os::fd::OwnedFd;

    #[test]
    fn an_output_that_cant_be_created_says_so() {
        let error = Target::create(Path::new("/nonexistent/out")).err().unwrap();
        assert_eq!(error.to_string(), "can't write /nonexistent/out: No such file or directory");
    }

    #[test]
    fn a_pipe_that_does_not_block_is_waited_for_and_left_as_it_is() {
        let (mut reader, writer) = io::pipe().unwrap();
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let kept = writer.try_clone().unwrap();
        let mut descriptor = Descriptor { file: Some(File::from(OwnedFd::from(writer))), first: None };
        let thread = std::thread::spawn(move || descriptor.write_all(&vec![7; 1 << 20]));
        let mut read = vec![0; 1 << 20];
        reader.read_exact(&mut read).unwrap();
        thread.join().unwrap().unwrap();
        assert!(read.iter().all(|&byte| byte == 7));
        let flags = OFlag::from_bits_truncate(fcntl(&kept, FcntlArg::F_GETFL).unwrap());
        assert!(flags.contains(OFlag::O_NONBLOCK));
    }

    #[test]
    fn a_file_is_emptied_by_the_first_write_or_by_the_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (written, expected) in [(&b"new"[..], "new"), (b"", "")] {
            std::fs::write(file.path(), "old and long").unwrap();
            let (_, writer, _) = Target::create(file.path()).unwrap().into_parts();
            assert_eq!(std::fs::read_to_string(file.path()).unwrap(), "old and long");
            let mut writer = writer.unwrap();
            if !written.is_empty() {
                writer.write_all(written).unwrap();
            }
            writer.flush().unwrap();
            assert_eq!(std::fs::read_to_string(file.path()).unwrap(), expected);
        }
    }
}
