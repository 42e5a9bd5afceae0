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

pub(crate) mod folder;
pub(crate) mod logger;
pub(crate) mod retention;
mod run_files;
mod writer;

#[cfg(test)]
mod tests;
