//! The `worker` program, which a coordinator starts. It has the built-in tasks.
//! If it is started by hand, it prints what it is for.

#![forbid(unsafe_code)]

use procession::worker::{Tasks, WorkerAllocator, serve};
use std::process::ExitCode;

/// Reports the item that exceeds the memory limit.
#[global_allocator]
static MEMORY: WorkerAllocator = WorkerAllocator;

fn main() -> ExitCode {
    serve(Tasks::listed(procession_program::ALL))
}
