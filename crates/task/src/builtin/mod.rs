//! The built-in tasks: one small file each, and this list.
//!
//! To add a task, write its file with an [`TaskEntry`] and name it in [`ALL`].

pub mod mandelbrot;
pub mod misbehave;
pub mod null;
pub mod prime;
pub mod sqrt;

use crate::{BlockTask, Format, Identity, Items, ParamError, ParamSpec, Params, TaskInfo, TextOptions};

/// What the program knows of a task.
pub struct TaskEntry {
    /// The name under which it is asked for.
    pub name: &'static str,
    /// One line for people: what an item is and what becomes of it.
    pub summary: &'static str,
    /// Its settings.
    pub params: &'static [ParamSpec],
    /// How its input is cut when nothing else is said.
    pub items: Items,
    /// Whether its items are numbers, so that leading lines with words are a heading.
    pub numbers: bool,
    /// Kept for measuring and testing; not listed.
    pub hidden: bool,
    /// What its items are, and so what a size of the work means.
    pub shape: TaskShape,
    /// What runs its items.
    pub runner: ItemRunner,
    /// Makes it.
    pub make: Make,
}

/// What runs a task's items, and so how the items get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemRunner {
    /// Code in the worker, called for each item.
    Native,
    /// A program of the user's own, started for each item.
    Program,
    /// A program of the user's own, started for each block of lines, which are
    /// its input. Its output is written as it is: it has no items.
    BlockProgram,
    /// A program of the user's own, started once per worker: it reads an item
    /// per line and writes a result per line.
    Coprocess,
    /// A Python function of the user's own, called for each item by an
    /// interpreter that is started once per worker.
    Python,
}

impl ItemRunner {
    /// Whether the items are run by code of the user's own, which may give
    /// another result each time.
    #[must_use]
    pub const fn is_users(self) -> bool {
        self.usage().is_some()
    }

    /// What stands after `--` on the command line, in the words of its help;
    /// `None`: nothing may stand there.
    #[must_use]
    pub const fn usage(self) -> Option<&'static str> {
        match self {
            Self::Native => None,
            Self::Program | Self::BlockProgram | Self::Coprocess => Some("PROGRAM ARGS…"),
            Self::Python => Some("FILE.py:FUNCTION"),
        }
    }
}

/// What a task's items are, and so what a size of the work means.
pub enum TaskShape {
    /// A list that people give; a size is so many items of it.
    List,
    /// The rows of a square picture, numbered from 0; a size is its side in pixels.
    Picture(Picture),
}

/// What there is to know of a task whose items are the rows of a picture, and
/// whose results are a row's pixels: whole numbers with commas between them.
pub struct Picture {
    /// How a worker is told the side; its default is the side when no size is given.
    pub side: ParamSpec,
    /// Longest side.
    pub max_side: u32,
    /// The largest number that a pixel can have, with these settings.
    pub most: fn(&Params) -> u32,
}

/// Makes a task from its checked parameters and what stands after `--`.
pub type Make = fn(&Params, &[Vec<u8>], TextOptions) -> Result<Box<dyn BlockTask>, ParamError>;

impl TaskEntry {
    /// Checks the settings that people give, and what stands after `--`: with
    /// them the task can be made.
    ///
    /// # Errors
    /// A setting that it does not take, with those that it takes.
    pub fn check(&self, given: &[(String, String)], arguments: &[Vec<u8>]) -> Result<Params, ParamError> {
        let params = Params::check(self.name, self.params, given)?;
        let identity = Identity::new(0, "", 0);
        let options = TextOptions { items: self.items, format: Format::Tsv, show: false, identity };
        self.task(given, arguments, options)?;
        Ok(params)
    }

    /// What is told of it.
    #[must_use]
    pub fn info(&self) -> TaskInfo {
        TaskInfo {
            name: self.name.to_owned(),
            summary: self.summary.to_owned(),
            items: self.items,
            numbers: self.numbers,
            params: self.params.iter().map(Into::into).collect(),
        }
    }

    /// Makes the task from its settings, those that come from a size among them.
    ///
    /// # Errors
    /// A setting that it does not take.
    pub fn task(
        &self,
        given: &[(String, String)],
        arguments: &[Vec<u8>],
        options: TextOptions,
    ) -> Result<Box<dyn BlockTask>, ParamError> {
        let by_size = match &self.shape {
            TaskShape::List => &[][..],
            TaskShape::Picture(picture) => std::slice::from_ref(&picture.side),
        };
        let params = Params::check(self.name, &[self.params, by_size].concat(), given)?;
        (self.make)(&params, arguments, options)
    }
}

/// Every built-in task.
pub const ALL: &[&TaskEntry] = &[&sqrt::ENTRY, &prime::ENTRY, &mandelbrot::ENTRY, &null::ENTRY, &misbehave::ENTRY];

/// The task of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static TaskEntry> {
    ALL.iter().find(|entry| entry.name == name).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Format, Identity};

    #[test]
    fn every_entry_can_be_made_with_its_defaults() {
        for entry in ALL {
            assert!(entry.check(&[], &[]).is_ok(), "{}", entry.name);
            let identity = Identity::new(1, "h", 0);
            let options = TextOptions { items: entry.items, format: Format::Tsv, show: false, identity };
            assert!(entry.task(&[], &[], options).is_ok(), "{}", entry.name);
            assert!(std::ptr::eq(find(entry.name).unwrap(), *entry));
        }
        assert!(find("nonsense").is_none());
    }

    #[test]
    fn what_a_size_sets_is_not_for_people_to_set() {
        let side = [("side".to_owned(), "3".to_owned())];
        let refusal = mandelbrot::ENTRY.check(&side, &[]).unwrap_err().to_string();
        assert!(refusal.contains("unknown parameter 'side'"), "{refusal}");
        let identity = Identity::new(1, "h", 0);
        let options = TextOptions { items: Items::Words, format: Format::Lines, show: false, identity };
        assert!(mandelbrot::ENTRY.task(&side, &[], options).is_ok());
    }
}
