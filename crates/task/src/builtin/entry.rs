//! The description of a task: a constant in the task's file.

use crate::{BlockTask, Format, Identity, Items, ParamError, ParamSpec, Params, TaskInfo, TextOptions};

/// The description of a task.
pub struct TaskEntry {
    /// The task's name.
    pub name: &'static str,
    /// One line for the user: what an item is and what the task does with it.
    pub summary: &'static str,
    /// The task's parameters.
    pub params: &'static [ParamSpec],
    /// How the input is cut by default.
    pub items: Items,
    /// Whether the items are numbers, so that leading lines with words are a heading.
    pub numbers: bool,
    /// Whether the task is left out of lists: it is for measurements and tests.
    pub hidden: bool,
    /// The shape of its items, which determines the meaning of a size.
    pub shape: TaskShape,
    /// What runs its items.
    pub runner: ItemRunner,
    /// Creates the task.
    pub make: Make,
}

/// What runs a task's items, and so how the items get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemRunner {
    /// Code in the worker, called for each item.
    Native,
    /// A program of the user, started for each item.
    Program,
    /// A program of the user, started for each block of lines, which is its input. Its
    /// output is written unchanged: it is not divided into items.
    BlockProgram,
    /// A program of the user, started once per worker. It reads an item per line and
    /// writes a result per line.
    Coprocess,
    /// A Python function of the user, called for each item by an interpreter that is
    /// started once per worker.
    Python,
}

impl ItemRunner {
    /// Whether the items are run by code of the user, whose results may differ from run
    /// to run.
    #[must_use]
    pub const fn is_users(self) -> bool {
        self.usage().is_some()
    }

    /// The usage of the words after `--` on the command line; `None`: no words are
    /// allowed there.
    #[must_use]
    pub const fn usage(self) -> Option<&'static str> {
        match self {
            Self::Native => None,
            Self::Program | Self::BlockProgram | Self::Coprocess => Some("PROGRAM ARGS…"),
            Self::Python => Some("FILE.py:FUNCTION"),
        }
    }
}

/// The shape of a task's items, which determines the meaning of a size.
pub enum TaskShape {
    /// A list given by the user; a size is the number of its items.
    List,
    /// The rows of a square picture, numbered from 0; a size is its side in pixels.
    Picture(Picture),
}

/// A task whose items are the rows of a picture. A result holds a row's pixels:
/// whole numbers separated by commas.
pub struct Picture {
    /// The parameter that passes the side to a worker; its default is the side without
    /// a size.
    pub side: ParamSpec,
    /// The maximum side, in pixels.
    pub max_side: u32,
    /// The largest possible number of a pixel with these parameters.
    pub most: fn(&Params) -> u32,
}

/// Creates a task from its checked parameters and the words after `--`.
pub type Make = fn(&Params, &[Vec<u8>], TextOptions) -> Result<Box<dyn BlockTask>, ParamError>;

impl TaskEntry {
    /// Checks the user's settings and the words after `--` by creating the task.
    ///
    /// # Errors
    /// A setting that the task does not take; the message lists those that it takes.
    pub fn check(&self, given: &[(String, String)], arguments: &[Vec<u8>]) -> Result<Params, ParamError> {
        let params = Params::check(self.name, self.params, given)?;
        let identity = Identity::new(0, "", 0);
        let options = TextOptions { items: self.items, format: Format::Tsv, show: false, identity };
        self.task(given, arguments, options)?;
        Ok(params)
    }

    /// The description that the program sends on request.
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

    /// Creates the task from its settings, including those derived from a size.
    ///
    /// # Errors
    /// A setting that the task does not take.
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
