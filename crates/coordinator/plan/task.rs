//! Finds the task: a built-in one, or one that only a worker of the user's own
//! has. For an unknown name it suggests the nearest.

use super::program::{self, ProgramContext};
use crate::args::{ItemRule, WorkFlags, nearest};
use crate::environment::TaskCatalog;
use procession_job::{Content, InputOptions, TableOptions, Unit};
use procession_program::{ALL, find};
use procession_task::builtin::{ItemRunner, TaskEntry};
use procession_task::{Items, JobSpec, Params, TableFormat, TableSpec, TaskInfo};
use std::path::Path;

/// A task that was found.
pub(crate) enum KnownTask {
    /// A built-in task, with its parameters, defaults filled in.
    BuiltIn(&'static TaskEntry, Params),
    /// A task that only the worker has.
    Own(TaskInfo),
}

/// The task, and the job to be done with it.
pub(crate) struct PlannedTask {
    /// The task.
    pub(crate) task: KnownTask,
    /// The job: from here its task, parameters as they were given, arguments and
    /// items; everything else is filled in by the plan.
    pub(crate) job: JobSpec,
    /// What is known of its items.
    content: Content,
    /// How a table is read, if its items come from one.
    table: Option<TableOptions>,
}

impl PlannedTask {
    /// Finds the task in the catalog and checks its parameters. `worker` is the
    /// worker program that was named, if any.
    ///
    /// # Errors
    /// The task is unknown, it does not have a parameter, or a program is missing
    /// or not wanted.
    pub(crate) fn new(flags: &WorkFlags, worker: Option<&Path>, catalog: &TaskCatalog) -> Result<Self, String> {
        let Some(name) = flags.task.as_deref() else {
            return Err(format!("no task: add --task NAME; {}", known_without(worker)));
        };
        let task = match (catalog, find(name)) {
            (TaskCatalog::BuiltIn, Some(entry)) => FoundTask::BuiltIn(entry),
            (TaskCatalog::BuiltIn, None) => return Err(unknown(name, &built_in(), worker)),
            (TaskCatalog::Worker(tasks), _) => among(name, tasks, worker)?,
        };
        let given = params(flags, task.runner())?;
        let arguments = arguments(task.name(), task.runner(), flags)?;
        let task = match task {
            FoundTask::BuiltIn(entry) => {
                let params = entry.check(&given, &arguments).map_err(|error| error.to_string())?;
                KnownTask::BuiltIn(entry, params)
            }
            FoundTask::Own(task) => {
                task.check(&given).map_err(|error| error.to_string())?;
                KnownTask::Own(task)
            }
        };
        let (items, content) = task.items(flags.items);
        let table = table_options(flags, task.runner())?;
        let items = if let Items::Csv(_) = items { Items::Csv(flags.delimiter) } else { items };
        let job = JobSpec { params: given, arguments, items, ..JobSpec::new(task.name()) };
        Ok(Self { task, job, content, table })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.task.name()
    }

    /// Its parameters, defaults filled in.
    pub(crate) fn params(&self) -> Vec<(String, String)> {
        match &self.task {
            KnownTask::BuiltIn(_, params) => {
                params.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
            }
            KnownTask::Own(task) => {
                let is_given = |name: &String| self.job.params.iter().any(|(key, _)| key == name);
                let rest = task.params.iter().filter(|param| !is_given(&param.name));
                let rest = rest.map(|param| (param.name.clone(), param.default.clone()));
                self.job.params.iter().cloned().chain(rest).collect()
            }
        }
    }

    /// How the task reads its input.
    pub(crate) fn input_options(&self) -> InputOptions {
        let items = self.job.items;
        let tells_blank_end = self.runner() == ItemRunner::Python && items == Items::Lines;
        InputOptions { content: self.content, tells_blank_end, table: self.table.clone(), ..InputOptions::new(items) }
    }

    /// What runs its items.
    pub(crate) fn runner(&self) -> ItemRunner {
        self.task.runner()
    }

    /// What is one item for the pool.
    pub(crate) fn unit(&self) -> Unit {
        if self.has_block_output() { Unit::Block } else { Unit::Item }
    }

    /// Whether programs run on whole blocks, so that the output has no items.
    pub(crate) fn has_block_output(&self) -> bool {
        self.task.runner() == ItemRunner::BlockProgram
    }

