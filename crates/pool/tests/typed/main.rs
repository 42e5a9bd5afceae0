//! The typed pool from outside, as a program uses it. A binary of its own, as its
//! `main` has to call `procession::init` for the workers' sake; `cargo test -p
//! procession --test typed NAME` runs the cases whose names hold NAME.

#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test")]

mod support;

mod failures;
mod mapping;
mod pools;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;
use support::Case;

fn main() -> ExitCode {
    // Before `init`: there is no way back to a process that has not called it.
    let too_early = procession::Pool::builder().procs(1).build().err();
    procession::init();
    assert_eq!(too_early, Some(procession::PoolError::NotInitialized));
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let all = [mapping::CASES, failures::CASES, pools::CASES].concat();
    let chosen = |(name, _): &&Case| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    let mut failed = Vec::new();
    for (name, case) in all.iter().filter(chosen) {
        let begun = Instant::now();
        let passed = catch_unwind(AssertUnwindSafe(case)).is_ok();
        println!("test {name} ... {} ({:?})", if passed { "ok" } else { "FAILED" }, begun.elapsed());
        if !passed {
            failed.push(*name);
        }
    }
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
