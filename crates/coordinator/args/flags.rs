//! Stage one: the flags as they are typed, grouped as in the documentation.
//!
//! Nothing is decided here. A value that can be judged by itself (a duration, a
//! list of counts) is parsed on the way in, so that the error names its flag;
//! whatever depends on two flags is the business of `plan`.

use super::units;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use procession::ChunkSize;
use procession_job::MaxFailures;
use procession_task::{Format, Items};
use std::num::NonZero;
use std::path::PathBuf;
use std::time::Duration;

/// What is to be done.
#[derive(Args, Debug)]
#[command(next_help_heading = "Work")]
pub(crate) struct WorkFlags {
    /// What becomes of each item; `coordinator tasks` lists the tasks
    #[arg(short, long, value_name = "NAME")]
    pub(crate) task: Option<String>,

    /// A setting of the task's own; repeat it for several [default: as `coordinator tasks` lists]
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) params: Vec<(String, String)>,

    /// Files that hold the items; `-` is standard input [default: standard input, when it is no terminal]
    ///
    /// Read as a stream, never held whole. Gzip and zip are recognised by content.
    #[arg(short, long = "input", value_name = "FILE", num_args = 1.., group = "source")]
    pub(crate) inputs: Vec<PathBuf>,

    /// The whole numbers from A up to but not B, instead of a file; `A..=B` includes B
    #[arg(long, value_name = "A..B[:STEP]", allow_hyphen_values = true, group = "source")]
    pub(crate) range: Option<String>,

    /// The items themselves
    #[arg(long, value_name = "X,Y,…", allow_hyphen_values = true, group = "source")]
    pub(crate) list: Option<String>,

    /// How the input is cut into items [default: the task's own rule]
    ///
    /// `words` cuts at white space and commas; in `lines` an empty line is an item; `nul` cuts at NUL bytes.
    #[arg(long, value_name = "RULE", value_parser = items_parser())]
    pub(crate) items: Option<Items>,

    /// Leave out the first N items
    #[arg(long, value_name = "N", default_value_t = 0, allow_hyphen_values = true, value_parser = units::whole::<0, u64>)]
    pub(crate) skip: u64,

    /// Shuffle the items, in the same way for the same seed (holds the input in memory)
    #[arg(long, value_name = "SEED", value_parser = units::whole::<0, u64>)]
    pub(crate) shuffle: Option<u64>,

    /// Start again at the input's end, until --size is filled
    #[arg(long)]
    pub(crate) cycle: bool,

    /// How many items to take; several sizes are several runs [default: all of them]
    ///
    /// What a size is is the task's affair: of mandelbrot it is the picture's side in pixels, by default 600.
    #[arg(long, value_name = "N[,N…]")]
    pub(crate) size: Option<String>,

    /// Longest item that is accepted
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = max_item)]
    pub(crate) max_item: usize,
}

/// What it runs on.
#[derive(Args, Debug)]
#[command(next_help_heading = "Executors")]
pub(crate) struct ExecutorFlags {
    /// Worker processes; several counts are several runs, as in `1..=auto` [default: auto, unless --threads or --serial is given]
    ///
    /// `auto` is the number of CPUs that this process may use, by affinity and quota; see `coordinator cpus`.
    #[arg(short = 'j', long, value_name = "N[,N…]|auto")]
    pub(crate) procs: Option<String>,

    /// The same task, blocks and order on threads of the coordinator; several counts are several runs
    #[arg(long, value_name = "N[,N…]|auto")]
    pub(crate) threads: Option<String>,

    /// The same in a plain loop, no pool
    #[arg(long)]
    pub(crate) serial: bool,

    /// Short for --serial, --threads and --procs at the given counts [default: auto]
    #[arg(long)]
    pub(crate) compare: bool,

    /// Measured runs of each configuration
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = units::whole::<1, u32>)]
    pub(crate) repeat: u32,

    /// Unmeasured runs of each configuration before the measured ones
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = units::whole::<0, u32>)]
    pub(crate) warmup: u32,

    /// Items per message; `auto` adapts to what an item costs; several values are several runs
    #[arg(long, value_name = "N[,N…]|auto", default_value = "auto", value_parser = chunks)]
    pub(crate) chunk: Chunks,

    /// Do not compare the outputs of the configurations
    #[arg(long)]
    pub(crate) no_verify: bool,

    /// The worker to spawn [default: the file `worker` beside this program]
    #[arg(long, value_name = "PATH")]
    pub(crate) worker: Option<PathBuf>,
}

/// What to do when something fails.
#[derive(Args, Debug)]
#[command(next_help_heading = "Faults")]
pub(crate) struct FaultFlags {
    /// How often an item that was alone in a dying worker is tried again
    #[arg(long, value_name = "N", default_value_t = 2, allow_hyphen_values = true, value_parser = units::whole::<0, u32>)]
    pub(crate) retries: u32,

    /// Replace a worker after N items [default: never]
    #[arg(long, value_name = "N", value_parser = units::whole::<1, u64>)]
    pub(crate) max_tasks_per_worker: Option<u64>,

