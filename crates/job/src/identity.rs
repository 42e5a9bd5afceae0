//! Which file is which, whatever its name: an output must not be an input, and
//! what lies beside an output must be about that file and no other.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A regular file, by its device and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    number: u64,
}

impl FileId {
    /// `None` if it is no regular file: what is read from such a one is not what
    /// was written to it.
    pub(crate) fn of(about: &Metadata) -> Option<Self> {
        about.is_file().then(|| Self { device: about.dev(), number: about.ino() })
    }

    pub(crate) fn of_file(file: &File) -> Option<Self> {
        file.metadata().ok().as_ref().and_then(Self::of)
    }

    fn at(path: &Path) -> Option<Self> {
        std::fs::metadata(path).ok().as_ref().and_then(Self::of)
    }
}

/// Whether a path still leads to a file that was opened by it.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    FileId::of_file(file).is_some_and(|id| FileId::at(path) == Some(id))
}

/// A file that this call has made: gone again unless something is written to it.
#[derive(Debug)]
pub(crate) struct Made {
    path: PathBuf,
    /// A copy of its descriptor: holds the lock until it is gone.
    file: File,
    is_kept: bool,
}

impl Made {
    pub(crate) fn new(path: PathBuf, file: File) -> Self {
        Self { path, file, is_kept: false }
    }

    /// There is something in it, or it is to be there without.
    pub(crate) fn keep(mut self) {
        self.is_kept = true;
    }
}

impl Drop for Made {
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
        let make = || Made::new(path.clone(), File::create(&path).unwrap());
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
