//! Writes a call's log folder during its runs.
//!
//! Layout: `study.json` about the call; `run-K/` for each run, with `run.json`,
//! `workers.jsonl` and, for each process, `worker-<slot>-<n>-<pid>.jsonl` with a
//! line per item, and `attempts.jsonl` with a line for each attempt that has no
//! outcome: its process died, or it failed, and it was tried again. The standard error of a process is beside that as `.stderr`; the
//! file exists only if the process wrote something.
//!
//! Items can be confidential, and other people use the same machine: folders have
//! the mode 0700, files 0600. They are created exclusively, and symbolic links are
//! not followed.
//!
//! An error of the log never fails a run: it is a warning, given once, and the run
//! continues without a log.

pub(crate) mod folder;
pub(crate) mod logger;
pub(crate) mod retention;
pub(crate) mod run_files;
mod writer;

#[cfg(test)]
mod tests;
