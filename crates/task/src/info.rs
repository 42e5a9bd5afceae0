//! The description of a task that a program sends on request: for lists, and to
//! check the user's settings before a run.

use crate::items::Items;
use crate::params::{ParamError, ParamInfo, check};
use serde::{Deserialize, Serialize};

/// The description of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskInfo {
    /// The task's name.
    pub name: String,
    /// One line for the user: what an item is and what the task does with it.
    pub summary: String,
    /// How the input is cut by default.
    pub items: Items,
    /// Whether the items are numbers, so that leading lines with words are a heading.
    pub numbers: bool,
    /// The task's parameters.
    pub params: Vec<ParamInfo>,
}

impl TaskInfo {
    /// Checks the user's settings.
    ///
    /// # Errors
    /// An unknown or repeated key, or a value outside the listed ones. The message
    /// lists what the task takes.
    pub fn check(&self, given: &[(String, String)]) -> Result<(), ParamError> {
        check(&self.name, &self.params, given)
    }
}
