//! A call's log folder, written while it runs.
//!
//! Layout: `study.json` about the call; `run-K/` for each run, with `run.json`,
//! `workers.jsonl` and, for each process, `worker-<slot>-<n>-<pid>.jsonl` with
//! a line per item. What a process writes to its standard error is beside that
//! as `.stderr`, a file that exists only if something was written.
//!
//! Items can hold anything, and other people use the same machine: folders are
//! 0700, files 0600, created exclusively; links are not followed.
//!
//! The log can't fail a run: when it can't be written any more, a warning is
//! given once and the run goes on without it.

mod error;
mod files;
mod folder;
mod logger;
mod parts;
mod retention;
mod writer;

pub use error::LogError;
pub(crate) use error::shown;
pub(crate) use files::open_file;
pub use folder::{LogFolder, default_root, latest_log};
pub use logger::{LogOptions, RunLogger, RunLogging};
pub use parts::{ChunkLine, NoteLine};
pub(crate) use retention::is_in_use;
pub use retention::{KEEP_BYTES, KEEP_FOLDERS};

use std::sync::Arc;

/// Takes a warning for people, a sentence without an end of line. It is called
/// from threads of this crate.
pub type Warn = Arc<dyn Fn(&str) + Send + Sync>;

#[cfg(test)]
mod tests;
