//! The flags as they are typed. Nothing is asked, opened or decided here: a
//! value that can be judged by itself is checked, so that the error names its
//! flag, and everything that depends on two flags is the business of `plan`.

mod demo;
mod files;
mod flags;
mod subcommands;
mod units;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use std::ffi::OsString;

pub(crate) use files::{FileFlags, FileKind};
pub(crate) use flags::{ExecutorFlags, FaultFlags, LogLevel, LookFlags, OutputFlags, ProgressMode, WorkFlags};
use subcommands::AnySubcommand;
pub(crate) use subcommands::{InspectFlags, Subcommand};

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
    subcommand: Option<AnySubcommand>,
    #[command(flatten)]
    work: WorkFlags,
    #[command(flatten)]
    executors: ExecutorFlags,
    #[command(flatten)]
    faults: FaultFlags,
    #[command(flatten)]
    output: OutputFlags,
    #[command(flatten)]
    look: LookFlags,
}

/// What was asked for.
#[derive(Debug)]
pub(crate) enum Invocation {
    /// A run, or a study of several.
    Run(Box<RunFlags>),
    /// Anything else.
    Subcommand(Subcommand),
}

/// All the flags of a call that runs a task.
#[derive(Debug)]
pub(crate) struct RunFlags {
    pub(crate) work: WorkFlags,
    pub(crate) executors: ExecutorFlags,
    pub(crate) faults: FaultFlags,
    pub(crate) output: OutputFlags,
    pub(crate) look: LookFlags,
    /// Whether they are those of the demonstration.
    pub(crate) is_demo: bool,
}

impl RunFlags {
    fn new(cli: Cli, is_demo: bool) -> Box<Self> {
        let Cli { subcommand: _, work, executors, faults, output, look } = cli;
        Box::new(Self { work, executors, faults, output, look, is_demo })
    }
}

/// Reads a command line, the program's name first. The demonstration measures
/// up to `cpus` workers.
///
/// # Errors
/// It does not fit, or help or the version was asked for: ready to be printed.
pub(crate) fn parse<I, T>(line: I, cpus: usize) -> Result<Invocation, clap::Error>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let mut cli = Cli::try_parse_from(line).map_err(explained)?;
    Ok(match cli.subcommand.take() {
        Some(AnySubcommand::Demo(flags)) => {
            Invocation::Run(RunFlags::new(Cli::try_parse_from(demo::line(&flags, cpus))?, true))
        }
        Some(AnySubcommand::Other(other)) => Invocation::Subcommand(other),
        None => Invocation::Run(RunFlags::new(cli, false)),
    })
}

/// The error for flags that don't make a call, with the usage.
pub(crate) fn refuse(why: String) -> clap::Error {
    Cli::command().error(ErrorKind::ValueValidation, why)
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
