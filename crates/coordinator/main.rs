//! The `coordinator` program. A call goes through these steps: parse the flags,
//! find out which tasks there are, make a checked plan, run it, and exit with
//! a status.
//!
//! The modules, each using only those above it:
//!
//! - `exit`, `console`: exit statuses; printing
//! - `args`: parses the command line; opens nothing, starts nothing
//! - `environment`: the machine, its limits, signals, the worker and its tasks
//! - `plan`: makes a checked plan of flags, tasks and environment
//! - `report_files`: writes the files that show what was measured
//! - `run`: carries out a plan
//! - `subcommands`: `inspect`, `tasks`, `cpus` and the others

#![forbid(unsafe_code)]

mod exit;

mod console;

mod args;

mod environment;

mod plan;

mod report_files;

mod run;

mod subcommands;

use args::{Invocation, RunFlags};
use environment::{Environment, SignalListener, TaskCatalog};
use exit::{Refusal, Status};
use plan::RunPlan;
use std::process::ExitCode;

fn main() -> ExitCode {
    procession_sys::watch_if_asked();
    if let Err(error) = procession_sys::reset_inherited_signals() {
        console::say(format_args!("warning: can't reset the inherited signal settings: {error}"));
    }
    if let Err(error) = procession_sys::reap_strangers() {
        console::say(format_args!("warning: processes that lose their parents can't be reaped: {error}"));
    }
    if std::env::args_os().len() < 2 {
        console::say(format_args!("{}", args::FIRST_CALLS));
        return exit::USAGE.into();
    }
    let environment = Environment::look();
    let answered = match args::parse(std::env::args_os(), environment.cpus) {
        Ok(Invocation::Run(flags)) => run(*flags, environment),
        Ok(Invocation::Subcommand(subcommand)) => subcommands::answer(subcommand),
        Err(error) => Err(Refusal::Flags(error)),
    };
    answered.unwrap_or_else(tell).into()
}

/// Runs a task as the flags say.
fn run(flags: RunFlags, environment: Environment) -> Result<Status, Refusal> {
    let signals = SignalListener::start().map_err(Refusal::pool)?;
    let catalog = match TaskCatalog::for_call(&flags, signals.stopper()) {
        Ok(catalog) => catalog,
        // If a signal ended the worker, the exit status says so.
        Err(why) => return signals.status().ok_or(Refusal::pool(why)),
    };
    let plan = RunPlan::new(flags, &catalog, environment).map_err(args::refuse).map_err(Refusal::Flags)?;
    run::run(&plan, &signals)
}

/// Prints why a call ended before its first run.
fn tell(refusal: Refusal) -> Status {
    match refusal {
        Refusal::Flags(error) => console::print_usage(&error),
        Refusal::Call { status, why } => {
            console::say(format_args!("error: {why}"));
            status
        }
    }
}
