//! Replaces a file in one step. The new contents are written to a temporary
//! file in the same folder, which is then renamed: whoever opens the path finds
//! a whole file, the old one or the new one, whenever this process is killed.
//!
//! A process that is killed leaves its temporary file. The next process that replaces
//! a file in the same folder removes it: whoever writes a temporary file holds its
//! lock.

mod leftovers;

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The temporary files of this process that are not renamed yet.
static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes the temporary files of all [`AtomicFile`]s. Called when the process
/// is about to exit without dropping them; never blocks.
pub fn remove_unfinished_files() {
    // The list is locked only for moments: another thread that holds the lock
    // is just adding or removing a file.
    if let Ok(unfinished) = UNFINISHED.try_lock() {
        unfinished.iter().for_each(|path| drop(fs::remove_file(path)));
    }
}

/// Which permissions the new file gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FileAccess {
    /// Those of the file that it replaces; the default ones if there is none.
    AsBefore,
    /// Only the owner may read and write it (mode 0600).
    Private,
}

/// The new contents of a file. Dropped before [`Self::replace`] was called, the
/// temporary file is removed and the old file stays as it was.
#[derive(Debug)]
pub struct AtomicFile {
    path: PathBuf,
    temporary: PathBuf,
    file: File,
    access: FileAccess,
    is_renamed: bool,
}

impl AtomicFile {
    /// New contents for the file at `path`. The new file gets the permissions of
    /// the old one. A symbolic link at `path` would itself be replaced: resolve
    /// it first.
    ///
    /// # Errors
    /// No file can be created in that folder.
    pub fn new(path: &Path) -> io::Result<Self> {
        Self::create(path, FileAccess::AsBefore)
    }

    /// The same, but only the owner may read and write the new file (mode 0600).
    ///
    /// # Errors
    /// No file can be created in that folder.
    pub fn private(path: &Path) -> io::Result<Self> {
        Self::create(path, FileAccess::Private)
    }

    fn create(path: &Path, access: FileAccess) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        leftovers::remove_once(folder);
        let names = std::iter::repeat_with(|| {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            folder.join(format!(".procession-{}-{count}.new", std::process::id()))
        });
        let (temporary, file) = create_first_unused(names, access)?;
        unfinished().push(temporary.clone());
        Ok(Self { path: path.to_owned(), temporary, file, access, is_renamed: false })
    }

    /// The file, locked until its last duplicate is closed.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Writes the contents to the disk, so that they survive a power cut.
    ///
    /// # Errors
    /// The operating system's.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Renames the temporary file to the file's own path.
    ///
    /// # Errors
    /// The operating system's; the old file is unchanged then.
    pub fn replace(&mut self) -> io::Result<()> {
        if self.access == FileAccess::AsBefore
            && let Ok(old) = fs::metadata(&self.path)
        {
            self.file.set_permissions(old.permissions())?;
        }
        fs::rename(&self.temporary, &self.path)?;
        self.is_renamed = true;
        Ok(())
    }
}

/// Creates the first of these files that does not exist. A file that another
/// process left, or a symbolic link, is not touched.
fn create_first_unused(names: impl Iterator<Item = PathBuf>, access: FileAccess) -> io::Result<(PathBuf, File)> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    if access == FileAccess::Private {
        options.mode(0o600);
    }
    for path in names {
        match options.open(&path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(file) if leftovers::keep(&file) => return Ok((path, file)),
            // Another process has taken it for a leftover.
            Ok(_) => {}
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

impl Write for AtomicFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for AtomicFile {
    fn drop(&mut self) {
        if !self.is_renamed {
            let _ = fs::remove_file(&self.temporary);
        }
        unfinished().retain(|path| *path != self.temporary);
    }
}

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    fn file_count(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn the_old_file_is_replaced_or_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        for (is_replaced, expected) in [(false, "old"), (true, "new")] {
            let mut file = AtomicFile::new(&path).unwrap();
            file.write_all(b"new").unwrap();
            assert_eq!((fs::read(&path).unwrap(), file_count(folder.path())), (b"old".to_vec(), 2));
            if is_replaced {
                file.replace().unwrap();
            }
            drop(file);
            assert_eq!((fs::read_to_string(&path).unwrap(), file_count(folder.path())), (expected.to_owned(), 1));
        }
        assert_eq!(mode(&path), 0o640);
    }

    #[test]
    fn a_private_file_replaces_a_link_and_keeps_its_own_permissions() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("file"), folder.path().join("other"));
        fs::write(&other, "other").unwrap();
        fs::set_permissions(&other, fs::Permissions::from_mode(0o644)).unwrap();
        symlink(&other, &path).unwrap();
        let mut file = AtomicFile::private(&path).unwrap();
        file.write_all(b"new").unwrap();
        file.sync().unwrap();
        file.replace().unwrap();
        assert_eq!((mode(&path), fs::read(&path).unwrap()), (0o600, b"new".to_vec()));
        assert_eq!((mode(&other), fs::read(&other).unwrap()), (0o644, b"other".to_vec()));
    }

    #[test]
    fn names_in_use_are_skipped_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["taken", "link", "free"].map(|name| folder.path().join(name));
        fs::write(&names[0], "taken").unwrap();
        symlink(folder.path().join("victim"), &names[1]).unwrap();
        let (path, _) = create_first_unused(names.clone().into_iter(), FileAccess::Private).unwrap();
        assert_eq!(path, names[2]);
        assert!(!folder.path().join("victim").exists());
        assert_eq!(fs::read(&names[0]).unwrap(), b"taken");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_reported_before_any_work() {
        assert_eq!(AtomicFile::new(Path::new("/nonexistent/file")).unwrap_err().kind(), ErrorKind::NotFound);
    }
}
