//! Errors of logs, and warnings about them.

use crate::text::escape::escape_path;
use procession_task::escape_terminal;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Shows a warning to the user: a sentence without a line feed. It is called from
/// several threads.
pub type Warn = Arc<dyn Fn(&str) + Send + Sync>;

/// Why a log can't be written or read. Messages are escaped for a terminal.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// A system call on a file or folder failed.
    #[error("{doing} {}: {source}", escape_path(path))]
    Io {
        /// The operation, as in `creating`.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The given folder already contains a log.
    #[error("{} already holds the log of another call; logs are never overwritten", escape_path(.0))]
    Occupied(PathBuf),
    /// There is no default folder: neither `XDG_STATE_HOME` nor `HOME` is an absolute path.
    #[error("no folder for logs: neither XDG_STATE_HOME nor HOME is set to an absolute path")]
    NoStateFolder,
    /// There is no log in this folder.
    #[error("no log in {}", escape_path(.0))]
    NoLog(PathBuf),
    /// A file of a log has invalid contents.
    #[error("{}: {problem}", escape_path(path))]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
}

impl LogError {
    /// Whether the disk or the quota is full.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let full =
            |source: &io::Error| matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        matches!(self, Self::Io { source, .. } if full(source))
    }

    /// A file with invalid JSON.
    pub(crate) fn malformed(path: &Path, error: &serde_json::Error) -> Self {
        Self::Malformed { path: path.to_owned(), problem: escape_terminal(error.to_string().as_bytes()) }
    }

    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}
