//! `--dry-run`: shows the first ten commands that would be run, and estimates the
//! time for all of them from a second of real work.
//!
//! The commands go to standard output, quoted for a shell; the estimate goes to
//! standard error.

use super::ending::{describe, status_of};
use crate::console;
use crate::environment::machine;
use crate::exit::Status;
use crate::plan::{KnownTask, RunPlan};
use procession_job::{Estimate, Executor, Stopper, Study, Unit};
use procession_program::{Template, TemplateError};
use procession_report::units::{bytes, seconds};
use procession_task::builtin::ItemRunner;
use procession_task::{Failure, Items, TableSpec, escape_terminal, shell_quote};
use std::borrow::Cow;
use std::time::Duration;

/// How long items are really run.
const TRIAL_TIME: Duration = Duration::from_secs(1);

/// Runs the first items and shows what was learned.
pub(super) fn show(plan: &RunPlan, study: Study, stopper: &Stopper) -> Status {
    match study.estimate(TRIAL_TIME, stopper) {
        Ok(estimate) => {
            let lines: String = lines(plan, &estimate).into_iter().map(|line| line + "\n").collect();
            let status = console::print(lines.as_bytes());
            for sentence in sentences(&estimate, machine::cpus()) {
                console::say(format_args!("{sentence}"));
            }
            status
        }
        Err(ending) => {
            if let Some(text) = describe(&ending) {
                console::say(format_args!("error: {}", escape_terminal(text.as_bytes())));
            }
            status_of(&ending)
        }
    }
}

/// The command for each of the first items, or of the first blocks.
fn lines(plan: &RunPlan, estimate: &Estimate) -> Vec<String> {
    let items = plan.work.job.items;
    let first = plan.selection.of_size(None).skip;
    let numbered = (first..).zip(&estimate.first);
    let table = estimate.table.as_ref().filter(|_| plan.work.unit() == Unit::Item);
    let shown = |(index, unit): (u64, &[u8])| match table.map(|table| of_record(table, unit)) {
        None => line(&plan.work.task, &estimate.arguments, index, unit, items, None),
        Some(Ok(item)) => line(&plan.work.task, &estimate.arguments, index, &item, items, table),
        Some(Err(failure)) => format!("# {}: {failure}", escape_terminal(unit)),
    };
    numbered.map(|(index, unit)| shown((index, unit))).collect()
}

/// The item of a record.
fn of_record<'r>(table: &TableSpec, record: &'r [u8]) -> Result<Cow<'r, [u8]>, Failure> {
    match &table.column {
        Some(column) => table.field(record, column),
        None => table.check(record).map(|()| Cow::Borrowed(record)),
    }
}

fn line(
    task: &KnownTask,
    arguments: &[Vec<u8>],
    index: u64,
    unit: &[u8],
    items: Items,
    table: Option<&TableSpec>,
) -> String {
    let command = shell_quote::line(arguments);
    match task.runner() {
        ItemRunner::Native => format!("{} {}", escape_terminal(task.name().as_bytes()), shell_quote::word(unit)),
        ItemRunner::BlockProgram => format!("{command}  # reads {} lines", items.count(unit)),
        ItemRunner::Program => match template(arguments, table).ok().filter(Template::has_places) {
            Some(template) => match template.fill(unit, index) {
                Ok(words) => shell_quote::line(&words),
                Err(failure) => format!("# {}: {failure}", escape_terminal(unit)),
            },
            None => format!("{command} <<< {}", shell_quote::word(unit)),
        },
        ItemRunner::Coprocess => format!("{command} <<< {}", shell_quote::word(unit)),
        ItemRunner::Python => {
            let (function, constants) = arguments.split_at(1.min(arguments.len()));
            let constants: String = constants.iter().map(|one| format!(" --arg {}", shell_quote::word(one))).collect();
            format!("{}{constants} <<< {}", shell_quote::line(function), shell_quote::word(unit))
        }
    }
}

fn template(arguments: &[Vec<u8>], table: Option<&TableSpec>) -> Result<Template, TemplateError> {
    Template::new(arguments, table.filter(|table| table.column.is_none()))
}

