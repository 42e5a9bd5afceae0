//! `coordinator tasks`: lists the tasks and their parameters.

use super::columns::aligned;
use crate::console;
use crate::environment::SignalListener;
use crate::environment::worker_catalog::worker_tasks;
use crate::exit::{Refusal, Status};
use crate::plan::{built_in, listed};
use procession_program::find;
use procession_task::builtin::{ItemRunner, TaskShape};
use procession_task::{Items, ParamInfo, TaskInfo, escape_terminal};
use serde_json::json;
use std::path::Path;
use std::time::Duration;

/// How long a worker may take to start and list its tasks.
const START_TIMEOUT: Duration = Duration::from_secs(4);

/// Lists the built-in tasks, or those of a worker.
///
/// # Errors
/// The worker can't be asked.
pub(super) fn answer(worker: Option<&Path>, json: bool) -> Result<Status, Refusal> {
    let tasks = match worker {
        None => built_in(),
        Some(_) => {
            let signals = SignalListener::start().map_err(Refusal::pool)?;
            match worker_tasks(worker, START_TIMEOUT, signals.stopper()) {
                Ok(tasks) => listed(tasks),
                // If a signal ended the worker, the exit status says so.
                Err(why) => return signals.status().ok_or(Refusal::pool(why)),
            }
        }
    };
    let text = if json { self::json(&tasks) } else { text(&tasks) };
    Ok(console::print(text.as_bytes()))
}

/// The list as text: a line per task, its parameters below it. Control
/// characters in what a worker sends are escaped.
fn text(tasks: &[TaskInfo]) -> String {
    let safe = |text: &str| escape_terminal(text.as_bytes());
    let mut rows = Vec::new();
    for task in tasks {
        rows.push(vec![safe(&task.name), rule(task).to_owned(), safe(&task.summary)]);
        rows.extend(task.params.iter().map(|param| param_row(param).iter().map(|cell| safe(cell)).collect()));
    }
    aligned(&rows)
}

/// The list as JSON.
fn json(tasks: &[TaskInfo]) -> String {
    let tasks: Vec<_> = tasks
        .iter()
        .map(|task| json!({ "name": task.name, "items": rule(task), "summary": task.summary, "params": task.params }))
        .collect();
    format!("{:#}\n", json!(tasks))
}

/// What the items are: a value of `--items`, or the rows of a picture.
fn rule(task: &TaskInfo) -> &'static str {
    let known = find(&task.name).filter(|entry| entry.info() == *task);
    match known {
        Some(entry) if matches!(entry.shape, TaskShape::Picture(_)) => return "rows",
        Some(entry) if entry.runner == ItemRunner::BlockProgram => return "lines",
        _ => {}
    }
    match task.items {
        Items::Words if task.numbers => "numbers",
        Items::Words => "words",
        Items::Lines => "lines",
        Items::Nul => "nul",
        Items::Whole => "blocks of lines",
        Items::Framed => "values",
        Items::Csv(_) => "csv",
        Items::Jsonl => "jsonl",
    }
}

fn param_row(param: &ParamInfo) -> [String; 3] {
    let values = if param.values.is_empty() { "VALUE".to_owned() } else { param.values.join("|") };
    let name = format!("  --param {}={values}", param.name);
    [name, String::new(), format!("{} [default: {}]", param.help, param.default)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_lists_tasks_with_their_parameters() {
        let text = text(&built_in());
        let tasks = text.lines().filter(|line| !line.starts_with(' '));
        let columns: Vec<_> = tasks.filter_map(|line| line.find("numbers ")).collect();
        assert!(columns.len() >= 2 && columns.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
        assert!(text.contains("--param method=trial|naive|miller-rabin"), "{text}");
        assert!(text.contains("[default: trial]"), "{text}");
        assert!(!text.lines().any(|line| line.starts_with("null")), "{text}");
    }

    #[test]
    fn the_tasks_of_a_worker_are_escaped_and_hidden_ones_omitted() {
        let own = TaskInfo {
            name: "my\u{1b}[31m".to_owned(),
            summary: "two\nlines".to_owned(),
            items: Items::Framed,
            numbers: false,
            params: Vec::new(),
        };
        let tasks = listed(vec![own, find("null").unwrap().info(), find("mandelbrot").unwrap().info()]);
        let text = text(&tasks);
        assert!(!text.contains('\u{1b}') && text.contains("values  two\\nlines"), "{text}");
        assert!(text.contains("rows") && !text.contains("null"), "{text}");
    }

    #[test]
    fn json_lists_the_same() {
        let value: serde_json::Value = serde_json::from_str(&json(&built_in())).unwrap();
        let prime = value.as_array().unwrap().iter().find(|task| task["name"] == "prime").unwrap();
        assert_eq!(prime["items"], "numbers");
        assert_eq!(prime["params"][0]["values"][1], "naive");
    }
}
