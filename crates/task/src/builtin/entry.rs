//! The description of a task: a constant in the task's file.

use crate::{BlockTask, Format, Identity, Items, ParamError, ParamSpec, Params, TaskInfo, TextOptions};

/// The description of a task.
pub struct TaskEntry {
    /// The name of the task (`--task`).
    pub name: &'static str,
    /// One line of text: what an item is and what the task does with it.
    pub summary: &'static str,
    /// Its parameters.
    pub params: &'static [ParamSpec],
    /// How its input is split by default.
    pub items: Items,
    /// Whether its items are numbers: then leading lines with words are a heading.
    pub numbers: bool,
    /// Whether it is for measurements and tests only, and not listed.
    pub hidden: bool,
    /// What its items are, and thus the meaning of a size.
    pub shape: TaskShape,
    /// What runs its items.
    pub runner: ItemRunner,
    /// Makes the task.
    pub make: Make,
}

/// What runs the items of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemRunner {
    /// Code in the worker. It is called for each item.
    Native,
    /// A program of the user's own. It is started for each item.
    Program,
    /// A program of the user's own. It is started for each block of lines and reads
    /// them. Its output is written unchanged and has no items.
    BlockProgram,
    /// A program of the user's own. It is started once per worker, reads an item per
    /// line and writes a result per line.
    Coprocess,
    /// A Python function of the user's own. An interpreter, started once per worker,
    /// calls it for each item.
    Python,
}

impl ItemRunner {
    /// Whether code of the user's own runs the items. Its results may differ each
    /// time.
    #[must_use]
    pub const fn is_users(self) -> bool {
        self.usage().is_some()
    }

    /// What follows `--` on the command line, as help shows it; `None`: nothing may
    /// follow.
    #[must_use]
    pub const fn usage(self) -> Option<&'static str> {
        match self {
            Self::Native => None,
            Self::Program | Self::BlockProgram | Self::Coprocess => Some("PROGRAM ARGS…"),
            Self::Python => Some("FILE.py:FUNCTION"),
        }
    }
}

/// What the items of a task are, and thus the meaning of a size.
pub enum TaskShape {
    /// A list that the user gives; a size is a number of items.
    List,
    /// The rows of a square picture, numbered from 0; a size is the side in pixels.
    Picture(Picture),
}

/// A task whose items are the rows of a picture. The result of a row is its
/// pixels: whole numbers separated by commas.
pub struct Picture {
    /// The parameter with the side in pixels; its default is the default size.
    pub side: ParamSpec,
    /// The maximum side, in pixels.
    pub max_side: u32,
    /// The maximum value of a pixel with these parameters.
    pub most: fn(&Params) -> u32,
}

/// Makes a task from its checked parameters and the words after `--`.
pub type Make = fn(&Params, &[Vec<u8>], TextOptions) -> Result<Box<dyn BlockTask>, ParamError>;

impl TaskEntry {
    /// Checks the parameters that the user gives and the words after `--`.
    ///
    /// # Errors
    /// The task can't be made of them; the error lists the task's parameters.
    pub fn check(&self, given: &[(String, String)], arguments: &[Vec<u8>]) -> Result<Params, ParamError> {
        let params = Params::check(self.name, self.params, given)?;
        let identity = Identity::new(0, "", 0);
        let options = TextOptions { items: self.items, table: None, format: Format::Tsv, show: false, identity };
        self.task(given, arguments, options)?;
        Ok(params)
    }

    /// The description that a worker sends.
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

    /// Makes the task from its parameters, including those that follow from a size.
    ///
    /// # Errors
    /// A parameter that it does not have, or a wrong value.
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
