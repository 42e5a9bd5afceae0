//! The verbs beside the plain call, as they are typed.

use clap::{Args, Subcommand};
use clap_complete::Shell;
use std::path::PathBuf;

/// What else the program can be asked for.
#[derive(Subcommand, Debug)]
pub(crate) enum Verb {
    /// Reads a call's log: its runs, a table per process, single items
    Inspect(InspectFlags),
    /// Lists the tasks with their parameters
    Tasks {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Says how many CPUs there are, how many this process may use, and how much memory
    Cpus {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Prints a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// What is asked of a log.
#[derive(Args, Debug)]
pub(crate) struct InspectFlags {
    /// Log folders; several are shown side by side [default: the latest]
    #[arg(value_name = "DIR")]
    pub(crate) dirs: Vec<PathBuf>,

    /// Only run K, from 1
    #[arg(long, value_name = "K", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) run: Option<u32>,

    /// The items that this process ran
    #[arg(long, value_name = "N")]
    pub(crate) pid: Option<u32>,

    /// Which process ran item I, when, at which attempt
    #[arg(long, value_name = "I")]
    pub(crate) item: Option<u64>,

    /// The N items that took longest
    #[arg(long, value_name = "N")]
    pub(crate) slowest: Option<usize>,

    /// The failed items
    #[arg(long)]
    pub(crate) failures: bool,

    /// Just the inputs, to be piped into another run
    #[arg(long)]
    pub(crate) inputs: bool,

    /// Print JSON
    #[arg(long, conflicts_with = "inputs")]
    pub(crate) json: bool,
}
