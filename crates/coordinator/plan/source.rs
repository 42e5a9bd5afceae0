//! Where the items come from, and which of them are taken.

use super::task::{KnownTask, PlannedTask};
use crate::args::WorkFlags;
use procession_job::{InputOptions, IntegerRange, ItemSource};
use procession_task::builtin::{Picture, TaskEntry, TaskShape};

/// Where items come from.
pub(crate) enum WorkSource {
    /// The user gives them.
    Given(ItemSource),
    /// They are the rows of this picture; the size is their number.
    Rows(&'static Picture),
}

impl WorkSource {
    /// Finds the source. The parser has refused more than one.
    ///
    /// # Errors
    /// There is no source and standard input is a terminal, a range is wrong, or
    /// items are given to a task that has its own.
    pub(crate) fn new(flags: &WorkFlags, task: &PlannedTask, stdin_is_terminal: bool) -> Result<Self, String> {
        match &task.task {
            KnownTask::BuiltIn(TaskEntry { shape: TaskShape::Picture(picture), .. }, _) => {
                without_items(flags, task.name()).map(|()| Self::Rows(picture))
            }
            KnownTask::BuiltIn(..) | KnownTask::Own(_) => given(flags, stdin_is_terminal).map(Self::Given),
        }
    }
}

impl WorkSource {
    /// That it has no items.
    pub(crate) fn without_items(&self) -> String {
        match self {
            Self::Given(ItemSource::Range(range)) if range.count() == 0 => {
                format!("--range {range} is empty: the input has no items")
            }
            Self::Given(_) | Self::Rows(_) => "the input has no items".to_owned(),
        }
    }
}

/// Refuses flags about items: a picture needs each of its rows once, in order.
fn without_items(flags: &WorkFlags, task: &str) -> Result<(), String> {
    let given = [
        ("--input", !flags.inputs.is_empty()),
        ("--range", flags.range.is_some()),
        ("--list", flags.list.is_some()),
        ("--items", flags.items.is_some()),
        ("--skip", flags.skip > 0),
        ("--shuffle", flags.shuffle.is_some()),
        ("--cycle", flags.cycle),
    ];
    match given.iter().find(|(_, is_given)| *is_given) {
        Some((flag, _)) => Err(format!(
            "{flag} can't be used with {task}, whose items are the rows of a picture: leave it out; --size is the side of \
             the picture in pixels"
        )),
        None => Ok(()),
    }
}

fn given(flags: &WorkFlags, stdin_is_terminal: bool) -> Result<ItemSource, String> {
    if let Some(range) = &flags.range {
        return IntegerRange::parse(range).map(ItemSource::Range).map_err(|error| format!("--range: {error}"));
    }
    if let Some(list) = &flags.list {
        return Ok(ItemSource::parse_list(list));
    }
    if flags.inputs.is_empty() && stdin_is_terminal {
        return Err("no items: add --input FILE, --range A..B or --list X,Y, or pipe the items to standard input \
                    (--input - reads a terminal too)"
            .to_owned());
    }
    let stdin = || vec!["-".into()];
    Ok(ItemSource::Files(if flags.inputs.is_empty() { stdin() } else { flags.inputs.clone() }))
}

/// Which items of a source are taken.
#[derive(Debug)]
pub(crate) struct Selection {
    /// Their number for each run; empty: all. For a picture its side, never empty.
    pub(crate) sizes: Vec<u64>,
    options: InputOptions,
}

impl Selection {
    /// Checks its flags. `options` are those of the task.
    ///
    /// # Errors
    /// A list of sizes that is wrong, a picture that is too large, or a cycle without an end.
    pub(crate) fn new(flags: &WorkFlags, source: &WorkSource, options: InputOptions) -> Result<Self, String> {
        let parse = |text: &String| procession_job::parse_sizes(text).map_err(|error| format!("--size: {error}"));
        let mut sizes = flags.size.as_ref().map_or(Ok(Vec::new()), parse)?;
        if let WorkSource::Rows(picture) = source {
            if sizes.iter().any(|&side| side > u64::from(picture.max_side)) {
                return Err(format!("--size: the side of a picture is at most {} pixels", picture.max_side));
            }
            if sizes.is_empty() {
                sizes.extend(picture.side.default.parse::<u64>().ok());
            }
        }
        if flags.cycle && sizes.is_empty() {
            return Err("--cycle never ends without a size: add --size N".to_owned());
        }
        let WorkFlags { skip, shuffle, cycle, max_item, .. } = *flags;
        Ok(Self { sizes, options: InputOptions { skip, shuffle, cycle, max_item, ..options } })
    }

    /// What is read for a run of this size; `None`: everything.
    pub(crate) fn of_size(&self, size: Option<u64>) -> InputOptions {
        InputOptions { size, ..self.options.clone() }
    }
}
