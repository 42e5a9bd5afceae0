//! The files of a run's log, of which only a few are open at a time.

use crate::log::private_file::create_file;
use crate::model::process::ProcessName;
use std::collections::HashMap;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

/// Name of the file of attempts without an outcome; it exists only if there are any.
pub(crate) const ATTEMPTS: &str = "attempts.jsonl";
/// Bytes of a file's buffer.
const BUFFER: usize = 64 << 10;
/// Most files that are open at a time. To open another one, the least recently used
/// one is closed.
const OPEN_FILES: usize = 64;

/// Creates the files of a run. A trait, so that tests can have disks that fail.
pub(crate) trait Folder: Send {
    /// Creates a file; fails if it exists.
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Write + Send>>;
    /// Opens a file that was created before, for appending.
    fn append(&mut self, name: &str) -> io::Result<Box<dyn Write + Send>>;
}

impl Folder for PathBuf {
    fn create(&mut self, name: &str) -> io::Result<Box<dyn Write + Send>> {
        Ok(Box::new(create_file(&self.join(name))?))
    }

    fn append(&mut self, name: &str) -> io::Result<Box<dyn Write + Send>> {
        let file = OpenOptions::new().append(true).custom_flags(libc::O_NOFOLLOW).open(self.join(name))?;
        Ok(Box::new(file))
    }
}

/// Names a file of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FileName {
    /// The lives of the processes.
    Workers,
    /// Attempts without an outcome.
    Attempts,
    /// Lines about the items of a process.
    Items(ProcessName),
    /// The standard error of a process.
    Stderr(ProcessName),
}

impl FileName {
    fn path(self) -> String {
        let process = |ProcessName { worker, nth, pid }, ending| format!("worker-{worker}-{nth}-{pid}.{ending}");
        match self {
            Self::Workers => "workers.jsonl".to_owned(),
            Self::Attempts => ATTEMPTS.to_owned(),
            Self::Items(name) => process(name, "jsonl"),
            Self::Stderr(name) => process(name, "stderr"),
        }
    }
}

struct OpenFile {
    writer: BufWriter<Box<dyn Write + Send>>,
    used: u64,
    dirty: bool,
}

/// The files of a run. A file is created at its first write. Only those that are open
/// take memory: a run may have hundreds of thousands of processes.
pub(crate) struct RunFiles {
    folder: Box<dyn Folder>,
    open: HashMap<FileName, OpenFile>,
    clock: u64,
}

impl RunFiles {
    pub(crate) fn new(folder: Box<dyn Folder>) -> Self {
        Self { folder, open: HashMap::new(), clock: 0 }
    }

    /// Appends bytes to a file. Empty `bytes` only create it.
    pub(crate) fn write(&mut self, name: FileName, bytes: &[u8]) -> io::Result<()> {
        self.clock += 1;
        if !self.open.contains_key(&name) {
            self.open(name)?;
        }
        if let Some(open) = self.open.get_mut(&name) {
            open.used = self.clock;
            open.dirty |= !bytes.is_empty();
            open.writer.write_all(bytes)?;
        }
        Ok(())
    }

    /// Writes all buffers to their files.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        for open in self.open.values_mut().filter(|open| open.dirty) {
            open.writer.flush()?;
            open.dirty = false;
        }
        Ok(())
    }

    /// Closes a file. The next write opens it again.
    pub(crate) fn close(&mut self, name: FileName) -> io::Result<()> {
        self.open.remove(&name).map_or(Ok(()), |mut open| open.writer.flush())
    }

    fn open(&mut self, name: FileName) -> io::Result<()> {
        if self.open.len() >= OPEN_FILES {
            let oldest = self.open.iter().min_by_key(|(_, open)| open.used).map(|(name, _)| *name);
            oldest.map_or(Ok(()), |idle| self.close(idle))?;
        }
        let path = name.path();
        let file = match self.folder.create(&path) {
            // The folder is new and belongs to this run: the file was closed before.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.folder.append(&path)?,
            other => other?,
        };
        let writer = BufWriter::with_capacity(BUFFER, file);
        self.open.insert(name, OpenFile { writer, used: self.clock, dirty: false });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn process(worker: u32) -> FileName {
        FileName::Items(ProcessName { worker, nth: 0, pid: worker + 100 })
    }

    #[test]
    fn the_least_recently_used_file_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = RunFiles::new(Box::new(folder.path().to_owned()));
        let count = u32::try_from(OPEN_FILES).unwrap() + 10;
        for round in 0..3 {
            for worker in 0..count {
                files.write(process(worker), format!("{round}\n").as_bytes()).unwrap();
            }
        }
        assert_eq!(files.open.len(), OPEN_FILES);
        files.flush().unwrap();
        for worker in 0..count {
            let path = folder.path().join(process(worker).path());
            assert_eq!(fs::read_to_string(path).unwrap(), "0\n1\n2\n");
        }
    }

    #[test]
    fn closed_files_are_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = RunFiles::new(Box::new(folder.path().to_owned()));
        files.write(process(0), b"a\n").unwrap();
        files.close(process(0)).unwrap();
        files.write(process(0), b"b\n").unwrap();
        files.flush().unwrap();
        assert_eq!(fs::read(folder.path().join("worker-0-0-100.jsonl")).unwrap(), b"a\nb\n");
    }

    #[test]
    fn closed_files_take_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let mut files = RunFiles::new(Box::new(folder.path().to_owned()));
        for worker in 0..100 {
            files.write(process(worker), b"").unwrap();
            files.close(process(worker)).unwrap();
        }
        assert!(files.open.is_empty());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 100);
    }

    #[test]
    fn closing_reports_a_full_disk() {
        struct Full;
        impl Folder for Full {
            fn create(&mut self, _: &str) -> io::Result<Box<dyn Write + Send>> {
                Ok(Box::new(OpenOptions::new().write(true).open("/dev/full")?))
            }
            fn append(&mut self, name: &str) -> io::Result<Box<dyn Write + Send>> {
                self.create(name)
            }
        }
        let mut files = RunFiles::new(Box::new(Full));
        files.write(process(0), b"a\n").unwrap();
        assert_eq!(files.close(process(0)).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        symlink(&target, folder.path().join("link")).unwrap();
        let mut in_folder = folder.path().to_owned();
        assert!(create_file(&folder.path().join("link")).is_err(), "a link that leads nowhere");
        fs::write(&target, "precious").unwrap();
        assert!(Folder::create(&mut in_folder, "link").is_err());
        assert!(in_folder.append("link").is_err());
        assert_eq!(fs::read(&target).unwrap(), b"precious");
    }
}
