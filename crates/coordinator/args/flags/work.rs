//! The task and its items.

use super::values::{ItemRule, constant, delimiter, items_parser, key_value, max_item};
use crate::args::units;
use clap::Args;
use std::ffi::OsString;
use std::path::PathBuf;

/// What is to be done.
#[derive(Args, Debug)]
#[command(next_help_heading = "Work")]
pub(crate) struct WorkFlags {
    /// The task to run on each item
    ///
    /// `coordinator tasks` lists the tasks and their parameters.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) task: Option<String>,

    /// A parameter of the task; may be repeated
    ///
    /// `coordinator tasks` lists the parameters of each task. [default: as listed there]
    #[arg(long = "param", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) params: Vec<(String, String)>,

    /// A constant argument of a Python function; may be repeated
    ///
    /// The value is JSON, else text. The function gets it by this name with each item. [default: none]
    #[arg(long = "arg", value_name = "NAME=VALUE", value_parser = constant, hide_short_help = true)]
    pub(crate) constants: Vec<String>,

    /// Files with the items; `-` is standard input
    ///
    /// Files are read as a stream and never held whole in memory. They are known by their content: gzip and zip are
    /// unpacked, zstd, xz, bzip2 and lz4 by the programs of these names. [default: standard input, if it is not a terminal]
    #[arg(short, long = "input", value_name = "FILE", num_args = 1.., group = "source")]
    pub(crate) inputs: Vec<PathBuf>,

    /// Integers from A to B-1 (A..=B: to B) as items
    ///
    /// With STEP, every STEP-th integer.
    #[arg(long, value_name = "A..B[:STEP]", allow_hyphen_values = true, group = "source")]
    pub(crate) range: Option<String>,

    /// The items themselves
    #[arg(long, value_name = "X,Y,…", allow_hyphen_values = true, group = "source")]
    pub(crate) list: Option<String>,

    /// How to split the input: lines, csv, …
    ///
    /// `words` splits at white space and commas. `lines` splits at line ends; an empty line is an item. `nul` splits
    /// at NUL bytes. `numbers` are words below a heading, also in quotes or in a list in brackets, and `#` begins a
    /// remark; what looks like a table is refused. `csv` are records of comma-separated values (RFC 4180) below a
    /// heading, `jsonl` JSON values, a line each; `command` has their fields as `{1}` and `{name}`.
    /// [default: as the task needs it]
    #[arg(long, value_name = "RULE", hide_possible_values = true, value_parser = items_parser())]
    pub(crate) items: Option<ItemRule>,

    /// The field that is the item: its column's name or number, or its key
    ///
    /// It needs `--items csv` or `--items jsonl`. [default: an item is a whole record]
    #[arg(long, value_name = "NAME|N", hide_short_help = true)]
    pub(crate) column: Option<String>,

    /// What separates the fields of csv: a character, or tab
    ///
    /// [default: judged on the first records, and told]
    #[arg(long, value_name = "CHAR|tab", value_parser = delimiter, hide_short_help = true)]
    pub(crate) delimiter: Option<u8>,

    /// The first record of csv is no heading
    #[arg(long, hide_short_help = true)]
    pub(crate) no_heading: bool,

    /// Leave out the first N items
    #[arg(
        long, value_name = "N", default_value_t = 0, allow_hyphen_values = true,
        value_parser = units::whole::<0, u64>, hide_short_help = true
    )]
    pub(crate) skip: u64,

    /// Shuffle the items
    ///
    /// The same seed gives the same order. The input is held in memory.
    #[arg(long, value_name = "SEED", value_parser = units::whole::<0, u64>, hide_short_help = true)]
    pub(crate) shuffle: Option<u64>,

    /// Start again at the end of the input until --size items are taken
    #[arg(long, hide_short_help = true)]
    pub(crate) cycle: bool,

    /// Take N items; several sizes are several runs
    ///
    /// Sizes are written as numbers or ranges: `100,1000`, `2..=40:2`. The meaning of a size depends on the task: for
    /// `mandelbrot` it is the side of the picture in pixels, by default 600. [default: all items]
    #[arg(long, value_name = "N[,N…]")]
    pub(crate) size: Option<String>,

    /// Program to run, or FILE.py:FUNCTION (python)
    ///
    /// It is for the tasks command, filter, pipe and python. A function may also be MODULE:FUNCTION, CLASS.METHOD or
    /// OBJECT.METHOD.
    ///
    /// In its arguments `{size}` is the --size of the run and `{procs}` is the number of worker processes. `command`
    /// replaces `{}` by the item, `{#}` by its number and `{%}` by that of the worker's slot. There is no shell in
    /// between: an item is always one argument. For a shell write `sh -c 'wc "$1"' _ {}`.
    #[arg(last = true, value_name = "PROGRAM ARGS…")]
    pub(crate) program: Vec<OsString>,

    /// Exit statuses of a program that are a success: 0,1 for grep
    ///
    /// It is for the tasks command and pipe. [default: 0]
    #[arg(long, value_name = "N[,N…]", hide_short_help = true)]
    pub(crate) ok_status: Option<String>,

    /// Allow items as a part of a shell's code
    ///
    /// Without it `{}` in the text of `sh -c` or in the command of ssh is refused, because an item could run any
    /// command there.
    #[arg(long, hide_short_help = true)]
    pub(crate) trust_items: bool,

    /// Maximum size of an item
    ///
    /// A larger item is an error. Units are powers of 1024: 512K, 16MiB. With worker processes at most 255M.
    #[arg(long, value_name = "SIZE", default_value = "16MiB", value_parser = max_item, hide_short_help = true)]
    pub(crate) max_item: usize,
}