    /// Whether it is code of the user's own, whose results may differ each time.
    pub(crate) fn is_users(&self) -> bool {
        matches!(self.task, KnownTask::Own(_)) || self.task.runner().is_users()
    }
}

impl KnownTask {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::BuiltIn(entry, _) => entry.name,
            Self::Own(task) => &task.name,
        }
    }

    /// What runs its items.
    pub(crate) fn runner(&self) -> ItemRunner {
        match self {
            Self::BuiltIn(entry, _) => entry.runner,
            Self::Own(_) => ItemRunner::Native,
        }
    }

    /// How its input is split, and what is known of the items. By default lines, if
    /// they are made into blocks.
    fn items(&self, chosen: Option<ItemRule>) -> (Items, Content) {
        let (items, is_numbers) = match self {
            Self::BuiltIn(entry, _) => (entry.items, entry.numbers),
            Self::Own(task) => (task.items, task.numbers),
        };
        match chosen {
            Some(ItemRule::Numbers) => (Items::Words, Content::Numbers),
            // What separates fields may be known only when they are read.
            Some(ItemRule::Csv) => (Items::Csv(None), Content::Any),
            Some(ItemRule::Jsonl) => (Items::Jsonl, Content::Any),
            Some(ItemRule::Cut(Items::Words)) if is_numbers => (Items::Words, Content::List),
            Some(ItemRule::Cut(items)) => (items, Content::Any),
            None if items == Items::Words && is_numbers => (items, Content::Numbers),
            None if items == Items::Whole => (Items::Lines, Content::Any),
            None => (items, Content::Any),
        }
    }
}

/// How a table is read. Its flags are refused without one, and where they can't
/// apply.
fn table_options(flags: &WorkFlags, runner: ItemRunner) -> Result<Option<TableOptions>, String> {
    let WorkFlags { column, delimiter, no_heading, .. } = flags;
    let (is_csv, is_jsonl) = (flags.items == Some(ItemRule::Csv), flags.items == Some(ItemRule::Jsonl));
    if !is_csv && (delimiter.is_some() || *no_heading) {
        let flag = if *no_heading { "--no-heading" } else { "--delimiter" };
        return Err(format!("{flag} is about tables: add --items csv, or leave it out"));
    }
    if !is_csv && !is_jsonl {
        return match column {
            Some(_) => Err("--column is about tables: add --items csv or --items jsonl, or leave it out".to_owned()),
            None => Ok(None),
        };
    }
    let rule = if is_csv { "csv" } else { "jsonl" };
    if flags.range.is_some() || flags.list.is_some() {
        return Err(format!("--items {rule} is about the records of a file: use --input, or leave it out"));
    }
    if column.is_some() && runner == ItemRunner::BlockProgram {
        return Err("--column can't be used with pipe, whose programs get whole records: leave it out".to_owned());
    }
    let words = if runner == ItemRunner::Program && column.is_none() { words(flags) } else { Vec::new() };
    let refused_names = if flags.trust_items { Vec::new() } else { program::refused_columns(&words) };
    let needed_names = program::needed_columns(&words);
    let (delimiter, has_heading) = (*delimiter, is_csv && !no_heading);
    Ok(Some(TableOptions { delimiter, has_heading, column: column.clone(), refused_names, needed_names }))
}

/// A task, before its parameters are checked.
enum FoundTask {
    BuiltIn(&'static TaskEntry),
    Own(TaskInfo),
}

impl FoundTask {
    fn name(&self) -> &str {
        match self {
            Self::BuiltIn(entry) => entry.name,
            Self::Own(task) => &task.name,
        }
    }

