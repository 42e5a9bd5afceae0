//! Which items are meant: exactly one source, and what is taken of it.

use super::flags::WorkFlags;
use procession_job::{InputOptions, IntegerRange, ItemSource};

/// Decides for one source; that at most one is given is clap's doing.
///
/// # Errors
/// Nothing is given and standard input is a terminal, or a range is none.
pub(crate) fn source(flags: &WorkFlags, stdin_is_terminal: bool) -> Result<ItemSource, String> {
    if let Some(range) = &flags.range {
        return IntegerRange::parse(range).map(ItemSource::Range).map_err(|error| format!("--range: {error}"));
    }
    if let Some(list) = &flags.list {
        return Ok(ItemSource::parse_list(list));
    }
    if flags.inputs.is_empty() && stdin_is_terminal {
        return Err("no items are given: add --input FILE, --range A..B or --list X,Y, or pipe them in \
                    (--input - reads what is typed)"
            .to_owned());
    }
    let stdin = || vec!["-".into()];
    Ok(ItemSource::Files(if flags.inputs.is_empty() { stdin() } else { flags.inputs.clone() }))
}

/// Which items are taken of a source.
#[derive(Debug)]
pub(crate) struct Selection {
    /// How many, for each run; empty: all of them.
    pub(crate) sizes: Vec<u64>,
    options: InputOptions,
}

impl Selection {
    /// Checks the flags about it. `options` are the task's own.
    ///
    /// # Errors
    /// A list of sizes that is none, or a cycle without an end.
    pub(crate) fn new(flags: &WorkFlags, options: InputOptions) -> Result<Self, String> {
        let parse = |text: &String| procession_job::parse_sizes(text).map_err(|error| format!("--size: {error}"));
        let sizes = flags.size.as_ref().map_or(Ok(Vec::new()), parse)?;
        if flags.cycle && sizes.is_empty() {
            return Err("--cycle goes on for ever without an end: add --size N".to_owned());
        }
        let WorkFlags { skip, shuffle, cycle, max_item, .. } = *flags;
        Ok(Self { sizes, options: InputOptions { skip, shuffle, cycle, max_item, ..options } })
    }

    /// What is to be read for a run of this size; `None`: all there is.
    pub(crate) fn of_size(&self, size: Option<u64>) -> InputOptions {
        InputOptions { size, ..self.options.clone() }
    }
}
