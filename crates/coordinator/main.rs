//! The program that people run: it reads the command line and hands what was
//! asked for to the library.

#![forbid(unsafe_code)]

mod args;
mod aside;
mod cut_outputs;
mod dry_run;
mod exit;
mod locate;
mod looks;
mod machine;
mod notes;
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
use signals::Ears;
use std::io::{IsTerminal as _, stdin};
use std::path::Path;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

fn main() -> ExitCode {
    if let Err(error) = procession_sys::reset_inherited_signals() {
        exit::say(format_args!("warning: inherited signal settings stay: {error}"));
    }
    let ears = Rc::new(Ears::default());
    let theirs = Rc::clone(&ears);
    let ask = move |worker: Option<&Path>, time: Duration| own_worker::tasks(worker, time, &theirs);
    let around = Surroundings { stdin_is_terminal: stdin().is_terminal(), cpus: machine::cpus(), ask: &ask };
    match args::parse_from(std::env::args_os(), around) {
        Ok(call) => answer(call, &ears).into(),
        Err(NoCall::Worker(why)) => unasked(&why, &ears).into(),
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

/// A worker did not say what it knows. If that was because a signal ended it,
/// nobody has to be told.
fn unasked(why: &str, ears: &Ears) -> Status {
    ears.status().unwrap_or_else(|| {
        exit::say(format_args!("error: {why}"));
        exit::POOL_FAILED
    })
}

fn answer(call: Call, ears: &Ears) -> Status {
    let text = match call {
        Call::Run(plan) => return run::run(&plan, ears),
        Call::Inspect(flags) => return verbs::inspect::answer(&flags),
        Call::Tasks { worker, json } => match verbs::tasks::answer(worker.as_deref(), json, ears) {
            Ok(text) => text.into_bytes(),
            Err(why) => return unasked(&why, ears),
        },
        Call::Cpus { json: true } => verbs::cpus::json(&machine::Machine::look()).into_bytes(),
        Call::Cpus { json: false } => verbs::cpus::text(&machine::Machine::look()).into_bytes(),
        Call::Completions { shell } => args::completions(shell),
    };
    verbs::print(&text)
}
