//! The description of a task that a program sends on request: for lists, and to
//! check the user's settings before a run.

use crate::{Items, ParamError, ParamSpec};
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

/// The description of a parameter; see [`ParamSpec`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParamInfo {
    /// The key.
    pub name: String,
    /// The default value.
    pub default: String,
    /// The possible values; empty if the task itself checks the value.
    pub values: Vec<String>,
    /// One line for the user.
    pub help: String,
}

impl From<&ParamSpec> for ParamInfo {
    fn from(spec: &ParamSpec) -> Self {
        let values = spec.values.iter().map(|&value| value.to_owned()).collect();
        Self { name: spec.name.to_owned(), default: spec.default.to_owned(), values, help: spec.help.to_owned() }
    }
}

impl TaskInfo {
    /// Checks the user's settings.
    ///
    /// # Errors
    /// An unknown or repeated key, or a value outside the listed ones. The message
    /// lists what the task takes.
    pub fn check(&self, given: &[(String, String)]) -> Result<(), ParamError> {
        crate::params::check(&self.name, &self.params, given)
    }
}
