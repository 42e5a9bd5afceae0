//! Where results go: standard output, a file, another writer, or nowhere (they
//! are only hashed).

use super::descriptor::{BeforeFirstWrite, OutputDescriptor};
use super::report::OutputError;
use super::retry::RetryOutput;
use crate::file_id::FileId;
use crate::resume::journal::Journal;
use crate::resume::record::PriorProgress;
use crate::resume::tracker::{ResumeTracker, RetriedItems};
use crate::text::display_path;
use procession_task::TerminalWriter;
use std::fs::File;
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

/// Where results go.
pub(crate) struct OutputTarget {
    name: String,
    /// The file's identity, if it is a regular file.
    id: Option<FileId>,
    writer: Option<Box<dyn Write + Send>>,
    journal: Option<Journal>,
    retry: Option<RetryOutput>,
}

/// What an output is made of.
pub(crate) struct TargetParts {
    pub(crate) name: String,
    pub(crate) writer: Option<Box<dyn Write + Send>>,
    pub(crate) journal: Option<Journal>,
    pub(crate) retry: Option<RetryOutput>,
}

impl OutputTarget {
    /// Standard output, unbuffered. A terminal gets text with escapes: what items and
    /// programs wrote could otherwise control it.
    ///
    /// # Errors
    /// It is closed, or was when the program was started.
    pub(crate) fn stdout() -> Result<Self, OutputError> {
        let name = "standard output".to_owned();
        match procession_sys::check_stdout().and_then(|()| io::stdout().as_fd().try_clone_to_owned()) {
            Ok(descriptor) => {
                let is_terminal = descriptor.is_terminal();
                let target = Self::file(name, File::from(descriptor));
                Ok(if is_terminal { target.escaped() } else { target })
            }
            Err(error) => Err(OutputError { name, error }),
        }
    }

    /// A file, created if it does not exist. An existing file is truncated when
    /// the first result is written, or when it is known that there is none: a
    /// call that is refused or fails leaves it unchanged.
    ///
    /// # Errors
    /// It can't be opened for writing.
    pub(crate) fn create(path: &Path) -> Result<Self, OutputError> {
        let opened = File::options().write(true).create(true).truncate(false).open(path);
        match opened.and_then(|file| Ok((file.metadata()?.is_file(), file))) {
            Ok((is_full, file)) => {
                let first = BeforeFirstWrite { cut: is_full.then_some(0), ..BeforeFirstWrite::default() };
                Ok(Self::descriptor(display_path(path), OutputDescriptor { file: Some(file), first: Some(first) }))
            }
            Err(error) => Err(OutputError { name: display_path(path), error }),
        }
    }

    fn escaped(self) -> Self {
        let escaped = |writer| -> Box<dyn Write + Send> { Box::new(TerminalWriter::new(writer)) };
        Self { writer: self.writer.map(escaped), ..self }
    }

    /// An open file, written from its current position.
    #[must_use]
    pub(crate) fn file(name: String, file: File) -> Self {
        Self::descriptor(name, OutputDescriptor { file: Some(file), first: None })
    }

    /// An open file, with what to do before the first write.
    pub(crate) fn prepared(name: String, file: File, first: BeforeFirstWrite) -> Self {
        Self::descriptor(name, OutputDescriptor { file: Some(file), first: Some(first) })
    }

    /// The same output, to be resumed by this journal.
    pub(crate) fn with_journal(self, journal: Journal) -> Self {
        Self { journal: Some(journal), ..self }
    }

    /// The same output, in which failed rows are replaced.
    pub(crate) fn with_retry(self, retry: Option<RetryOutput>) -> Self {
        Self { retry, ..self }
    }

    /// The tracker that the source reports its blocks to.
    pub(crate) fn tracker(&self) -> Option<Arc<ResumeTracker>> {
        self.journal.as_ref().map(|journal| Arc::clone(journal.tracker()))
    }

    /// The log folder of the run that this one goes on with, if it had one.
    pub(crate) fn earlier_log(&self) -> Option<String> {
        self.journal.as_ref()?.earlier_log().map(str::to_owned)
    }

    /// The failed items that are run again, if there are any.
    pub(crate) fn retried(&self) -> Option<RetriedItems> {
        self.retry.as_ref().map(RetryOutput::items)
    }

    /// What earlier runs have completed of it.
    pub(crate) fn before(&self) -> PriorProgress {
        let before = self.journal.as_ref().map_or_else(PriorProgress::default, |journal| journal.before.summary());
        match &self.retry {
            None => before,
            Some(retry) => PriorProgress { failures: 0, retried: retry.count(), ..before },
        }
    }

    /// Its name and identity, if it is a regular file.
    pub(crate) fn file_id(&self) -> Option<(&str, FileId)> {
        self.id.map(|id| (&self.name[..], id))
    }

    fn descriptor(name: String, descriptor: OutputDescriptor) -> Self {
        let id = descriptor.file.as_ref().and_then(FileId::of_file);
        Self { name, id, writer: Some(Box::new(descriptor)), journal: None, retry: None }
    }

    /// Another writer; flushed at the end.
    #[must_use]
    pub(crate) fn writer(name: impl Into<String>, writer: Box<dyn Write + Send>) -> Self {
        Self { name: name.into(), id: None, writer: Some(writer), journal: None, retry: None }
    }

    /// Nothing is written; bytes are only counted and hashed.
    #[must_use]
    pub(crate) fn nothing() -> Self {
        Self { name: String::new(), id: None, writer: None, journal: None, retry: None }
    }

    pub(crate) fn into_parts(self) -> TargetParts {
        TargetParts { name: self.name, writer: self.writer, journal: self.journal, retry: self.retry }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_that_cannot_be_created_is_an_error() {
        let error = OutputTarget::create(Path::new("/nonexistent/out")).err().unwrap();
        assert_eq!(error.to_string(), "can't write /nonexistent/out: No such file or directory");
    }

    #[test]
    fn a_file_is_truncated_at_the_first_write_or_at_the_end() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (written, expected) in [(&b"new"[..], "new"), (b"", "")] {
            std::fs::write(file.path(), "old and long").unwrap();
            let writer = OutputTarget::create(file.path()).unwrap().into_parts().writer;
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