    /// How long a worker may take to say hello: 500ms, 2s, 1m, bare numbers are seconds
    #[arg(long, value_name = "DURATION", default_value = "4s", value_parser = units::duration)]
    pub(crate) start_timeout: Duration,

    /// Go on after a failed item, with a record in its place [default: end after the results before it]
    #[arg(short, long)]
    pub(crate) keep_going: bool,

    /// Go on like --keep-going, but end with the Nth failure, or when more than P percent failed of a hundred items or more [default: no limit]
    #[arg(long, value_name = "N|P%")]
    pub(crate) max_failures: Option<MaxFailures>,
}

/// Where results go.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputFlags {
    /// Where results go; `-` is standard output [default: standard output]
    ///
    /// Of mandelbrot a file ending in .png is the picture; with several sizes their names carry the size.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// How a result is written [default: by the output's extension (.tsv, .csv, .jsonl, .lines), else tsv]
    ///
    /// `tsv` is `INPUT<TAB>RESULT`; `csv` and `jsonl` carry the index and failures too; `lines` is the result alone.
    #[arg(long, value_name = "FORMAT", value_parser = format_parser())]
    pub(crate) format: Option<Format>,

    /// Write results as they come, not in input order (csv and jsonl, which carry the index)
    #[arg(long)]
    pub(crate) unordered: bool,
}

/// What a person sees of it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Looking")]
pub(crate) struct LookFlags {
    /// What the log says: a line for every task (item), for every chunk, or nothing
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LogLevel::Task)]
    pub(crate) log: LogLevel,

    /// This call's log folder; created, not emptied [default: one of its own in the user's state folder]
    ///
    /// Of the default ones the newest 20 are kept, within 2 GiB; one that is named here is never removed.
    #[arg(long, value_name = "DIR")]
    pub(crate) log_dir: Option<PathBuf>,

    /// A live line per item: `Task <pid 4242, worker 1> 2 1.4142135623730951`
    #[arg(short, long, conflicts_with = "quiet")]
    pub(crate) verbose: bool,

    /// A bar with rate, time to go and the workers' states; auto: only on a terminal
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Progress::Auto)]
    pub(crate) progress: Progress,

    /// A line per item in GNU parallel's columns, and the process's id: Seq, Host, Starttime, … [default: none]
    #[arg(long, value_name = "FILE")]
    pub(crate) joblog: Option<PathBuf>,

    /// Errors only
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    /// A line for every item.
    Task,
    /// A line for every chunk.
    Chunk,
    /// No log.
    Off,
}

/// Whether there is a progress bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Progress {
    /// Only on a terminal.
    Auto,
    /// Yes.
    Always,
    /// No.
    Never,
}

/// The values of `--chunk`, each once, in the order given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunks(pub(crate) Vec<ChunkSize>);

fn chunks(text: &str) -> Result<Chunks, String> {
    let mut chunks = Vec::new();
    let mut push = |chunk| {
        if !chunks.contains(&chunk) {
            chunks.push(chunk);
        }
    };
    for part in text.split(',').map(str::trim) {
        if part == "auto" {
            push(ChunkSize::Auto);
            continue;
        }
        for number in procession_job::parse_sizes(part).map_err(|error| error.to_string())? {
            let items = u32::try_from(number).ok().and_then(NonZero::new);
            let items = items.ok_or_else(|| format!("a message can't hold {number} items"))?;
            push(ChunkSize::Fixed(items));
        }
    }
    Ok(Chunks(chunks))
}

fn max_item(text: &str) -> Result<usize, String> {
    let bytes = units::size(text)?;
    usize::try_from(bytes).map_err(|_| "more than this machine can address".to_owned())
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, as in method=naive".to_owned()),
    }
}

fn items_parser() -> impl TypedValueParser<Value = Items> {
    PossibleValuesParser::new(["words", "lines", "nul"]).map(|name| match name.as_str() {
        "words" => Items::Words,
        "lines" => Items::Lines,
        _ => Items::Nul,
    })
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    let names = Format::ALL.map(|(name, _)| name);
    PossibleValuesParser::new(names).map(|name| Format::from_name(&name).unwrap_or(Format::Tsv))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_numbers_or_auto() {
        assert_eq!(chunks("auto").unwrap().0, [ChunkSize::Auto]);
        assert_eq!(chunks("1,auto,10..=30:10").unwrap().0.len(), 5);
        assert_eq!(chunks("4,4").unwrap().0, [ChunkSize::Fixed(NonZero::new(4).unwrap())]);
        for text in ["0", "", "1..=auto", "4294967296"] {
            assert!(chunks(text).is_err(), "{text}");
        }
    }

    #[test]
    fn parameters_are_pairs() {
        assert_eq!(key_value("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(key_value("a="), Ok(("a".to_owned(), String::new())));
        assert!(key_value("a").is_err() && key_value("=b").is_err());
    }
}
