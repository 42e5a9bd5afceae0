//! `sqrt`: the square root of a number.

use super::entry::{ItemRunner, TaskEntry, TaskShape};
use crate::{Items, Task, TaskError, TextTask};

/// The square root of a number.
pub struct Sqrt;

/// The task's entry in the list of tasks.
pub static ENTRY: TaskEntry = TaskEntry {
    name: "sqrt",
    summary: "the square root of a decimal number, printed to round-trip; a negative number is that item's error",
    params: &[],
    items: Items::Words,
    numbers: true,
    hidden: false,
    shape: TaskShape::List,
    runner: ItemRunner::Native,
    make: |_, _, options| Ok(Box::new(TextTask::new(Sqrt, options))),
};

impl Task for Sqrt {
    type Input = f64;
    type Output = f64;

    fn name(&self) -> &str {
        ENTRY.name
    }

    fn run(&self, input: f64) -> Result<f64, TaskError> {
        if input < 0.0 {
            return Err(TaskError::new("a negative number has no real square root"));
        }
        Ok(input.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots() {
        assert_eq!(Sqrt.run(2.0), Ok(std::f64::consts::SQRT_2));
        assert_eq!(Sqrt.run(4.0), Ok(2.0));
        assert_eq!(Sqrt.run(0.0), Ok(0.0));
        assert!(Sqrt.run(-4.0).unwrap_err().to_string().contains("negative"));
    }
}
