//! Stage one: the flags as they are typed, grouped as in the documentation.
//!
//! Nothing is decided here. A value that can be judged by itself (a duration, a
//! list of counts) is parsed on the way in, so that the error names its flag;
//! whatever depends on two flags is the business of `plan`.

use super::files::FileFlags;
use super::units;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use procession::ChunkSize;
use procession_job::MaxFailures;
use procession_report::LogLevel;
use procession_task::{FailureKind, Format, Items, JobLimits, RetryPolicy};
use std::ffi::OsString;
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

    /// The program of your own that `command`, `filter` and `pipe` run, and its arguments; of `python` FILE.py:FUNCTION
    ///
    /// In its arguments `{size}` is the --size of the run and `{procs}` how many run it; `command` puts the item
    /// for `{}`. No shell sees them: an item stays one argument.
    #[arg(last = true, value_name = "PROGRAM ARGS…")]
    pub(crate) program: Vec<OsString>,

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

    /// The same task, blocks and order on threads of the coordinator; several counts are several runs [default: none]
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
    ///
    /// Of `pipe` it is how many lines a program is given; `auto` is as many as fit into 64 KiB.
    #[arg(long, value_name = "N[,N…]|auto", default_value = "auto", value_parser = chunks)]
    pub(crate) chunk: Chunks,

    /// Do not compare the outputs of the configurations
    #[arg(long)]
    pub(crate) no_verify: bool,

    /// The worker to spawn, with tasks of your own [default: the file `worker` beside this program]
    #[arg(long, value_name = "PATH")]
    pub(crate) worker: Option<PathBuf>,
}

impl FaultFlags {
    /// What an item may use.
    pub(crate) fn limits(&self) -> JobLimits {
        JobLimits { timeout: self.timeout, memory_limit: self.memory_limit }
    }

    /// Which items are tried again.
    pub(crate) fn retry(&self) -> RetryPolicy {
        RetryPolicy { retries: self.retries.0, retry_on: self.retry_on.0.clone() }
    }

    /// The flags that only processes can enforce, and whether each is given.
    pub(crate) fn for_processes(&self) -> [(&'static str, bool); 3] {
        [
            ("--timeout", self.timeout.is_some()),
            ("--memory-limit", self.memory_limit.is_some()),
            ("--max-tasks-per-worker", self.max_tasks_per_worker.is_some()),
        ]
    }
}

/// What to do when something fails.
#[derive(Args, Debug)]
#[command(next_help_heading = "Faults")]
pub(crate) struct FaultFlags {
    /// How often an item is tried again whose outcome is one of --retry-on
    ///
    /// A death is charged only to an item that was alone in its worker; its neighbours are sent again and not charged.
    #[arg(long, value_name = "N|unlimited", default_value = "2", allow_hyphen_values = true, value_parser = retries)]
    pub(crate) retries: Retries,

    /// Which outcomes are tried again: crashed, out-of-memory, timed-out, failed
    ///
    /// An item that failed is run again at once, in the same worker; the others by a fresh one.
    #[arg(long, value_name = "KINDS", default_value = "crashed,out-of-memory", value_parser = retry_on)]
    pub(crate) retry_on: RetryOn,

    /// How long an item may run, from its own start: 500ms, 2s, 1m, bare numbers are seconds [default: no limit]
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub(crate) timeout: Option<Duration>,

    /// How much memory each worker may have: 512M, 2G [default: no limit]
    ///
    /// Programs that a worker starts have the same limit, each for itself.
    #[arg(long, value_name = "SIZE", value_parser = units::size)]
    pub(crate) memory_limit: Option<u64>,

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

    /// Go on after the last complete result in the output of an interrupted run; needs --output FILE
    ///
    /// What the output is of, and how far, is kept beside it in FILE.resume. Another task, format or setting,
    /// or an input that no longer begins with the items that are done, is refused. Of a complete output it says
    /// so and does nothing, so that a loop around it ends.
    #[arg(long, conflicts_with = "overwrite")]
    pub(crate) resume: bool,

    /// Begin anew, though the output is that of an interrupted run
    #[arg(long)]
    pub(crate) overwrite: bool,
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

