//! Reads, writes and removes `OUTPUT.resume`.

use super::record::{MAX_RECORD, ResumeRecord};
use crate::text::{display_path, system_message};
use procession_sys::AtomicFile;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What is at the path of the record.
#[derive(Debug)]
pub(crate) enum FoundRecord {
    Nothing,
    Record(Box<ResumeRecord>),
    Bad(String),
}

/// The path of the record: beside the output.
pub(crate) fn record_path(place: &Path) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(".resume");
    name.into()
}

/// Removes the record, if there is one. A file that is not a record is left
/// alone.
pub(crate) fn discard(path: &Path) -> io::Result<()> {
    match find(path) {
        FoundRecord::Nothing => Ok(()),
        FoundRecord::Record(_) => std::fs::remove_file(path),
        FoundRecord::Bad(why) => {
            Err(io::Error::other(format!("{} is not a resume record ({why})", display_path(path))))
        }
    }
}

/// Reads the record at this path. Symbolic links are not followed, and a pipe
/// is not waited for.
pub(crate) fn find(path: &Path) -> FoundRecord {
    let mut options = File::options();
    options.read(true).custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK);
    let read = || {
        let file = options.open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut text = Vec::new();
        file.take(MAX_RECORD as u64 + 1).read_to_end(&mut text)?;
        Ok(text)
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => FoundRecord::Nothing,
        Err(error) => FoundRecord::Bad(system_message(&error)),
        Ok(text) => match ResumeRecord::parse(&text) {
            Ok(record) => FoundRecord::Record(Box::new(record)),
            Err(error) => FoundRecord::Bad(error.to_string()),
        },
    }
}

/// Replaces the record in one step. With `synced`, the output's data is written
/// to the disk first, then the record. Symbolic links are not followed, and
/// other users can't read the record: the settings of a task may be private.
pub(crate) fn write(path: &Path, record: &ResumeRecord, synced: Option<&File>) -> io::Result<()> {
    let text = record.to_text().ok_or_else(|| io::Error::other("the job's settings are too long for a record"))?;
    if let Some(output) = synced {
        output.sync_data()?;
    }
    let mut file = AtomicFile::private(path)?;
    file.write_all(&text)?;
    if synced.is_some() {
        file.sync()?;
    }
    file.replace()
}

/// Writes a record over the one that is there, in the same file. If that is
/// interrupted, the file is no record. Symbolic links are not followed, and a file
/// that is not a record is left alone.
pub(crate) fn overwrite(path: &Path, record: &ResumeRecord) -> io::Result<()> {
    if !matches!(find(path), FoundRecord::Record(_)) {
        return Err(io::ErrorKind::NotFound.into());
    }
    let text = record.to_text().ok_or_else(|| io::Error::other("the job's settings are too long for a record"))?;
    let mut file = File::options().write(true).custom_flags(nix::libc::O_NOFOLLOW).open(path)?;
    file.write_all(&text)?;
    file.set_len(text.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_pipes_are_not_records() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.resume");
        assert!(matches!(find(&path), FoundRecord::Nothing));
        std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
        assert!(matches!(find(&path), FoundRecord::Bad(_)));
        std::fs::remove_file(&path).unwrap();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        assert!(matches!(find(&path), FoundRecord::Bad(_)));
    }
}