    fn runner(&self) -> ItemRunner {
        match self {
            Self::BuiltIn(entry) => entry.runner,
            Self::Own(_) => ItemRunner::Native,
        }
    }
}

/// The parameters that are given, also by flags of their own.
fn params(flags: &WorkFlags, runner: ItemRunner) -> Result<Vec<(String, String)>, String> {
    let mut params = flags.params.clone();
    if let Some(statuses) = &flags.ok_status {
        if !matches!(runner, ItemRunner::Program | ItemRunner::BlockProgram) {
            return Err("--ok-status is about programs that end after each item or block, those of command and pipe: \
                        leave it out"
                .to_owned());
        }
        params.push(("ok-status".to_owned(), statuses.clone()));
    }
    Ok(params)
}

/// The table that items are records of, as far as the flags tell: its heading is not
/// known.
fn table_of_flags(flags: &WorkFlags) -> Option<TableSpec> {
    let format = match flags.items? {
        ItemRule::Csv => TableFormat::Csv(flags.delimiter.unwrap_or(b',')),
        ItemRule::Jsonl => TableFormat::Jsonl,
        ItemRule::Cut(_) | ItemRule::Numbers => return None,
    };
    flags.column.is_none().then_some(TableSpec { format, names: Vec::new(), column: None })
}

/// The task of this name among those of a worker. If it is equal to a built-in
/// task, it is that task: threads can run it, and its items may be the rows of
/// a picture.
fn among(name: &str, tasks: &[TaskInfo], worker: Option<&Path>) -> Result<FoundTask, String> {
    let task = tasks.iter().find(|task| task.name == name).ok_or_else(|| unknown(name, tasks, worker))?;
    let same = find(name).filter(|entry| entry.info() == *task);
    Ok(same.map_or_else(|| FoundTask::Own(task.clone()), FoundTask::BuiltIn))
}

fn words(flags: &WorkFlags) -> Vec<Vec<u8>> {
    flags.program.iter().map(|word| word.as_encoded_bytes().to_vec()).collect()
}

/// The words after `--`, for the task. Those of a function are followed by its
/// constants.
fn arguments(task: &str, runner: ItemRunner, flags: &WorkFlags) -> Result<Vec<Vec<u8>>, String> {
    let mut words = words(flags);
    let is_function = runner == ItemRunner::Python;
    if !flags.constants.is_empty() && !is_function {
        return Err(format!("--arg is for the functions of --task python, and the task is '{task}': leave it out"));
    }
    match runner.usage() {
        Some(usage) if words.is_empty() => {
            return Err(format!("task '{task}' needs a program: add -- {usage} at the end"));
        }
        None if !words.is_empty() => {
            return Err(format!(
                "task '{task}' runs no program: leave out -- and the words after it, or use --task command, filter, pipe \
                 or python"
            ));
        }
        Some(_) | None => {}
    }
    let table = table_of_flags(flags);
    program::check(&words, ProgramContext { runner, table: table.as_ref(), trusts_items: flags.trust_items })?;
    if is_function && words.len() > 1 {
        return Err(
            "write one FILE.py:FUNCTION after --; constants for the function stand before that, as --arg NAME=VALUE"
                .to_owned(),
        );
    }
    words.extend(flags.constants.iter().map(|constant| constant.clone().into_bytes()));
    Ok(words)
}

/// The built-in tasks that are listed.
pub(crate) fn built_in() -> Vec<TaskInfo> {
    ALL.iter().filter(|entry| !entry.hidden).map(|entry| entry.info()).collect()
}

/// The tasks of a worker that are listed.
pub(crate) fn listed(tasks: Vec<TaskInfo>) -> Vec<TaskInfo> {
    let is_hidden = |task: &TaskInfo| find(&task.name).is_some_and(|entry| entry.hidden && entry.info() == *task);
    tasks.into_iter().filter(|task| !is_hidden(task)).collect()
}

fn names(tasks: &[TaskInfo]) -> String {
    tasks.iter().map(|task| &task.name[..]).collect::<Vec<_>>().join(", ")
}

/// Where the tasks are listed; no worker is asked.
fn known_without(worker: Option<&Path>) -> String {
    match worker {
        None => format!("the tasks are {}", names(&built_in())),
        Some(worker) => format!("`coordinator tasks --worker {}` lists those of that worker", worker.display()),
    }
}

fn unknown(name: &str, tasks: &[TaskInfo], worker: Option<&Path>) -> String {
    let tasks = listed(tasks.to_vec());
    let nearest = nearest(name, tasks.iter().map(|task| &task.name[..]));
    let hint = nearest.map_or(String::new(), |known| format!(", did you mean '{known}'?"));
    let (of, more) = match worker {
        None => (String::new(), String::new()),
        Some(path) => (format!(" in {}", path.display()), format!(" --worker {}", path.display())),
    };
    if tasks.is_empty() {
        return format!("there is no task '{name}'{of}, which has no tasks at all");
    }
    format!("there is no task '{name}'{of}{hint} (the tasks are {}; see `coordinator tasks{more}`)", names(&tasks))
}

#[cfg(test)]
#[path = "task_tests.rs"]
mod tests;
