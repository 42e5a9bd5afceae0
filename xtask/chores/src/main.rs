//! Chores of this repository, as `cargo xtask CHORE`: no make, no shell, the
//! same on every machine that can build the project.
//!
//! `cargo xtask run` is not among them: it is in the package `xtask`, which
//! builds faster and starts this one.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, reason = "a chore's standard output is for people, not a protocol")]

mod cargo;
mod process;
mod random;
mod primes;
mod fuzz;
mod man;
mod simulate;
mod bench;
mod chaos;
mod inject;
mod freeze;
mod mutants;
mod tidy;
mod ci;

use clap::Parser;
use std::process::ExitCode;

/// What `xtask` does by itself.
const RUN: &str = "cargo xtask run -- ARGS builds both programs and runs the coordinator.";

/// Chores of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", after_help = RUN)]
enum Chore {
    /// Checks everything beside the tests: format, lints, documentation, our own rules, licences
    Ci,
    /// Checks this repository's own rules
    Tidy,
    /// Writes a list of primes in the PrimePages' table format
    Primes(primes::PrimesArgs),
    /// Writes man pages and completions for shells
    Man(man::ManArgs),
    /// Runs each fuzz target for some minutes
    Fuzz(fuzz::FuzzArgs),
    /// Plays through schedules of the scheduler in virtual time, each from a seed
    Simulate(simulate::SimulateArgs),
    /// Compares with peers in alternating runs, and says which targets are met
    Bench(bench::BenchArgs),
    /// Kills and stops processes of real jobs at random, and checks the results
    Chaos(chaos::ChaosArgs),
    /// Lets each system call of small jobs fail once, and checks what comes of it
    Inject,
    /// Stops whole jobs at random moments, and checks that no item is timed out by that
    Freeze(freeze::FreezeArgs),
    /// Makes deliberate mistakes in the code, and counts those that the tests notice
    Mutants(mutants::MutantsArgs),
}

fn main() -> ExitCode {
    let done = match Chore::parse() {
        Chore::Ci => ci::run(),
        Chore::Tidy => tidy::run(),
        Chore::Primes(args) => primes::run(&args),
        Chore::Man(args) => man::run(&args),
        Chore::Fuzz(args) => fuzz::run(&args),
        Chore::Simulate(args) => simulate::run(&args),
        Chore::Bench(args) => bench::run(&args),
        Chore::Chaos(args) => chaos::run(&args),
        Chore::Inject => inject::run(),
        Chore::Freeze(args) => freeze::run(&args),
        Chore::Mutants(args) => mutants::run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
