//! `--dry-run`: what would be run, the first ten of it, and how long all of it
//! would take, judged by a second of the real thing.
//!
//! What would be run goes to standard output, as it can be typed in a shell;
//! what is estimated is for people.

use crate::args::{Known, Plan};
use crate::exit::{self, Status};
use crate::machine;
use crate::quote;
use crate::run::status_of;
use crate::verbs;
use crate::watch::describe;
use procession_job::{Estimate, Executor, Stopper, Study};
use procession_program::{Template, command, pipe};
use procession_report::units::{bytes, seconds};
use procession_task::{Items, escape_terminal};
use std::time::Duration;

/// How long the real thing is run.
const TIME: Duration = Duration::from_secs(1);

/// Rehearses a study and shows what was learned.
pub(crate) fn show(plan: &Plan, study: Study, stopper: &Stopper) -> Status {
    match study.estimate(TIME, stopper) {
        Ok(estimate) => {
            let lines: String = lines(plan, &estimate).into_iter().map(|line| line + "\n").collect();
            let status = verbs::print(lines.as_bytes());
            for sentence in sentences(&estimate, machine::cpus()) {
                exit::say(format_args!("{sentence}"));
            }
            status
        }
        Err(ending) => {
            if let Some(text) = describe(&ending) {
                exit::say(format_args!("error: {}", escape_terminal(text.as_bytes())));
            }
            status_of(&ending)
        }
    }
}

/// What would be run for each of the first items, or blocks of them.
fn lines(plan: &Plan, estimate: &Estimate) -> Vec<String> {
    let items = plan.work.items;
    let first = plan.selection.of_size(None).skip;
    let numbered = (first..).zip(&estimate.first);
    numbered.map(|(index, unit)| line(&plan.work.task, &estimate.arguments, index, unit, items)).collect()
}

fn line(task: &Known, arguments: &[Vec<u8>], index: u64, unit: &[u8], items: Items) -> String {
    let (entry, name) = match task {
        Known::BuiltIn(entry, _) => (Some(*entry), entry.name),
        Known::Own(own) => (None, &own.name[..]),
    };
    let is = |other| entry.is_some_and(|entry| std::ptr::eq(entry, other));
    if is(&pipe::ENTRY) {
        return format!("{}  # reads {} lines", quote::line(arguments), items.count(unit));
    }
    if arguments.is_empty() {
        return format!("{} {}", escape_terminal(name.as_bytes()), quote::word(unit));
    }
    let template = if is(&command::ENTRY) { Template::new(arguments).ok() } else { None };
    if let Some(template) = template.filter(Template::has_places) {
        return quote::line(&template.fill(unit, index));
    }
    format!("{} <<< {}", quote::line(arguments), quote::word(unit))
}

/// What the whole would take, on so many processors.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn sentences(of: &Estimate, cpus: usize) -> Vec<String> {
    let mut said = Vec::new();
    let shown = of.first.len() as u64;
    match of.expected {
        Some(all) if all > shown => said.push(format!("… and about {} more", all - shown)),
        None if of.first.len() == 10 => said.push("… and more, how many is not known".to_owned()),
        _ => {}
    }
    if of.done == 0 {
        let nothing = if shown == 0 { "there are no items" } else { "no item was done within a second: no estimate" };
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
    use procession_program::{filter, find};
    use procession_task::Params;
    use procession_task::builtin::Entry;

    fn shown(entry: &'static Entry, arguments: &[&str], unit: &str) -> String {
        let arguments: Vec<Vec<u8>> = arguments.iter().map(|&word| word.into()).collect();
        line(&Known::BuiltIn(entry, Params::default()), &arguments, 0, unit.as_bytes(), Items::Lines)
    }

    #[test]
    fn what_would_be_run_can_be_typed() {
        assert_eq!(shown(&command::ENTRY, &["gzip", "-k", "x{}"], "a b"), "gzip -k 'xa b'");
        assert_eq!(shown(&command::ENTRY, &["echo", "{}{}"], "{}"), "echo {}{}");
        assert_eq!(shown(&command::ENTRY, &["bc"], "1+1; x"), "bc <<< '1+1; x'");
        assert_eq!(shown(&filter::ENTRY, &["tr", "a", "{}"], "abc"), "tr a {} <<< abc");
        assert_eq!(shown(&pipe::ENTRY, &["wc", "-l"], "1\n2\n3\n"), "wc -l  # reads 3 lines");
        assert_eq!(shown(find("sqrt").unwrap(), &[], "4"), "sqrt 4");
    }

    #[test]
    fn time_and_output_are_judged_by_what_was_tried() {
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
        assert_eq!(sentences(&Estimate { expected: None, ..of }, 2).len(), 2);
    }
}
