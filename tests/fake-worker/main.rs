//! A worker that breaks the protocol on request, so that tests can see what the
//! coordinator does and that no other item is affected.
//!
//! It is an example target: `cargo test` builds it beside what it tests, and
//! nothing installs it. Environment variables give its orders, because a
//! coordinator hands no other arguments to its workers:
//!
//! - `FAKE_FAULTS`: faults separated by commas (see `fault.rs`);
//! - `FAKE_STARTS`: a folder in which starts are counted. The n-th process
//!   commits the n-th fault, and those after the last are the true worker.
//!   Without it every process commits the first;
//! - `FAKE_WORKER`: the true worker, which this process becomes when it has
//!   nothing (more) to do wrong.
//!
//! Where its fault allows an answer, it answers as the task `null` does in the
//! format `lines`: each item as it is.
#![forbid(unsafe_code)]

mod process;
mod speech;
mod relay;
mod fault;
mod start;
mod chunk;

use fault::WorkerFault;
use process::{become_true_worker, setting};
use std::io;
use std::path::Path;

fn main() {
    let faults: Vec<WorkerFault> = setting("FAKE_FAULTS")
        .map(|list| list.to_string_lossy().split(',').map(WorkerFault::parse).collect())
        .unwrap_or_default();
    // If a test fails, no fake worker outlives it.
    nix::sys::prctl::set_pdeathsig(nix::sys::signal::Signal::SIGKILL).expect("an end with the coordinator");
    // It may have died before it could be asked for.
    let coordinator = std::env::args().nth(2);
    if coordinator.is_some_and(|pid| pid != nix::unistd::getppid().to_string()) {
        return;
    }
    let nth = setting("FAKE_STARTS").map_or(0, |folder| count_start(Path::new(&folder)));
    match faults.get(nth) {
        None => become_true_worker(),
        Some(WorkerFault::AtStart(fault)) => start::commit(fault),
        Some(WorkerFault::AtChunk(fault)) => chunk::commit(fault),
    }
}

/// How many processes were started before this one.
fn count_start(folder: &Path) -> usize {
    let is_taken = |n: &usize| match std::fs::File::create_new(folder.join(n.to_string())) {
        Ok(_) => false,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => true,
        Err(error) => panic!("{}: {error}", folder.display()),
    };
    (0..).find(|n| !is_taken(n)).expect("a number that is free")
}
