//! Parses the command line. Nothing is opened and no process is started here. A
//! value that can be checked alone is checked, so that the error names its
//! flag; rules between two flags are in `plan`.

mod bridge;
mod demo;
mod files;
mod flags;
mod nearest;
mod refusal;
mod subcommands;
mod units;

use clap::{CommandFactory, Parser};
use std::ffi::OsString;

#[cfg(not(feature = "png"))]
pub(crate) use files::NO_PNG;
pub(crate) use files::{FileFlags, FileKind};
pub(crate) use flags::{
    ExecutorFlags, FaultFlags, ItemRule, LookFlags, OutputFlags, ProgressMode, WorkFlags, is_identifier,
};
pub(crate) use nearest::nearest;
pub(crate) use refusal::refuse;
use subcommands::AnySubcommand;
pub(crate) use subcommands::{InspectFlags, Subcommand};

const EXAMPLES: &str = "\
Examples:
  # which of these numbers are prime?
  coordinator --procs 4 --task prime --input primes.txt
  # run a program of your own on each line
  ls *.wav | coordinator --task command -- flac {}
  # measure the speedup of more processes
  coordinator --task prime --input primes.txt --procs 1..=auto --repeat 3
  # read a stream, write a file, record failures
  seq 1000000 | coordinator --task sqrt --output roots.csv --keep-going
  # show the slowest items of the last call
  coordinator inspect --slowest 5";

/// What a call without any argument prints.
pub(crate) const FIRST_CALLS: &str = "\
coordinator runs a task on each item of a list, in worker processes.

Which of these numbers are prime?
  coordinator --procs 4 --task prime --input primes.txt
Run a program of your own on each line:
  ls *.wav | coordinator --task command -- flac {}
Call a Python function with each line, at most 10 s each:
  coordinator --task python --input lines.txt --timeout 10s -- f.py:function
How much faster are more processes?
  coordinator --task prime --input primes.txt --procs 1..=auto --repeat 3
What did the last call do, and in which process?
  coordinator inspect

All flags: coordinator --help. All tasks: coordinator tasks.";

/// Runs a task on each item of a list in parallel; results are in input order
#[derive(Parser, Debug)]
#[command(
    name = "coordinator",
    version,
    before_long_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    subcommand_value_name = "SUBCOMMAND",
    subcommand_help_heading = "Subcommands",
    override_usage = "coordinator --task NAME [OPTIONS] [-- PROGRAM ARGS…]\n       coordinator SUBCOMMAND",
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
    /// Whether `coordinator demo` made them.
    pub(crate) is_demo: bool,
}

impl RunFlags {
    fn new(cli: Cli, is_demo: bool) -> Box<Self> {
        let Cli { subcommand: _, work, executors, faults, output, look } = cli;
        Box::new(Self { work, executors, faults, output, look, is_demo })
    }
}

/// Parses a command line; its first word is the program's name. The
/// demonstration measures up to `cpus` workers.
///
/// # Errors
/// What is wrong with it, or the help or version that was asked for; ready to
/// be printed.
pub(crate) fn parse<I, T>(line: I, cpus: usize) -> Result<Invocation, clap::Error>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let line: Vec<OsString> = line.into_iter().map(Into::into).collect();
    let mut cli = Cli::try_parse_from(&line).map_err(|error| {
        let command = Cli::command();
        let subcommands: Vec<&str> = command.get_subcommands().map(clap::Command::get_name).collect();
        refusal::explained(error, &line, &subcommands)
    })?;
    Ok(match cli.subcommand.take() {
        Some(AnySubcommand::Demo(flags)) => {
            Invocation::Run(RunFlags::new(Cli::try_parse_from(demo::line(&flags, cpus))?, true))
        }
        Some(AnySubcommand::Other(other)) => Invocation::Subcommand(other),
        None => Invocation::Run(RunFlags::new(cli, false)),
    })
}

/// The definition of the command line, for completions.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// The definition of the command line for man pages, which have the examples at
/// their end.
pub(crate) fn command_of_manual() -> clap::Command {
    Cli::command().before_long_help(None).after_long_help(EXAMPLES)
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
            .filter(|arg| {
                let help = arg.get_long_help().or(arg.get_help());
                !help.is_some_and(|help| help.to_string().contains("[default: "))
            })
            .filter_map(clap::Arg::get_long)
            .collect();
        assert_eq!(without, ["task", "range", "list", "shuffle"]);
    }

    #[test]
    fn the_short_help_fits_50_lines_of_80_columns() {
        let text = Cli::command().term_width(80).render_help().to_string();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines.len() <= 50, "{} lines:\n{text}", lines.len());
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{text}");
        // A line for each flag: none is continued.
        let is_continued = |line: &&&str| line.starts_with("          ") && !line.trim_start().starts_with('-');
        assert_eq!(lines.iter().filter(is_continued).count(), 0, "{text}");
    }

    #[test]
    fn the_long_help_shows_every_flag() {
        let text = Cli::command().render_long_help().to_string();
        for flag in Cli::command().get_arguments().filter_map(clap::Arg::get_long) {
            assert!(text.contains(&format!("--{flag}")), "{flag}");
        }
    }
}
