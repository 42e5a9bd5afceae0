//! The verbs beside the plain call, as they are typed.

use super::files::{FileFlags, page};
use super::units;
use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

/// What stands in the place of `--task`.
#[derive(clap::Subcommand, Debug)]
pub(super) enum AnySubcommand {
    #[command(flatten)]
    Other(Subcommand),
    /// Measures 34 primes of eight digits on 1 to all CPUs and writes a page: no file needed, done in seconds
    Demo(DemoFlags),
}

/// What can be asked for besides a run.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Subcommand {
    /// Reads a call's log: its runs, a table per process, single items
    Inspect(InspectFlags),
    /// Lists the tasks with their parameters
    Tasks {
        /// Those of a worker of your own [default: the built-in ones]
        #[arg(long, value_name = "PATH")]
        worker: Option<PathBuf>,
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

/// How the demonstration is run.
#[derive(Args, Debug)]
pub(crate) struct DemoFlags {
    /// Measured runs of each configuration
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = units::whole::<1, u32>)]
    pub(crate) repeat: u32,

    /// Where the page goes; a folder that can't be written has it in the log
    #[arg(long, value_name = "FILE.html", default_value = "procession-demo.html", value_parser = page())]
    pub(crate) report: PathBuf,
}

/// What is asked of a log.
#[derive(Args, Debug)]
pub(crate) struct InspectFlags {
    /// Log folders; several are shown side by side [default: the latest one]
    #[arg(value_name = "DIR")]
    pub(crate) dirs: Vec<PathBuf>,

    /// Only run K, from 1
    #[arg(long, value_name = "K", value_parser = units::whole::<1, u32>)]
    pub(crate) run: Option<u32>,

    /// The items that this process ran
    #[arg(long, value_name = "N", value_parser = units::whole::<1, u32>)]
    pub(crate) pid: Option<u32>,

    /// Which process ran item I (its index in the input, from 0), when, at which attempt
    #[arg(long, value_name = "I", value_parser = units::whole::<0, u64>)]
    pub(crate) item: Option<u64>,

    /// The N items that took longest
    #[arg(long, value_name = "N", value_parser = units::whole::<1, u32>)]
    pub(crate) slowest: Option<u32>,

    /// The failed items
    #[arg(long)]
    pub(crate) failures: bool,

    /// Just the inputs, one a line, to be piped into another run (with `--items lines`)
    #[arg(long)]
    pub(crate) inputs: bool,

    /// Print JSON
    #[arg(long, conflicts_with = "inputs")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) files: FileFlags,
}