    /// Memory that items under way and results may take while they wait for their turn; 1M at least
    #[arg(long, value_name = "SIZE", default_value = "16M", value_parser = window)]
    pub(crate) window: u64,
}

/// What a person sees of it.
#[derive(Args, Debug)]
#[command(next_help_heading = "Looking")]
pub(crate) struct LookFlags {
    /// What the log says: a line for every task (item), for every chunk, or nothing
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = LogChoice(Some(LogLevel::Task)))]
    pub(crate) log: LogChoice,

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

    #[command(flatten)]
    pub(crate) files: FileFlags,

    /// A line per item in GNU parallel's columns, and the process's id: Seq, Host, Starttime, … [default: none]
    #[arg(long, value_name = "FILE")]
    pub(crate) joblog: Option<PathBuf>,

    /// Errors only
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// Show what would be run, and how long it would take, and write neither output nor log
    ///
    /// To estimate the time, the first items are really run, for about a second, by one worker, and their results
    /// dropped: what a program of your own does beside that, it does.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// How much is logged; `None`: nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogChoice(pub(crate) Option<LogLevel>);

impl ValueEnum for LogChoice {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self(Some(LogLevel::Task)), Self(Some(LogLevel::Chunk)), Self(None)]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self.0 {
            Some(LogLevel::Task) => PossibleValue::new("task").help("A line for every item"),
            Some(LogLevel::Chunk) => PossibleValue::new("chunk").help("A line for every chunk"),
            None => PossibleValue::new("off").help("No log"),
        })
    }
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

/// The value of `--retries`; `None` is unlimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retries(pub(crate) Option<u32>);

fn retries(text: &str) -> Result<Retries, String> {
    if text == "unlimited" {
        return Ok(Retries(None));
    }
    units::whole::<0, u32>(text).map(|times| Retries(Some(times))).map_err(|error| format!("{error}, or 'unlimited'"))
}

/// The value of `--retry-on`, each kind once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RetryOn(pub(crate) Vec<FailureKind>);

fn retry_on(text: &str) -> Result<RetryOn, String> {
    let mut kinds = Vec::new();
    for name in text.split(',').map(str::trim) {
        let known = FailureKind::ALL.into_iter().find(|kind| kind.as_str() == name);
        match known {
            Some(FailureKind::Invalid) => {
                return Err("an invalid item is invalid every time: trying it again can't help".to_owned());
            }
            Some(kind) if !kinds.contains(&kind) => kinds.push(kind),
            Some(_) => {}
            None => {
                let hint = "write one or more of crashed, out-of-memory, timed-out, failed, with commas between";
                return Err(format!("'{name}' is no outcome that can be tried again: {hint}"));
            }
        }
    }
    Ok(RetryOn(kinds))
}

fn window(text: &str) -> Result<u64, String> {
    let bytes = units::size(text)?;
    if bytes < procession::raw::LEAST_WINDOW_BYTES {
        return Err("less than 1M would leave workers without work: write 1M or more".to_owned());
    }
    Ok(bytes)
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
    fn retries_are_a_number_or_unlimited() {
        assert_eq!(retries("0"), Ok(Retries(Some(0))));
        assert_eq!(retries("unlimited"), Ok(Retries(None)));
        for text in ["-1", "", "never", "1.5"] {
            assert!(retries(text).unwrap_err().contains("'unlimited'"), "{text}");
        }
    }

    #[test]
    fn outcomes_to_retry_are_named_once() {
        let kinds = |text: &str| retry_on(text).map(|RetryOn(kinds)| kinds);
        assert_eq!(kinds("crashed,out-of-memory"), Ok(procession::RETRY_ON.to_vec()));
        assert_eq!(kinds("timed-out, failed,timed-out"), Ok(vec![FailureKind::TimedOut, FailureKind::Failed]));
        assert!(kinds("crashed,invalid").unwrap_err().contains("every time"));
        for text in ["", "all", "crashed,", "Crashed"] {
            assert!(kinds(text).unwrap_err().contains("timed-out"), "{text}");
        }
    }

    #[test]
    fn parameters_are_pairs() {
        assert_eq!(key_value("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(key_value("a="), Ok(("a".to_owned(), String::new())));
        assert!(key_value("a").is_err() && key_value("=b").is_err());
    }
}
