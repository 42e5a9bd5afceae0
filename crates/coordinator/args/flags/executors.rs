//! What the work runs on.

use super::values::{ChunkList, chunks};
use crate::args::units;
use clap::Args;
use std::path::PathBuf;

/// What the work runs on.
#[derive(Args, Debug)]
#[command(next_help_heading = "Executors")]
pub(crate) struct ExecutorFlags {
    /// Worker processes: 4, or several: 1,2,4, 1..=auto
    ///
    /// Several counts are several runs. `auto` is the number of CPUs that this process may use, after CPU affinity
    /// and cgroup quota; `coordinator cpus` explains it. [default: auto, unless --threads or --serial is given]
    #[arg(short = 'j', long, value_name = "N[,N…]|auto")]
    pub(crate) procs: Option<String>,

    /// Run on threads of the coordinator instead
    ///
    /// Task, blocks of items and order are the same as with processes. Several counts are several runs.
    /// [default: none]
    #[arg(long, value_name = "N[,N…]|auto")]
    pub(crate) threads: Option<String>,

    /// Run in a loop, without a pool
    #[arg(long, hide_short_help = true)]
    pub(crate) serial: bool,

    /// Compare serial loop, threads and processes
    ///
    /// Short for --serial, --threads and --procs. Counts are those of --procs and --threads. [default: auto]
    #[arg(long)]
    pub(crate) compare: bool,

    /// Measured runs of each configuration
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = units::whole::<1, u32>)]
    pub(crate) repeat: u32,

    /// Unmeasured runs of each configuration, before the measured ones
    #[arg(
        long, value_name = "N", default_value_t = 0,
        value_parser = units::whole::<0, u32>, hide_short_help = true
    )]
    pub(crate) warmup: u32,

    /// Items per message
    ///
    /// `auto` adapts to the measured time of an item. Several values are several runs. For `pipe` it is the number of
    /// lines that a program is given; `auto` is as many as fit into 64 KiB.
    #[arg(long, value_name = "N[,N…]|auto", default_value = "auto", value_parser = chunks)]
    pub(crate) chunk: ChunkList,

    /// Do not compare the outputs of the configurations
    #[arg(long, hide_short_help = true)]
    pub(crate) no_verify: bool,

    /// The worker program to start, with tasks of your own
    ///
    /// [default: the file `worker` in the folder of this program]
    #[arg(long, value_name = "PATH", hide_short_help = true)]
    pub(crate) worker: Option<PathBuf>,
}
