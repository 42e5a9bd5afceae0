//! `filter`: a coprocess that reads an item per line and writes a result per line.

use crate::coprocess::{Asked, Codec, CoprocessCommand, CoprocessTask, Said, c_strings};
use procession_task::builtin::{ItemRunner, TaskEntry, TaskShape};
use procession_task::{Failure, FailureKind, Items, ParamError};

/// The task's entry in the list of tasks.
pub static ENTRY: TaskEntry = TaskEntry {
    name: "filter",
    summary: "a program of your own, started once per worker: a line in, a line out",
    params: &[],
    items: Items::Lines,
    numbers: false,
    hidden: false,
    shape: TaskShape::List,
    runner: ItemRunner::Coprocess,
    make: |_, words, options| {
        let words = c_strings(words)?;
        let program = words.first().ok_or_else(|| ParamError::new("filter", "no program is given", &[]))?;
        let name = program.to_string_lossy().into_owned();
        // Most Python programs need this to flush each line of output.
        let env = vec![("PYTHONUNBUFFERED", "1".to_owned())];
        Ok(Box::new(CoprocessTask::new(LineCodec, CoprocessCommand { name, words, env }, options)))
    },
};

/// Items and results are plain lines.
struct LineCodec;

impl Codec for LineCodec {
    const HAS_GREETING: bool = false;

    fn ask(&self, asked: &Asked<'_>, _: bool, line: &mut Vec<u8>) -> Result<(), Failure> {
        let item = asked.item;
        if memchr::memchr(b'\n', item).is_some() {
            return Err(Failure::new(
                FailureKind::Invalid,
                "the item has more than one line; a filter takes one line for each item",
            ));
        }
        line.extend_from_slice(item);
        line.push(b'\n');
        Ok(())
    }

    fn longest_answer(&self, max_result: usize) -> usize {
        max_result
    }

    fn read(&self, line: &[u8], text: &mut Vec<u8>) -> Result<Said, Failure> {
        text.extend_from_slice(line);
        Ok(Said { is_json: false })
    }
}
