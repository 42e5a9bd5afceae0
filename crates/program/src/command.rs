//! `command`: one process for each item.
//!
//! The item stands in the program's arguments, or is what it reads if they have
//! no place for it. What it writes, without the end of its last line, is the
//! result.

use crate::child::{Call, Runner, Written};
use crate::per_item::PerItem;
use crate::template::Template;
use procession_task::builtin::{Entry, Shape};
use procession_task::{Attempt, BlockTask, Failure, Items, Kind, ParamError, Params, RunItem, TextOptions};
use std::cell::RefCell;

/// Its place in the list.
pub static ENTRY: Entry = Entry {
    name: "command",
    summary: "a program of your own, one process for each item; {} in its arguments is the item",
    params: &[],
    items: Items::Lines,
    numbers: false,
    hidden: false,
    shape: Shape::List,
    program: Some("PROGRAM ARGS…"),
    make,
};

struct Command {
    template: Template,
    runner: RefCell<Runner>,
}

fn make(_: &Params, words: &[Vec<u8>], options: TextOptions) -> Result<Box<dyn BlockTask>, ParamError> {
    let template = Template::new(words).map_err(ParamError::plain)?;
    let runner = Runner::new(template.program(), &options.identity).map_err(ParamError::plain)?;
    Ok(Box::new(PerItem::new(Command { template, runner: RefCell::new(runner) }, options)))
}

impl<'a> RunItem<'a> for Command {
    type Input = &'a [u8];
    type Output = Written;

    fn read(&self, item: &'a [u8]) -> Result<&'a [u8], Failure> {
        self.runner.borrow_mut().forget();
        if self.template.takes_item() && item.contains(&0) {
            return Err(Failure::new(Kind::Invalid, "no argument of a program can hold a NUL byte"));
        }
        Ok(item)
    }

    fn run_item(&self, item: &'a [u8], attempt: Attempt) -> Result<Written, Failure> {
        let args = self.template.fill(item, attempt.index);
        let input = (!self.template.has_places()).then_some([item, b"\n"]);
        let mut out = self.runner.borrow_mut().run(&Call { args, item: Some(item), input, attempt })?;
        if out.last() == Some(&b'\n') {
            out.pop();
        }
        Ok(Written(out))
    }

    fn child_pid(&self) -> Option<u32> {
        self.runner.borrow().pid()
    }
}
