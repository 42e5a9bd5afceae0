//! The command line, in two stages: flags as they are typed (`flags`, `verbs`),
//! then a plan that has been checked (`plan`). What comes out of here can be
//! carried out; what does not fit was refused with a word on what to do.

mod demo;
mod executors;
mod files;
mod flags;
mod input;
mod plan;
mod surroundings;
mod task;
mod units;
mod verbs;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use std::ffi::OsString;
use std::path::PathBuf;

#[cfg(not(feature = "png"))]
pub(crate) use self::files::NO_PNG;
pub(crate) use self::{
    files::{FileFlags, Shown},
    flags::Progress,
    input::Source,
    plan::Look,
};
pub(crate) use plan::Plan;
use surroundings::NoPlan;
pub(crate) use surroundings::Surroundings;
pub(crate) use task::{Known, Work, built_in, listed};
pub(crate) use verbs::InspectFlags;

const EXAMPLES: &str = "\
Examples:
  coordinator --procs 4 --task prime --input primes.txt       which of these numbers are prime
  ls *.wav | coordinator --task command -- flac {}            a program of one's own for each line
  coordinator --task prime --input primes.txt --procs 1..=auto --repeat 3
                                                              how much faster with more processes
  seq 1000000 | coordinator --task sqrt --output roots.csv --keep-going
                                                              a stream in, a file out, no item lost
  coordinator inspect --slowest 5                             what the last call's log says";

/// Spreads the items of a list over worker processes; results come back in input order.
#[derive(Parser, Debug)]
#[command(
    name = "coordinator",
    version,
    before_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    subcommand_value_name = "VERB",
    subcommand_help_heading = "Verbs",
    override_usage = "coordinator --task NAME [OPTIONS] [-- PROGRAM ARGS…]\n       coordinator VERB",
    max_term_width = 110
)]
struct Cli {
    #[command(subcommand)]
    verb: Option<verbs::Verb>,
    #[command(flatten)]
    work: flags::WorkFlags,
    #[command(flatten)]
    executors: flags::ExecutorFlags,
    #[command(flatten)]
    faults: flags::FaultFlags,
    #[command(flatten)]
    output: flags::OutputFlags,
    #[command(flatten)]
    look: flags::LookFlags,
}

/// What was asked for.
pub(crate) enum Call {
    /// A run, or a study of several.
    Run(Box<Plan>),
    /// A look into a log.
    Inspect(InspectFlags),
    /// The list of tasks.
    Tasks {
        /// Of this worker instead of the built-in ones.
        worker: Option<PathBuf>,
        /// As JSON.
        json: bool,
    },
    /// The machine.
    Cpus {
        /// As JSON.
        json: bool,
    },
    /// A completion script.
    Completions {
        /// For this shell.
        shell: clap_complete::Shell,
    },
}

/// Why a command line is no call.
#[derive(Debug)]
pub(crate) enum NoCall {
    /// It does not fit: ready to be printed, with its exit status; also help
    /// and version, whose status is 0.
    Usage(clap::Error),
    /// The worker, which was to say what it knows, can't be used.
    Worker(String),
}

impl From<clap::Error> for NoCall {
    fn from(error: clap::Error) -> Self {
        Self::Usage(error)
    }
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// It is no call.
pub(crate) fn parse_from<I, T>(line: I, around: Surroundings<'_>) -> Result<Call, NoCall>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let mut cli = Cli::try_parse_from(line).map_err(explained)?;
    Ok(match cli.verb.take() {
        Some(verbs::Verb::Inspect(flags)) => Call::Inspect(flags),
        Some(verbs::Verb::Demo(flags)) => {
            let mut plan = planned(Cli::try_parse_from(demo::line(&flags, around.cpus))?, around)?;
            plan.look.is_demo = true;
            Call::Run(plan)
        }
        Some(verbs::Verb::Tasks { worker, json }) => Call::Tasks { worker, json },
        Some(verbs::Verb::Cpus { json }) => Call::Cpus { json },
        Some(verbs::Verb::Completions { shell }) => Call::Completions { shell },
        None => Call::Run(planned(cli, around)?),
    })
}

fn planned(cli: Cli, around: Surroundings<'_>) -> Result<Box<Plan>, NoCall> {
    let Cli { verb: _, work, executors, faults, output, look } = cli;
    let refuse = |why: NoPlan| match why {
        NoPlan::Usage(message) => NoCall::Usage(Cli::command().error(ErrorKind::ValueValidation, message)),
        NoPlan::Worker(message) => NoCall::Worker(message),
    };
    Plan::new(plan::Flags { work, executors, faults, output, look }, around).map(Box::new).map_err(refuse)
}

/// A bare word is what people try first: says where words go.
fn explained(error: clap::Error) -> clap::Error {
    let text = error.to_string();
    let is_word = text.contains("unrecognized subcommand")
        || text.contains("the subcommand '")
        || (error.kind() == ErrorKind::UnknownArgument && !text.contains("argument '-"));
    let Some(word) = text.split('\'').nth(1).filter(|_| is_word) else { return error };
    let hint = format!(
        "'{word}' stands alone: a task is named with --task, a file of items with --input, items themselves with \
         --list, and a program of your own stands after --"
    );
    Cli::command().error(ErrorKind::InvalidSubcommand, hint)
}

/// The completion script for a shell.
pub(crate) fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "coordinator", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_with_a_value_shows_its_default_unless_it_has_none() {
        let command = Cli::command();
        let without: Vec<_> = command
            .get_arguments()
            .filter(|arg| arg.get_action().takes_values() && arg.get_default_values().is_empty())
            .filter(|arg| !arg.get_help().is_some_and(|help| help.to_string().contains("[default: ")))
            .filter_map(clap::Arg::get_long)
            .collect();
        assert_eq!(without, ["task", "range", "list", "shuffle"]);
    }

    #[test]
    fn completions_know_the_flags() {
        for shell in [clap_complete::Shell::Bash, clap_complete::Shell::Zsh, clap_complete::Shell::Fish] {
            let script = String::from_utf8(completions(shell)).unwrap();
            assert!(script.contains("start-timeout") && script.contains("inspect"), "{shell}");
        }
    }
}
