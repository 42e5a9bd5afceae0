//! A file that this call has created: removed again unless something is written
//! to it.

use crate::file_id::is_at;
use std::fs::File;
use std::path::PathBuf;

/// A file that this call has created. Dropped before [`Self::keep`], it is
/// removed.
#[derive(Debug)]
pub(crate) struct NewFile {
    path: PathBuf,
    /// A duplicate of the file descriptor: holds the lock until the file is
    /// removed.
    file: File,
    is_kept: bool,
}

impl NewFile {
    pub(crate) fn new(path: PathBuf, file: File) -> Self {
        Self { path, file, is_kept: false }
    }

    /// Keeps the file.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.is_kept && is_at(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_is_removed_unless_kept_or_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made");
        let make = || NewFile::new(path.clone(), File::create(&path).unwrap());
        drop(make());
        assert!(!path.exists());
        make().keep();
        assert!(path.exists());
        let made = make();
        std::fs::rename(&path, folder.path().join("elsewhere")).unwrap();
        std::fs::write(&path, "another").unwrap();
        drop(made);
        assert!(path.exists() && folder.path().join("elsewhere").exists());
    }
}
