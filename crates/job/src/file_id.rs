//! Identifies files whatever their names are: an output must not be one of the
//! inputs, and a resume record must belong to the output at its path.

use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// A regular file, identified by its device and inode number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    number: u64,
}

impl FileId {
    /// `None` if it is not a regular file: what is read from a pipe or a device
    /// is not what was written to it.
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

/// Whether the path still leads to this open file.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    FileId::of_file(file).is_some_and(|id| FileId::at(path) == Some(id))
}
