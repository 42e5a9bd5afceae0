//! The program that people run: it reads the command line and hands what was
//! asked for to the library.

#![forbid(unsafe_code)]

mod args;
mod aside;
mod dry_run;
mod exit;
mod locate;
mod looks;
mod machine;
mod own_worker;
mod program;
mod quote;
mod room;
mod run;
mod shortage;
mod signals;
mod verbs;
mod watch;

use args::{Call, NoCall, Surroundings};
use exit::Status;
use procession_task::escape_terminal;
use std::io::{IsTerminal as _, stdin};
use std::process::ExitCode;

fn main() -> ExitCode {
    if let Err(error) = procession_sys::reset_inherited_signals() {
        exit::say(format_args!("warning: inherited signal settings stay: {error}"));
    }
    let around =
        Surroundings { stdin_is_terminal: stdin().is_terminal(), cpus: machine::cpus(), ask: own_worker::tasks };
    match args::parse_from(std::env::args_os(), around) {
        Ok(call) => answer(call).into(),
        Err(NoCall::Worker(why)) => {
            exit::say(format_args!("error: {why}"));
            exit::POOL_FAILED.into()
        }
        Err(NoCall::Usage(error)) => {
            // Help and version come this way too, with status 0; a reader that
            // left early is nothing to complain of.
            print(&error);
            if error.use_stderr() { exit::USAGE.into() } else { exit::SUCCESS.into() }
        }
    }
}

/// Prints what does not fit the command line. What people typed is shown to
/// them, escaped where it could do more than be read.
fn print(error: &clap::Error) {
    let plain = error.render().to_string();
    let escaped: Vec<String> = plain.split('\n').map(|line| escape_terminal(line.as_bytes())).collect();
    if !error.use_stderr() || escaped.join("\n") == plain {
        let _ = error.print();
    } else {
        exit::say(format_args!("{}", escaped.join("\n").trim_end()));
    }
}

fn answer(call: Call) -> Status {
    let text = match call {
        Call::Run(plan) => return run::run(&plan),
        Call::Inspect(flags) => return verbs::inspect::answer(&flags),
        Call::Tasks { worker, json } => return verbs::tasks::answer(worker.as_deref(), json),
        Call::Cpus { json: true } => verbs::cpus::json(&machine::Machine::look()).into_bytes(),
        Call::Cpus { json: false } => verbs::cpus::text(&machine::Machine::look()).into_bytes(),
        Call::Completions { shell } => args::completions(shell),
    };
    verbs::print(&text)
}
