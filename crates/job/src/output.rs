//! Where results go: standard output, a file, a writer of the caller's, or
//! nowhere but into a digest.

use crate::error::{shown, system};
use crate::failures::Failures;
use crate::origin::wait_for;
use nix::poll::PollFlags;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

/// Where results go.
pub struct Target {
    name: String,
    writer: Option<Box<dyn Write + Send>>,
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
}

impl Target {
    /// The standard output, unbuffered.
    ///
    /// # Errors
    /// It is closed.
    pub fn stdout() -> Result<Self, OutputError> {
        let name = "standard output".to_owned();
        match io::stdout().as_fd().try_clone_to_owned() {
            Ok(descriptor) => Ok(Self::file(name, File::from(descriptor))),
            Err(error) => Err(OutputError { name, error }),
        }
    }

    /// A file, created or emptied.
    ///
    /// # Errors
    /// It can't be created.
    pub fn create(path: &Path) -> Result<Self, OutputError> {
        match File::create(path) {
            Ok(file) => Ok(Self::file(shown(path), file)),
            Err(error) => Err(OutputError { name: shown(path), error }),
        }
    }

    /// An open file.
    #[must_use]
    pub fn file(name: String, file: File) -> Self {
        Self { name, writer: Some(Box::new(Descriptor(Some(file)))) }
    }

    /// Something else that takes bytes; flushed at the end.
    #[must_use]
    pub fn writer(name: impl Into<String>, writer: Box<dyn Write + Send>) -> Self {
        Self { name: name.into(), writer: Some(writer) }
    }

    /// Nothing is written, only counted (and digested).
    #[must_use]
    pub fn nothing() -> Self {
        Self { name: String::new(), writer: None }
    }

    pub(crate) fn into_parts(self) -> (String, Option<Box<dyn Write + Send>>) {
        (self.name, self.writer)
    }
}

/// What to open once it is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputChoice {
    /// The standard output.
    Stdout,
    /// This file.
    File(PathBuf),
}

impl OutputChoice {
    /// Opens it.
    ///
    /// # Errors
    /// It can't be opened.
    pub fn open(&self) -> Result<Target, OutputError> {
        match self {
            Self::Stdout => Target::stdout(),
            Self::File(path) => Target::create(path),
        }
    }
}

/// A descriptor that is waited for if it does not block; its flags, which
/// others may share, are left alone. Flushing, which comes last, closes it, as
/// some file systems tell of an error only then.
struct Descriptor(Option<File>);

impl Write for Descriptor {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(file) = &mut self.0 else { return Err(io::ErrorKind::BrokenPipe.into()) };
        loop {
            match file.write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait_for(file, PollFlags::POLLOUT)?,
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.take().map(nix::unistd::close) {
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
        let mut descriptor = Descriptor(Some(File::from(OwnedFd::from(writer))));
        let thread = std::thread::spawn(move || descriptor.write_all(&vec![7; 1 << 20]));
        let mut read = vec![0; 1 << 20];
        reader.read_exact(&mut read).unwrap();
        thread.join().unwrap().unwrap();
        assert!(read.iter().all(|&byte| byte == 7));
        let flags = OFlag::from_bits_truncate(fcntl(&kept, FcntlArg::F_GETFL).unwrap());
        assert!(flags.contains(OFlag::O_NONBLOCK));
    }
}
