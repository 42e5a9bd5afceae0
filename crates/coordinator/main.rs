//! The program that people run. It goes one way: flags, then the tasks that
//! can be chosen from, then a checked plan, then the runs, then a status.
//!
//! The rooms, each using only those above it:
//!
//! - `exit`, `console`: exit statuses; what is printed
//! - `args`: flags as they are typed, nothing else asked or opened
//! - `environment`: the machine, its limits, signals, the worker and its tasks
//! - `plan`: flags, tasks and environment made into a plan that can be run
//! - `report_files`: the files that show what was measured
//! - `run`: a plan carried out
//! - `subcommands`: the answers of `inspect`, `tasks`, `cpus` and the others

#![forbid(unsafe_code)]

mod args;
mod console;
mod environment;
mod exit;
mod plan;
mod report_files;
mod run;
mod subcommands;

use args::{Invocation, RunFlags};
use environment::{Catalog, Environment, SignalListener, machine};
use exit::{Refusal, Status};
use plan::Plan;
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Err(error) = procession_sys::reset_inherited_signals() {
        console::say(format_args!("warning: inherited signal settings stay: {error}"));
    }
    let answered = match args::parse(std::env::args_os(), machine::cpus()) {
        Ok(Invocation::Run(flags)) => run(*flags),
        Ok(Invocation::Subcommand(subcommand)) => subcommands::answer(subcommand),
        Err(error) => Err(Refusal::Flags(error)),
    };
    answered.unwrap_or_else(tell).into()
}

/// Carries out a call that runs a task.
fn run(flags: RunFlags) -> Result<Status, Refusal> {
    let signals = SignalListener::start().map_err(Refusal::pool)?;
    let catalog = match Catalog::for_call(&flags, signals.stopper()) {
        Ok(catalog) => catalog,
        // If a signal ended the worker, nobody has to be told.
        Err(why) => return signals.status().ok_or(Refusal::pool(why)),
    };
    let plan = Plan::new(flags, &catalog, Environment::look()).map_err(args::refuse).map_err(Refusal::Flags)?;
    run::run(&plan, &signals)
}

/// Says why a call ended before its first run.
fn tell(refusal: Refusal) -> Status {
    match refusal {
        Refusal::Flags(error) => console::print_usage(&error),
        Refusal::Call { status, why } => {
            console::say(format_args!("error: {why}"));
            status
        }
    }
}
