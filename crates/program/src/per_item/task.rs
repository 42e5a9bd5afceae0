//! The task that starts a process of the user's program for each item: the
//! common part of `command` and `pipe`.

use super::ok_statuses::OkStatuses;
use super::runner::{ProgramCall, ProgramOutput, ProgramRunner};
use crate::template::{Template, TemplateError};
use procession_task::{
    Block, BlockTask, Child, Failure, ItemAttempt, LastLines, ParamError, Params, Reply, RunBuffers, RunItem,
    TextOptions, run_items,
};
use std::cell::RefCell;
use std::sync::Arc;

/// What distinguishes one task of this kind from another.
pub(crate) struct PerItemRules {
    /// Makes the template from the words after `--`.
    pub(crate) template: fn(&[Vec<u8>], &TextOptions) -> Result<Template, TemplateError>,
    /// Makes the call for an item; the error is that the item has no such field.
    pub(crate) call: for<'a> fn(&Template, &'a [u8], ItemAttempt) -> Result<ProgramCall<'a>, Failure>,
    /// Makes the result from the program's standard output.
    pub(crate) result: fn(Vec<u8>) -> Vec<u8>,
}

/// Starts a process for each item.
pub(crate) struct PerItem {
    program: ItemProgram,
    options: TextOptions,
    buffers: RunBuffers,
}

struct ItemProgram {
    rules: &'static PerItemRules,
    template: Template,
    runner: RefCell<ProgramRunner>,
}

impl PerItem {
    /// The task for the program in these words.
    ///
    /// # Errors
    /// The words are no program and its arguments, a parameter is wrong, or no file
    /// descriptor is left.
    pub(crate) fn make(
        rules: &'static PerItemRules,
        params: &Params,
        words: &[Vec<u8>],
        options: TextOptions,
    ) -> Result<Box<dyn BlockTask>, ParamError> {
        let template = (rules.template)(words, &options).map_err(ParamError::plain)?;
        let ok = OkStatuses::of(params).map_err(ParamError::plain)?;
        let runner = ProgramRunner::new(template.program(), &options.identity, ok).map_err(ParamError::plain)?;
        let program = ItemProgram { rules, template, runner: RefCell::new(runner) };
        Ok(Box::new(Self { program, options, buffers: RunBuffers::default() }))
    }
}

impl BlockTask for PerItem {
    fn run(&mut self, block: &Block<'_>, reply: &mut Reply<'_>) -> Result<(), String> {
        run_items(&self.program, &self.options, &mut self.buffers, block, reply)
    }

    fn last_lines(&self) -> Option<Arc<dyn LastLines>> {
        Some(self.program.runner.borrow().text())
    }
}

impl<'a> RunItem<'a> for ItemProgram {
    type Input = &'a [u8];
    type Output = ProgramOutput;

    fn read(&self, item: &'a [u8]) -> Result<&'a [u8], Failure> {
        Ok(item)
    }

    fn run_item(
        &self,
        item: &'a [u8],
        attempt: ItemAttempt,
        note: &mut dyn FnMut(&str),
    ) -> Result<ProgramOutput, Failure> {
        let call = (self.rules.call)(&self.template, item, attempt)?;
        let output = self.runner.borrow_mut().run(&call, note)?;
        Ok(ProgramOutput((self.rules.result)(output)))
    }

    fn child(&self) -> Child {
        self.runner.borrow().child()
    }
}
