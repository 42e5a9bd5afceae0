//! Which file is which, whatever its name: an output must not be an input, and
//! what lies beside an output must be about that file and no other.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

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
