//! Which task is meant: one that is built in, or one that only a worker of the
//! user's own knows; and what to say when there is none of that name.

use super::flags::{ExecutorFlags, WorkFlags};
use super::surroundings::{Ask, NoPlan};
use procession_job::{InputOptions, Unit};
use procession_program::{ALL, find, pipe};
use procession_task::builtin::Entry;
use procession_task::{Items, Params, TaskInfo};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

/// A task, by who knows it.
pub(crate) enum Known {
    /// These programs do, with its settings, defaults filled in.
    BuiltIn(&'static Entry, Params),
    /// A worker of the user's own.
    Own(TaskInfo),
}

/// The task with everything that was asked of it.
pub(crate) struct Work {
    /// The task.
    pub(crate) task: Known,
    /// The settings as they were given; what the worker is told.
    pub(crate) given: Vec<(String, String)>,
    /// The program of the user's own and its arguments, for tasks that run one.
    pub(crate) arguments: Vec<Vec<u8>>,
    /// How the input is cut.
    pub(crate) items: Items,
}

impl Work {
    /// Looks the task up and checks its settings. `ask` tells what a worker
    /// knows; it is asked where one is named, or nobody here knows the task.
    ///
    /// # Errors
    /// No task of that name, a setting that it does not take, a program that
    /// is missing or not wanted, or a worker that does not say what it knows.
    pub(crate) fn new(
        flags: &WorkFlags,
        executors: &ExecutorFlags,
        start_timeout: Duration,
        ask: &Ask,
    ) -> Result<Self, NoPlan> {
        let worker = executors.worker.as_deref();
        let Some(name) = flags.task.as_deref() else {
            return Err(format!("no task is given: add --task NAME; {}", known_without(worker)).into());
        };
        let given = &flags.params;
        let task = match (worker, find(name)) {
            (None, Some(entry)) => Found::BuiltIn(entry),
            (None, None) => match ask(None, start_timeout) {
                Ok(tasks) => among(name, tasks, None)?,
                // That there is no worker is told once the task's name is right.
                Err(_) => among(name, built_in(), None)?,
            },
            (Some(_), _) => among(name, ask(worker, start_timeout).map_err(NoPlan::Worker)?, worker)?,
        };
        let (task, arguments) = match task {
            Found::BuiltIn(entry) => {
                let arguments = arguments(entry.name, entry.program, &flags.program)?;
                let params = entry.check(given, &arguments).map_err(|error| error.to_string())?;
                (Known::BuiltIn(entry, params), arguments)
            }
            Found::Own(task) => {
                let arguments = arguments(&task.name, None, &flags.program)?;
                task.check(given).map_err(|error| error.to_string())?;
                (Known::Own(task), arguments)
            }
        };
        let items = flags.items.unwrap_or_else(|| task.items());
        Ok(Self { task, given: given.clone(), arguments, items })
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        match &self.task {
            Known::BuiltIn(entry, _) => entry.name,
            Known::Own(task) => &task.name,
        }
    }

    /// Its settings, defaults filled in.
    pub(crate) fn params(&self) -> Vec<(String, String)> {
        match &self.task {
            Known::BuiltIn(_, params) => params.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
            Known::Own(task) => {
                let is_given = |name: &String| self.given.iter().any(|(key, _)| key == name);
                let rest = task.params.iter().filter(|param| !is_given(&param.name));
                let rest = rest.map(|param| (param.name.clone(), param.default.clone()));
                self.given.iter().cloned().chain(rest).collect()
            }
        }
    }

    /// What the task says about its input.
    pub(crate) fn input_options(&self) -> InputOptions {
        let numbers = match &self.task {
            Known::BuiltIn(entry, _) => entry.numbers,
            Known::Own(task) => task.numbers,
        };
        InputOptions { numbers, ..InputOptions::new(self.items) }
    }

    /// What the pool is given as one item.
    pub(crate) fn unit(&self) -> Unit {
        if self.is_pipe() { Unit::Block } else { Unit::Item }
    }

    /// Whether its results are no items' but whatever its programs write.
    pub(crate) fn is_pipe(&self) -> bool {
        matches!(self.task, Known::BuiltIn(entry, _) if std::ptr::eq(entry, &pipe::ENTRY))
    }

