//! The subcommands and their flags.

use super::files::{FileFlags, page};
use super::units;
use clap::Args;
use clap_complete::Shell;
use std::path::PathBuf;

/// All the subcommands.
#[derive(clap::Subcommand, Debug)]
pub(super) enum AnySubcommand {
    #[command(flatten)]
    Other(Subcommand),
    /// Measures a built-in example on 1 to all CPUs
    ///
    /// It tests 34 primes of eight digits with the naive method and writes an HTML page. It needs no file and takes
    /// seconds.
    Demo(DemoFlags),
}

/// The subcommands that run no task.
#[derive(clap::Subcommand, Debug)]
pub(crate) enum Subcommand {
    /// Shows the log of a call: runs, processes, items
    Inspect(InspectFlags),
    /// Lists the tasks and their parameters
    Tasks {
        /// List the tasks of this worker program [default: the built-in tasks]
        #[arg(long, value_name = "PATH")]
        worker: Option<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Shows the CPUs and the memory that can be used
    Cpus {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Prints a completion script for a shell
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Writes the man pages
    #[command(hide = true)]
    Man {
        /// Folder for the pages; created if needed
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
}

/// The flags of `demo`.
#[derive(Args, Debug)]
pub(crate) struct DemoFlags {
    /// Measured runs of each configuration
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = units::whole::<1, u32>)]
    pub(crate) repeat: u32,

    /// Where to write the page; if that fails, it is written to the log folder
    #[arg(long, value_name = "FILE.html", default_value = "procession-demo.html", value_parser = page())]
    pub(crate) report: PathBuf,
}

/// The flags of `inspect`.
#[derive(Args, Debug)]
pub(crate) struct InspectFlags {
    /// Log folders; several are compared [default: the latest one]
    #[arg(value_name = "DIR")]
    pub(crate) dirs: Vec<PathBuf>,

    /// Show run K only; the first run is 1
    #[arg(long, value_name = "K", value_parser = units::whole::<1, u32>)]
    pub(crate) run: Option<u32>,

    /// Show the items that this process ran
    #[arg(long, value_name = "N", value_parser = units::whole::<1, u32>)]
    pub(crate) pid: Option<u32>,

    /// Show each attempt of item I, counted from 0
    ///
    /// I is the index in the input. Each attempt is shown with its process, time and outcome.
    #[arg(long, value_name = "I", value_parser = units::whole::<0, u64>)]
    pub(crate) item: Option<u64>,

    /// Show the N items that took longest
    #[arg(long, value_name = "N", value_parser = units::whole::<1, u32>)]
    pub(crate) slowest: Option<u32>,

    /// Show the failed items
    #[arg(long)]
    pub(crate) failures: bool,

    /// Print the inputs alone, one per line
    ///
    /// They can be piped into another run with `--items lines`. Those of failed items are whole, also if they are long.
    #[arg(long)]
    pub(crate) inputs: bool,

    /// With --inputs: end each with a NUL, for inputs with line feeds
    ///
    /// The other run takes them with `--items nul`.
    #[arg(short = '0', long = "null", requires = "inputs")]
    pub(crate) nul: bool,

    /// Print JSON
    #[arg(long, conflicts_with = "inputs")]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) files: FileFlags,
}
