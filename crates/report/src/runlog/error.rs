//! What can go wrong with a log.

use procession_task::escape_terminal;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Why a log can't be written or read. The messages are safe for a terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A file or folder refused.
    #[error("{doing} {}: {source}", shown(path))]
    Io {
        /// What was tried, as in `creating`.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder given for the log holds one already.
    #[error("{} already holds the log of another call; logs are never overwritten", shown(.0))]
    Occupied(PathBuf),
    /// There is no place for logs: neither `XDG_STATE_HOME` nor `HOME` is an absolute path.
    #[error("no folder for logs: neither XDG_STATE_HOME nor HOME is set to an absolute path")]
    NoStateFolder,
    /// There is no log to look at.
    #[error("no log in {}", shown(.0))]
    NoLog(PathBuf),
    /// Something in a log is not what it should be.
    #[error("{}: {problem}", shown(path))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl LogError {
    /// Whether it is the disk that is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let full =
            |source: &io::Error| matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        matches!(self, Self::Io { source, .. } if full(source))
    }

    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}

/// A path, safe for a terminal.
pub(crate) fn shown(path: &Path) -> String {
    escape_terminal(path.as_os_str().as_bytes())
}
