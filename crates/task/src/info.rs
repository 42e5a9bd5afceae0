//! What a program tells of its tasks to whoever asks: for lists, and to check
//! what people ask for before anything is begun.

use crate::{Items, ParamError, ParamSpec};
use serde::{Deserialize, Serialize};

/// A task as a program tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskInfo {
    /// The name under which it is asked for.
    pub name: String,
    /// One line for people: what an item is and what becomes of it.
    pub summary: String,
    /// How its input is cut when nothing else is said.
    pub items: Items,
    /// Whether its items are numbers, so that leading lines with words are a heading.
    pub numbers: bool,
    /// Its settings.
    pub params: Vec<ParamInfo>,
}

/// A setting as a program tells of it; see [`ParamSpec`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParamInfo {
    /// Its key.
    pub name: String,
    /// The value that holds when none is given.
    pub default: String,
    /// The values it may have; empty when the task itself decides.
    pub values: Vec<String>,
    /// One line for people.
    pub help: String,
}

impl From<&ParamSpec> for ParamInfo {
    fn from(spec: &ParamSpec) -> Self {
        let values = spec.values.iter().map(|&value| value.to_owned()).collect();
        Self { name: spec.name.to_owned(), default: spec.default.to_owned(), values, help: spec.help.to_owned() }
    }
}

impl TaskInfo {
    /// Checks settings that people give.
    ///
    /// # Errors
    /// An unknown or repeated key, or a value outside the listed ones, with
    /// what the task takes instead.
    pub fn check(&self, given: &[(String, String)]) -> Result<(), ParamError> {
        crate::params::check(&self.name, &self.params, given)
    }
}
