//! `pipe`: a program for each block of lines.
//!
//! To the worker a block is one item ([`Items::Whole`]): the program reads it
//! as it is, and all that it writes is the result.

use crate::child::{Call, Runner, Written};
use crate::per_item::PerItem;
use crate::template::Template;
use procession_task::builtin::{Entry, Shape};
use procession_task::{Attempt, BlockTask, Failure, Items, ParamError, Params, RunItem, TextOptions};
use std::cell::RefCell;

/// Its place in the list.
pub static ENTRY: Entry = Entry {
    name: "pipe",
    summary: "a program of your own, one process for each block of lines: lines in, anything out",
    params: &[],
    items: Items::Lines,
    numbers: false,
    hidden: false,
    shape: Shape::List,
    program: Some("PROGRAM ARGS…"),
    make,
};

struct Pipe {
    template: Template,
    runner: RefCell<Runner>,
}

fn make(_: &Params, words: &[Vec<u8>], options: TextOptions) -> Result<Box<dyn BlockTask>, ParamError> {
    let template = Template::plain(words).map_err(ParamError::plain)?;
    let runner = Runner::new(template.program(), &options.identity).map_err(ParamError::plain)?;
    Ok(Box::new(PerItem::new(Pipe { template, runner: RefCell::new(runner) }, options)))
}

impl<'a> RunItem<'a> for Pipe {
    type Input = &'a [u8];
    type Output = Written;

    fn read(&self, block: &'a [u8]) -> Result<&'a [u8], Failure> {
        self.runner.borrow_mut().forget();
        Ok(block)
    }

    fn run_item(&self, block: &'a [u8], attempt: Attempt) -> Result<Written, Failure> {
        let args = self.template.fill(b"", attempt.index);
        // The last line of an input may lack its end.
        let end: &[u8] = if block.last().is_some_and(|&last| last != b'\n') { b"\n" } else { b"" };
        self.runner.borrow_mut().run(&Call { args, item: None, input: Some([block, end]), attempt }).map(Written)
    }

    fn child_pid(&self) -> Option<u32> {
        self.runner.borrow().pid()
    }
}
