//! The `worker` binary: what a coordinator spawns. It knows the built-in tasks
//! and has no logic of its own; started by hand, it says so.

#![forbid(unsafe_code)]

use procession::worker::{Memory, Role, listed, serve};
use procession_program::ALL;
use std::process::ExitCode;

/// By this an item that wants more memory than it may have is named.
#[global_allocator]
static MEMORY: Memory = Memory;

fn main() -> ExitCode {
    let Some(role) = Role::from_args(std::env::args_os().skip(1)) else {
        return by_hand();
    };
    let tasks = ALL.iter().map(|entry| entry.info()).collect();
    match serve(role, tasks, &listed(ALL)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("worker: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Someone started the worker in a terminal.
fn by_hand() -> ExitCode {
    let version = env!("CARGO_PKG_VERSION");
    match std::env::args().nth(1).as_deref() {
        Some("--version" | "-V") => {
            // Not a protocol's stdout: nobody is at the other end of a pipe.
            #[expect(clippy::print_stdout, reason = "the answer to --version")]
            {
                println!("worker {version}");
            }
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!(
                "worker {version}: the process that 'coordinator' starts, N times, and talks to over pipes.\n\
                 It does nothing by itself. Try: coordinator --help"
            );
            ExitCode::from(2)
        }
    }
}
