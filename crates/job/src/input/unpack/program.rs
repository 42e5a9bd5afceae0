//! Unpacks with an outside program: the packed bytes go to its standard input on
//! a thread of their own, and its standard output is read. Its exit status is
//! checked at the end; a reader that is dropped before ends it.

use super::kind::PackedFormat;
use procession_sys::OwnChild;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek as _, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many packed bytes are read at once.
const PIECE: usize = 64 * 1024;
/// The largest part of the program's messages that is kept, in bytes.
const SAID: u64 = 4096;

/// Reads what an outside program unpacks.
pub(super) struct ProgramReader {
    child: OwnChild,
    output: ChildStdout,
    /// What the program writes to its standard error.
    messages: File,
    name: &'static str,
    /// Why the packed bytes could not be read.
    failed: Arc<Mutex<Option<io::Error>>>,
    has_ended: bool,
}

impl ProgramReader {
    /// Starts the program on these bytes; `taken` counts those that were read.
    ///
    /// # Errors
    /// The program can't be started; of the kind `NotFound` if there is none.
    pub(super) fn start(
        format: PackedFormat,
        packed: impl Read + Send + 'static,
        taken: Arc<AtomicU64>,
    ) -> io::Result<Self> {
        let messages = tempfile::tempfile()?;
        let mut command = Command::new(format.program);
        command.arg("-dc").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(messages.try_clone()?);
        // An interrupt at the terminal is for the coordinator.
        let mut child = OwnChild::start(command.process_group(0))?;
        let Some((input, output)) = child.take_pipes() else {
            return Err(io::Error::other("the program has no pipes"));
        };
        let failed = Arc::new(Mutex::new(None));
        let reader =
            Self { child, output, messages, name: format.program, failed: Arc::clone(&failed), has_ended: false };
        // Never joined: it may wait in a read for input that never comes.
        let pump = move || {
            let (mut packed, mut input) = (packed, input);
            if let Err(error) = pump(&mut packed, &mut input, &taken) {
                *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            }
            // Closed only now, so that the error is known when the program has ended.
            drop(input);
        };
        procession_sys::start_thread("unpack", None, pump)?;
        Ok(reader)
    }

    /// Checks how the program ended.
    fn finish(&mut self) -> io::Result<()> {
        let status = self.child.wait()?;
        self.has_ended = true;
        if let Some(error) = self.failed.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Err(error);
        }
        if status.success() {
            return Ok(());
        }
        let mut said = Vec::new();
        self.messages.rewind()?;
        (&self.messages).take(SAID).read_to_end(&mut said)?;
        let said = String::from_utf8_lossy(&said);
        let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
        Err(io::Error::other(match last {
            Some(last) => format!("{}: {last}", self.name),
            None => format!("{} ended with {status}", self.name),
        }))
    }
}

/// Writes the packed bytes to the program. It may end before it has read all of
/// them; then its status tells why.
fn pump(packed: &mut impl Read, input: &mut ChildStdin, taken: &AtomicU64) -> io::Result<()> {
    let mut piece = vec![0; PIECE];
    loop {
        let read = match packed.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        taken.fetch_add(read as u64, Ordering::Relaxed);
        if input.write_all(&piece[..read]).is_err() {
            return Ok(());
        }
    }
}

impl Read for ProgramReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.has_ended || into.is_empty() {
            return Ok(0);
        }
        let read = self.output.read(into)?;
        if read == 0 {
            self.finish()?;
        }
        Ok(read)
    }
}

impl Drop for ProgramReader {
    fn drop(&mut self) {
        if !self.has_ended {
            // It has ended already, or ends now; either way it is reaped.
            self.child.kill();
            let _ = self.child.wait();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::gzip;
    use super::*;
    use std::path::Path;

    /// A program that is there everywhere.
    const GZIP: PackedFormat = PackedFormat { program: "gzip", cat: "zcat" };
    const MISSING: PackedFormat = PackedFormat { program: "no-such-program-anywhere", cat: "" };

    #[test]
    fn a_program_is_ended_and_reaped_when_no_more_is_wanted() {
        let (pausing, _writer) = io::pipe().unwrap();
        // So much, and so little alike, that the program writes before its input ends.
        let text: String = (0..400_000u64).map(|n| format!("{:x}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
        let packed = io::Cursor::new(gzip(text.as_bytes())).chain(pausing);
        let mut reader = ProgramReader::start(GZIP, packed, Arc::default()).unwrap();
        let process = format!("/proc/{}", reader.child.id());
        let read = reader.read(&mut [0; 10]).unwrap();
        assert!(read > 0 && Path::new(&process).exists());
        drop(reader);
        assert!(!Path::new(&process).exists(), "it is there, perhaps as a zombie");
    }

    #[test]
    fn a_missing_program_is_not_found() {
        let error = ProgramReader::start(MISSING, io::empty(), Arc::default()).map(|_| ()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn an_error_of_the_packed_bytes_is_told() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is broken"))
            }
        }
        let cat = PackedFormat { program: "true", cat: "" };
        let mut reader = ProgramReader::start(cat, Broken, Arc::default()).unwrap();
        // The program may end before its input does.
        while reader.failed.lock().unwrap().is_none() {
            std::thread::yield_now();
        }
        assert_eq!(reader.read(&mut [0; 10]).unwrap_err().to_string(), "the disk is broken");
    }
}
