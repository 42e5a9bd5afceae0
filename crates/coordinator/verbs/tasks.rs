//! `coordinator tasks`: what can be asked for with `--task` and `--param`.

use super::aligned;
use procession_task::builtin::{Entry, Shape};
use procession_task::{Items, ParamSpec};
use serde_json::json;

/// The list for a person: a line per task, its parameters beneath it.
pub(crate) fn text<'a>(tasks: impl Iterator<Item = &'a Entry>) -> String {
    let mut rows = Vec::new();
    for task in tasks {
        rows.push(vec![task.name.to_owned(), rule(task).to_owned(), task.summary.to_owned()]);
        rows.extend(task.params.iter().map(param_row));
    }
    aligned(&rows)
}

/// The list for a program.
pub(crate) fn json<'a>(tasks: impl Iterator<Item = &'a Entry>) -> String {
    let tasks: Vec<_> = tasks
        .map(|task| {
            let params: Vec<_> = task.params.iter().map(param_json).collect();
            json!({ "name": task.name, "items": rule(task), "summary": task.summary, "params": params })
        })
        .collect();
    format!("{:#}\n", json!(tasks))
}

/// What the items are: the word for a rule of cutting, as `--items` takes it,
/// or the rows of a picture, which nobody gives.
fn rule(task: &Entry) -> &'static str {
    if matches!(task.shape, Shape::Picture(_)) {
        return "rows";
    }
    match task.items {
        Items::Words => "words",
        Items::Lines => "lines",
        Items::Nul => "nul",
        Items::Whole => "blocks of lines",
        Items::Framed => "values",
    }
}

fn param_row(spec: &ParamSpec) -> Vec<String> {
    let values = if spec.values.is_empty() { "VALUE".to_owned() } else { spec.values.join("|") };
    let name = format!("  --param {}={values}", spec.name);
    vec![name, String::new(), format!("{} [default: {}]", spec.help, spec.default)]
}

fn param_json(spec: &ParamSpec) -> serde_json::Value {
    json!({ "name": spec.name, "default": spec.default, "values": spec.values, "help": spec.help })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::listed;

    #[test]
    fn people_see_tasks_with_their_parameters() {
        let text = text(listed());
        let columns: Vec<_> = text.lines().filter_map(|line| line.find("words")).collect();
        assert!(columns.len() >= 2 && columns.windows(2).all(|pair| pair[0] == pair[1]), "{text}");
        assert!(text.contains("--param method=trial|naive|miller-rabin"), "{text}");
        assert!(text.contains("[default: trial]"), "{text}");
        assert!(!text.contains("null"), "{text}");
    }

    #[test]
    fn programs_see_the_same() {
        let value: serde_json::Value = serde_json::from_str(&json(listed())).unwrap();
        let prime = value.as_array().unwrap().iter().find(|task| task["name"] == "prime").unwrap();
        assert_eq!(prime["items"], "words");
        assert_eq!(prime["params"][0]["values"][1], "naive");
    }
}
