//! Why an input can't be used. All of these errors end a call with exit status
//! 2.

use crate::text::{display_path, items_name, system_message};
use procession_task::{Items, counted, escape_terminal};
use std::io;

/// Why an input can't be used.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// The input can't be opened.
    #[error("can't open {name}: {}", system_message(.error))]
    Open {
        /// The input.
        name: String,
        /// The operating system's error.
        error: io::Error,
    },
    /// The input is a folder.
    #[error("{0} is a folder: give the files in it")]
    Folder(String),
    /// The input could not be read to its end.
    #[error("can't read {name}: {}", system_message(.error))]
    Read {
        /// The input.
        name: String,
        /// The operating system's error.
        error: io::Error,
    },
    /// The input is compressed, and damaged or of an unknown kind.
    #[error("can't unpack {name}: {message}")]
    Unpack {
        /// The input.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// The input is something else than a list of items.
    #[error("{name} is {what}: {way_out}")]
    NoItems {
        /// The input.
        name: String,
        /// What it is.
        what: &'static str,
        /// What to do.
        way_out: String,
    },
    /// The input is compressed, and the program that unpacks it is not there.
    #[error("{name} is compressed with {program}, and there is no program '{program}' in PATH: {command}")]
    NoProgram {
        /// The input.
        name: String,
        /// The program.
        program: &'static str,
        /// The command that would do.
        command: String,
    },
    /// The input unpacks to so much more than its size that it is probably a
    /// decompression bomb.
    #[error(
        "{name} unpacks to more than {ratio} times its size: it is probably a decompression bomb; if it is not, unpack it first"
    )]
    Bomb {
        /// The input.
        name: String,
        /// The largest ratio that is accepted.
        ratio: u64,
    },
    /// An item is longer than the limit.
    #[error("{name}:{line}: an item is longer than {max} bytes (see --max-item)")]
    TooLong {
        /// The input.
        name: String,
        /// The line on which the item begins.
        line: u64,
        /// The limit in bytes.
        max: usize,
    },
    /// A block of this many items is longer than the limit for one item.
    #[error("a block of {items} lines is longer than {max} bytes: use a smaller --chunk or a larger --max-item")]
    BlockTooLong {
        /// How many items.
        items: u64,
        /// The limit in bytes.
        max: usize,
    },
    /// The items should be numbers and the input has none.
    #[error("{name}: no numbers{}", heading(.first))]
    NoNumber {
        /// The input.
        name: String,
        /// The first heading line, if the input has only a heading.
        first: Option<String>,
    },
    /// The items should be numbers and seem to be something else.
    #[error("{name}: {suspicion}")]
    Suspicious {
        /// The input.
        name: String,
        /// What they seem to be, and what to do.
        suspicion: String,
    },
    /// A table does not have the column that was asked for.
    #[error("{name} has no column '{}': {}", escape_terminal(.column.as_bytes()), escape_terminal(.why.as_bytes()))]
    NoColumn {
        /// The input.
        name: String,
        /// The column.
        column: String,
        /// Which columns there are.
        why: String,
    },
    /// A column of a table has a name that is refused.
    #[error("{name} has a column '{}': {why}", escape_terminal(.column.as_bytes()))]
    RefusedColumn {
        /// The input.
        name: String,
        /// The column.
        column: String,
        /// Why, and what to do.
        why: String,
    },
    /// The columns of a table differ from those of the first.
    #[error(
        "{name} has other columns than the first table: {}, not {}",
        escape_terminal(.found.as_bytes()),
        escape_terminal(.expected.as_bytes())
    )]
    OtherColumns {
        /// The input.
        name: String,
        /// Its columns.
        found: String,
        /// Those of the first table.
        expected: String,
    },
    /// The first record of a table can't be read.
    #[error("{name}: its first record can't be read: {message}")]
    BadHeading {
        /// The input.
        name: String,
        /// Why.
        message: String,
    },
    /// The input has fewer items than were asked for.
    #[error("--size {size}: {}", few_items(*.items, *.skip))]
    TooFew {
        /// How many items were asked for.
        size: u64,
        /// How many items the input has behind those that are left out.
        items: u64,
        /// What was left out before.
        skip: SkipCount,
    },
    /// An input without items can't be repeated to fill a size.
    #[error("--cycle: the input has no items to repeat")]
    NothingToCycle,
    /// The input has an item of 4 GiB, or more items than the shuffle table can
    /// hold.
    #[error("--shuffle: the input is too large to be shuffled")]
    TooLargeToShuffle,
    /// Repeating the input without a size would never end.
    #[error("--cycle needs --size: without it the input would never end")]
    CycleWithoutSize,
    /// Standard input was named twice.
    #[error("'-' is given twice: standard input can be read only once")]
    StdinTwice,
    /// An item of a list contains a separator.
    #[error("--list: the item '{}' contains a separator of '--items {}': use another --items", escape_terminal(.item.as_bytes()), items_name(*.items))]
    Separator {
        /// The item.
        item: String,
        /// How items are separated.
        items: Items,
    },
    /// The text is not a range.
    #[error("{0}")]
    Range(String),
    /// The text is not a list of counts.
    #[error("{0}")]
    Counts(String),
    /// The input is needed more than once, and its temporary file can't be
    /// written.
    #[error("can't copy the input to a temporary file in {}: {}", folder(), system_message(.0))]
    Spool(io::Error),
    /// The input does not begin with the items that the output to be resumed
    /// was made of.
    #[error(
        "can't resume: the output was not made of the first {} of this input; use the original input, or start again with --overwrite",
        counted(*.items, "item")
    )]
    Changed {
        /// How many items the output holds.
        items: u64,
    },
    /// The input has fewer items than the output to be resumed was made of.
    #[error(
        "can't resume: the output was made of the first {} of the input, which has only {items} now; use the original input, or start again with --overwrite",
        counted(*.consumed, "item")
    )]
    Shorter {
        /// How many items the output holds.
        consumed: u64,
        /// How many items the input has.
        items: u64,
    },
    /// The rows of an output whose failed items are to be run again are of other
    /// items.
    #[error("can't retry: the rows of the output are not those of this input; use the original input")]
    OtherThanRows,
    /// An output whose failed items are to be run again has more rows than the input
    /// has items.
    #[error(
        "can't retry: the output has {}, and the input has only {items} now; use the original input",
        counted(*.rows, "row")
    )]
    FewerThanRows {
        /// How many rows the output has.
        rows: u64,
        /// How many items the input has.
        items: u64,
    },
    /// The thread that reads the input could not be started.
    #[error("can't start the input thread: {}", system_message(.0))]
    Thread(io::Error),
}

/// What is known of the items that were left out (`--skip`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SkipCount {
    /// How many were asked to be left out.
    pub wanted: u64,
    /// How many there were to be left out.
    pub found: u64,
}

fn few_items(items: u64, skip: SkipCount) -> String {
    if skip.wanted == 0 {
        return format!("the input has only {} (--cycle repeats them)", counted(items, "item"));
    }
    let all = counted(skip.found.saturating_add(items), "item");
    format!("the input has {all}, of which --skip {} leaves {items}", skip.wanted)
}

fn folder() -> String {
    display_path(&std::env::temp_dir())
}

fn heading(first: &Option<String>) -> String {
    first.as_ref().map_or_else(String::new, |line| {
        format!(" after its heading \"{line}\" (a leading line with a word is a heading)")
    })
}
