//! The trait that users implement: one item in, one result out.

use crate::{Failure, FailureKind};
use std::fmt;

/// A function over items, with a name.
///
/// Implement it once; [`TextTask`](crate::TextTask) makes of it what a worker
/// runs, and the same code serves processes, threads and the serial loop.
///
/// ```
/// use procession_task::{Task, TaskError};
///
/// struct Halve;
///
/// impl Task for Halve {
///     type Input = u64;
///     type Output = u64;
///
///     fn name(&self) -> &str {
///         "halve"
///     }
///
///     fn run(&self, input: u64) -> Result<u64, TaskError> {
///         if input % 2 == 1 {
///             return Err(TaskError::new("an odd number has no half here"));
///         }
///         Ok(input / 2)
///     }
/// }
///
/// assert_eq!(Halve.run(8), Ok(4));
/// ```
pub trait Task: Send + Sync + 'static {
    /// The type of an item.
    type Input;
    /// The type of a result.
    type Output;

    /// The task's name.
    fn name(&self) -> &str;

    /// Runs one item.
    ///
    /// # Errors
    /// The task reports a failure of this item. A panic has the same effect: it is
    /// caught and becomes the item's failure.
    fn run(&self, input: Self::Input) -> Result<Self::Output, TaskError>;
}

/// A failure that a task reports for an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskError(String);

impl TaskError {
    /// An error with a message for the user.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TaskError {}

impl From<TaskError> for Failure {
    fn from(error: TaskError) -> Self {
        Self::new(FailureKind::Failed, error.0)
    }
}
