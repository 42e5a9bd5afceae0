//! A file that is written beside another and then takes its place, in one
//! step: whoever looks at the name sees a file that is whole, whenever the
//! process is ended.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// The files that are being written beside others.
static ALL: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Removes what is being written beside other files, when the process is about
/// to be ended. Nobody is waited for.
pub fn abandon() {
    // Locked only for moments: whoever is not let in has nothing to remove.
    if let Ok(all) = ALL.try_lock() {
        all.iter().for_each(|path| drop(fs::remove_file(path)));
    }
}

/// A file on its way to a place; dropped before it got there, it is gone.
#[derive(Debug)]
pub struct Beside {
    place: PathBuf,
    path: PathBuf,
    file: File,
}

impl Beside {
    /// A new, empty file beside `place`, which must be no link.
    ///
    /// # Errors
    /// None can be made in that folder.
    pub fn new(place: &Path) -> io::Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let folder = place.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = folder.join(format!(".procession-{}-{count}.new", std::process::id()));
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        all().push(path.clone());
        Ok(Self { place: place.to_owned(), path, file })
    }

    /// Puts it in its place, with the permissions of what was there.
    ///
    /// # Errors
    /// The system's; then what was there is still there.
    pub fn replace(&mut self) -> io::Result<()> {
        if let Ok(old) = fs::metadata(&self.place) {
            self.file.set_permissions(old.permissions())?;
        }
        fs::rename(&self.path, &self.place)
    }
}

impl Write for Beside {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        // After it has taken its place there is nothing by this name.
        let _ = fs::remove_file(&self.path);
        all().retain(|path| *path != self.path);
    }
}

fn all() -> std::sync::MutexGuard<'static, Vec<PathBuf>> {
    ALL.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn it_takes_the_place_of_what_was_there_or_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("file");
        fs::write(&place, "old").unwrap();
        fs::set_permissions(&place, fs::Permissions::from_mode(0o640)).unwrap();
        for (is_replaced, expected) in [(false, "old"), (true, "new")] {
            let mut beside = Beside::new(&place).unwrap();
            beside.write_all(b"new").unwrap();
            assert_eq!((fs::read(&place).unwrap(), names(folder.path())), (b"old".to_vec(), 2));
            if is_replaced {
                beside.replace().unwrap();
            }
            drop(beside);
            assert_eq!((fs::read_to_string(&place).unwrap(), names(folder.path())), (expected.to_owned(), 1));
        }
        assert_eq!(fs::metadata(&place).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_folder_that_cant_be_written_is_told_before_any_work() {
        assert_eq!(Beside::new(Path::new("/nonexistent/file")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