/// Estimates the time of the whole on `cpus` CPUs.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn sentences(of: &Estimate, cpus: usize) -> Vec<String> {
    let mut said = Vec::new();
    let shown = of.first.len() as u64;
    match of.expected {
        Some(all) if all > shown => said.push(format!("… and about {} more", all - shown)),
        None if of.first.len() == 10 => said.push("… and more; their number is unknown".to_owned()),
        _ => {}
    }
    if let Some(name) = &of.item_type {
        said.push(format!("the first item is of type {name}"));
    }
    if of.done == 0 {
        let nothing = if shown == 0 { "no items" } else { "no estimate: no item ended within 1 s" };
        said.push(nothing.to_owned());
        return said;
    }
    let each = of.busy.as_secs_f64() / of.done as f64;
    let failed = if of.failed > 0 { format!(", {} of which failed", of.failed) } else { String::new() };
    said.push(format!("tried {} in {}{failed}: {} each", of.done, seconds(of.busy.as_secs_f64()), seconds(each)));
    let (Some(all), Some(configuration)) = (of.expected, of.configuration) else { return said };
    let at_once = match configuration.executor {
        Executor::Serial => 1,
        Executor::Threads | Executor::Procs => (configuration.count as usize).min(cpus),
    };
    let time = each * (all as f64 / at_once as f64).max(1.0);
    let output = of.bytes as f64 / of.done as f64 * all as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate, not negative")]
    let output = bytes(output as u64);
    let (name, count) = (configuration.executor.name(), configuration.count);
    said.push(format!("estimate: {} for all {all} on {name} {count}, with {output} of output", seconds(time)));
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession::ChunkSize;
    use procession_job::Configuration;
    use procession_program::{command, filter, find, pipe, python};
    use procession_task::Params;
    use procession_task::builtin::TaskEntry;

    fn shown(entry: &'static TaskEntry, arguments: &[&str], unit: &str) -> String {
        let arguments: Vec<Vec<u8>> = arguments.iter().map(|&word| word.into()).collect();
        line(&KnownTask::BuiltIn(entry, Params::default()), &arguments, 0, unit.as_bytes(), Items::Lines, None)
    }

    #[test]
    fn commands_are_quoted_for_a_shell() {
        assert_eq!(shown(&command::ENTRY, &["gzip", "-k", "x{}"], "a b"), "gzip -k 'xa b'");
        assert_eq!(shown(&command::ENTRY, &["echo", "{}{}"], "{}"), "echo '{}{}'");
        assert_eq!(shown(&command::ENTRY, &["bc"], "1+1; x"), "bc <<< '1+1; x'");
        assert_eq!(shown(&filter::ENTRY, &["tr", "a", "{}"], "abc"), "tr a {} <<< abc");
        assert_eq!(shown(&pipe::ENTRY, &["wc", "-l"], "1\n2\n3\n"), "wc -l  # reads 3 lines");
        assert_eq!(shown(&python::ENTRY, &["f.py:f", "n=a b"], "4"), "f.py:f --arg 'n=a b' <<< 4");
        assert_eq!(shown(find("sqrt").unwrap(), &[], "4"), "sqrt 4");
    }

    #[test]
    fn the_estimate_follows_from_the_trial() {
        let configuration = Configuration { executor: Executor::Procs, count: 4, size: None, chunk: ChunkSize::Auto };
        let of = Estimate {
            configuration: Some(configuration),
            expected: Some(1000),
            done: 100,
            failed: 3,
            busy: Duration::from_secs(1),
            bytes: 700,
            first: vec!["x".into(); 10],
            ..Estimate::default()
        };
        let said = sentences(&of, 2).join("\n");
        assert!(said.contains("about 990 more") && said.contains("3 of which failed"), "{said}");
        assert!(said.contains("5.00 s for all 1000 on procs 4") && said.contains("output"), "{said}");
        assert!(sentences(&Estimate { done: 0, ..of.clone() }, 2)[1].contains("no estimate"));
        assert!(sentences(&Estimate::default(), 2)[0].contains("no items"));
        let typed = Estimate { item_type: Some("str (x: str)".to_owned()), ..of.clone() };
        assert_eq!(sentences(&typed, 2)[1], "the first item is of type str (x: str)");
        assert_eq!(sentences(&Estimate { expected: None, ..of }, 2).len(), 2);
    }
}
