//! What can go wrong with a log.

use crate::text::escape::safe_path;
use procession_task::escape_terminal;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Takes a warning for people, a sentence without an end of line. It is called
/// from threads of this crate.
pub type Warn = Arc<dyn Fn(&str) + Send + Sync>;

/// Why a log can't be written or read. The messages are safe for a terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A file or folder refused.
    #[error("{doing} {}: {source}", safe_path(path))]
    Io {
        /// What was tried, as in `creating`.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The folder given for the log holds one already.
    #[error("{} already holds the log of another call; logs are never overwritten", safe_path(.0))]
    Occupied(PathBuf),
    /// There is no place for logs: neither `XDG_STATE_HOME` nor `HOME` is an absolute path.
    #[error("no folder for logs: neither XDG_STATE_HOME nor HOME is set to an absolute path")]
    NoStateFolder,
    /// There is no log to look at.
    #[error("no log in {}", safe_path(.0))]
    NoLog(PathBuf),
    /// Something in a log is not what it should be.
    #[error("{}: {problem}", safe_path(path))]
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

    /// A file holds something else than the JSON that belongs there.
    pub(crate) fn malformed(path: &Path, error: &serde_json::Error) -> Self {
        Self::Malformed { path: path.to_owned(), problem: escape_terminal(error.to_string().as_bytes()) }
    }

    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}
