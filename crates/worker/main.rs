//! The `worker` binary: what a coordinator spawns. It knows the built-in tasks
//! and has no logic of its own; started by hand, it says so.

#![forbid(unsafe_code)]

use procession::worker::{Tasks, WorkerAllocator, serve};
use std::process::ExitCode;

/// By this an item that wants more memory than it may have is named.
#[global_allocator]
static MEMORY: WorkerAllocator = WorkerAllocator;

fn main() -> ExitCode {
    serve(Tasks::listed(procession_program::ALL))
}