    /// Whether it is code of the user's own, which may have another result each time.
    pub(crate) fn is_users(&self) -> bool {
        match &self.task {
            Known::BuiltIn(entry, _) => entry.program.is_some(),
            Known::Own(_) => true,
        }
    }
}

impl Known {
    /// How its input is cut when nothing else is said; lines, where they are
    /// made into blocks.
    fn items(&self) -> Items {
        let items = match self {
            Self::BuiltIn(entry, _) => entry.items,
            Self::Own(task) => task.items,
        };
        if items == Items::Whole { Items::Lines } else { items }
    }
}

/// A task that was found.
enum Found {
    BuiltIn(&'static Entry),
    Own(TaskInfo),
}

/// The task of this name among those of a worker. One that is just what is
/// known here is known here: threads can run it, and its items may be a
/// picture's rows.
fn among(name: &str, tasks: Vec<TaskInfo>, worker: Option<&Path>) -> Result<Found, String> {
    let Some(at) = tasks.iter().position(|task| task.name == name) else { return Err(unknown(name, &tasks, worker)) };
    let task = tasks.into_iter().nth(at);
    let task = task.ok_or_else(|| unknown(name, &[], worker))?;
    let same = find(name).filter(|entry| entry.info() == task);
    Ok(same.map_or(Found::Own(task), Found::BuiltIn))
}

/// What stands after `--`, as the task is told of it; `usage` is what a task wants there.
fn arguments(task: &str, usage: Option<&str>, program: &[OsString]) -> Result<Vec<Vec<u8>>, String> {
    match usage {
        Some(usage) if program.is_empty() => {
            Err(format!("task '{task}' needs a program of your own: add -- {usage} at the end"))
        }
        None if !program.is_empty() => Err(format!(
            "task '{task}' runs no program: leave out what stands after --, or use --task command, filter, pipe or python"
        )),
        _ => Ok(program.iter().map(|word| word.as_encoded_bytes().to_vec()).collect()),
    }
}

/// The built-in tasks that people are told of.
pub(crate) fn built_in() -> Vec<TaskInfo> {
    ALL.iter().filter(|entry| !entry.hidden).map(|entry| entry.info()).collect()
}

/// Those of a worker's tasks that people are told of.
pub(crate) fn listed(tasks: Vec<TaskInfo>) -> Vec<TaskInfo> {
    let is_hidden = |task: &TaskInfo| find(&task.name).is_some_and(|entry| entry.hidden && entry.info() == *task);
    tasks.into_iter().filter(|task| !is_hidden(task)).collect()
}

fn names(tasks: &[TaskInfo]) -> String {
    tasks.iter().map(|task| &task.name[..]).collect::<Vec<_>>().join(", ")
}

/// What can be said of the tasks without asking anybody.
fn known_without(worker: Option<&Path>) -> String {
    match worker {
        None => format!("the tasks are {}", names(&built_in())),
        Some(worker) => format!("`coordinator tasks --worker {}` lists those of that worker", worker.display()),
    }
}

fn unknown(name: &str, tasks: &[TaskInfo], worker: Option<&Path>) -> String {
    let tasks = listed(tasks.to_vec());
    let nearest = tasks
        .iter()
        .map(|task| (distance(name, &task.name), &task.name[..]))
        .filter(|&(distance, known)| distance <= known.len().max(3) / 2 || known.starts_with(name))
        .min();
    let hint = nearest.map_or(String::new(), |(_, known)| format!(", did you mean '{known}'?"));
    let (of, more) = match worker {
        None => (String::new(), String::new()),
        Some(path) => (format!(" in {}", path.display()), format!(" --worker {}", path.display())),
    };
    if tasks.is_empty() {
        return format!("there is no task '{name}'{of}: it knows no tasks at all");
    }
    format!(
        "there is no task '{name}'{of}{hint}\nthe tasks are {}; `coordinator tasks{more}` says what they do",
        names(&tasks)
    )
}

/// How many letters must be changed, added or left out to get from `a` to `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
#[path = "task_tests.rs"]
mod tests;
