//! Where results go.

use super::values::{format_parser, window};
use clap::Args;
use procession_task::Format;
use std::path::PathBuf;

/// Where results go.
#[derive(Args, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputFlags {
    /// File for the results
    ///
    /// `-` is standard output. For `mandelbrot` a file that ends in .png is the picture; with several sizes the names
    /// of the pictures contain the size. [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Format of the results: tsv, csv, jsonl or lines
    ///
    /// `tsv` is `INPUT<TAB>RESULT`. `csv` and `jsonl` also have the index and the failures. `lines` is the result
    /// alone. [default: by the extension of --output (.tsv, .csv, .jsonl, .lines), else tsv]
    #[arg(long, value_name = "FORMAT", hide_possible_values = true, value_parser = format_parser())]
    pub(crate) format: Option<Format>,

    /// Put ' before csv cells that a spreadsheet would take for formulas
    ///
    /// These are cells that begin with = + - @, a tab or a carriage return, except numbers. Off by default, because
    /// programs that read the file would get other text than the task's.
    #[arg(long, hide_short_help = true)]
    pub(crate) csv_safe: bool,

    /// Write results in the order of completion (csv and jsonl only)
    ///
    /// These formats contain the index of the item.
    #[arg(long, hide_short_help = true)]
    pub(crate) unordered: bool,

    /// Memory for items in progress and for results that wait for their turn
    ///
    /// At least 1M.
    #[arg(long, value_name = "SIZE", default_value = "16M", value_parser = window, hide_short_help = true)]
    pub(crate) window: u64,
}
