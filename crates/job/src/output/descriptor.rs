//! The file descriptor that results are written to.

use super::new_file::NewFile;
use crate::poll::wait_for;
use crate::resume::record_file::discard;
use nix::poll::PollFlags;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

/// A file descriptor that is waited for if it is in non-blocking mode; the mode
/// is not changed, because other processes may share it. The flush at the end
/// closes the descriptor: some file systems report errors only then.
pub(super) struct OutputDescriptor {
    pub(super) file: Option<File>,
    /// What to do before the first write.
    pub(super) first: Option<BeforeFirstWrite>,
}

/// What to do to an output before its first write, or at the end if there is
/// none.
#[derive(Debug, Default)]
pub(crate) struct BeforeFirstWrite {
    /// A resume record that will no longer be true: removed.
    pub(crate) stale: Option<PathBuf>,
    /// The length in bytes that the output is truncated to.
    pub(crate) cut: Option<u64>,
    /// The file is new: kept from now on.
    pub(crate) made: Option<NewFile>,
}

impl BeforeFirstWrite {
    fn apply(self, file: &File) -> io::Result<()> {
        // The record first: it must never describe bytes that are gone.
        self.stale.map_or(Ok(()), |record| discard(&record))?;
        self.cut.map_or(Ok(()), |bytes| file.set_len(bytes))?;
        if let Some(made) = self.made {
            made.keep();
        }
        Ok(())
    }
}

impl OutputDescriptor {
    fn ready(&mut self) -> io::Result<&mut File> {
        let file = self.file.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        if let Some(first) = self.first.take() {
            first.apply(file)?;
        }
        Ok(file)
    }
}

impl Write for OutputDescriptor {
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
            // The descriptor is closed after an interruption too.
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
    fn a_non_blocking_pipe_is_waited_for_and_its_mode_kept() {
        let (mut reader, writer) = io::pipe().unwrap();
        fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
        let kept = writer.try_clone().unwrap();
        let mut descriptor = OutputDescriptor { file: Some(File::from(OwnedFd::from(writer))), first: None };
        let thread = std::thread::spawn(move || descriptor.write_all(&vec![7; 1 << 20]));
        let mut read = vec![0; 1 << 20];
        reader.read_exact(&mut read).unwrap();
        thread.join().unwrap().unwrap();
        assert!(read.iter().all(|&byte| byte == 7));
        let flags = OFlag::from_bits_truncate(fcntl(&kept, FcntlArg::F_GETFL).unwrap());
        assert!(flags.contains(OFlag::O_NONBLOCK));
    }
}
