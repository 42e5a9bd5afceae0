//! Why a process could not be started.

use crate::shortage::is_temporary;
use std::io;

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
#[error("{what}: {source}")]
pub struct SpawnError {
    what: &'static str,
    source: io::Error,
}

impl SpawnError {
    /// What failed, as a phrase after the program's name, and why.
    #[must_use]
    pub fn new(what: &'static str, source: io::Error) -> Self {
        Self { what, source }
    }

    /// Whether a retry may succeed: the system was temporarily out of
    /// processes, file descriptors or memory.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        is_temporary(&self.source)
    }
}
