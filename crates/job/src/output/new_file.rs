//! A file that this call has created: removed again unless something is written
//! to it.

use crate::file_id::is_at;
use std::fs::File;
use std::path::PathBuf;

/// A file that this call has made: gone again unless something is written to it.
#[derive(Debug)]
pub(crate) struct NewFile {
    path: PathBuf,
    /// A copy of its descriptor: holds the lock until it is gone.
    file: File,
    is_kept: bool,
}

impl NewFile {
    pub(crate) fn new(path: PathBuf, file: File) -> Self {
        Self { path, file, is_kept: false }
    }

    /// There is something in it, or it is to be there without.
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
    fn what_was_made_goes_again_unless_it_is_kept_or_another_has_its_name() {
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
