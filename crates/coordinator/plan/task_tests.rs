//! Built-in tasks, and those of a worker.

use super::*;
use crate::args::{self, Invocation};
use procession_task::ParamInfo;

/// The task of a command line; a worker that is asked has `tasks`.
fn work_of(line: &[&str], tasks: Vec<TaskInfo>) -> Result<PlannedTask, String> {
    let line = std::iter::once("coordinator").chain(line.iter().copied());
    let Invocation::Run(flags) = args::parse(line, 1).unwrap() else { panic!("not a run") };
    let catalog = if TaskCatalog::needs_worker(&flags) { TaskCatalog::Worker(tasks) } else { TaskCatalog::BuiltIn };
    PlannedTask::new(&flags.work, flags.executors.worker.as_deref(), &catalog)
}

fn work(line: &[&str]) -> Result<PlannedTask, String> {
    work_of(line, ALL.iter().map(|entry| entry.info()).collect())
}

fn refused(result: Result<PlannedTask, String>) -> String {
    result.map(|_| ()).unwrap_err()
}

fn info(name: &str) -> TaskInfo {
    let limit = ParamInfo {
        name: "limit".to_owned(),
        default: "9".to_owned(),
        values: vec!["9".to_owned(), "10".to_owned()],
        help: "how far".to_owned(),
    };
    let (summary, params) = ("turns an item around".to_owned(), vec![limit]);
    TaskInfo { name: name.to_owned(), summary, items: Items::Nul, numbers: true, params }
}

/// The tasks of a worker: one of its own, built-in ones, and another `prime`.
fn own() -> Vec<TaskInfo> {
    vec![info("reverse"), find("sqrt").unwrap().info(), info("prime"), find("null").unwrap().info()]
}

#[test]
fn a_task_has_a_default_rule_for_items() {
    let naive = work(&["-t", "prime", "--param", "method=naive"]).unwrap();
    assert_eq!((naive.name(), naive.job.items, naive.job.params.len()), ("prime", Items::Words, 1));
    assert_eq!(naive.input_options().content, Content::Numbers);
    let listed = work(&["-t", "prime", "--items", "words"]).unwrap();
    assert_eq!((listed.job.items, listed.input_options().content), (Items::Words, Content::List));
    let any = work(&["-t", "null", "--items", "words"]).unwrap();
    assert_eq!((any.job.items, any.input_options().content), (Items::Words, Content::Any));
    let numbers = work(&["-t", "null", "--items", "numbers"]).unwrap();
    assert_eq!((numbers.job.items, numbers.input_options().content), (Items::Words, Content::Numbers));
    assert_eq!(naive.params(), [("method".to_owned(), "naive".to_owned())]);
    let lines = work(&["-t", "prime", "--items", "lines"]).unwrap();
    assert_eq!((lines.params()[0].1.as_str(), lines.job.items), ("trial", Items::Lines));
    assert!(work(&["-t", "null"]).is_ok(), "hidden tasks can be run");
}

#[test]
fn the_nearest_name_is_suggested_for_an_unknown_task() {
    for (name, known) in [("prim", "prime"), ("primes", "prime"), ("sqr", "sqrt"), ("squrt", "sqrt")] {
        let text = refused(work(&["-t", name]));
        assert!(text.contains(&format!("did you mean '{known}'")), "{text}");
        assert!(text.contains("the tasks are sqrt, prime"), "{text}");
        assert!(!text.contains("null"), "{text}");
    }
    assert!(!refused(work(&["-t", "quicksort"])).contains("did you mean"));
    assert!(refused(work(&[])).contains("--task NAME"));
    let Invocation::Run(flags) = args::parse(["coordinator", "-t", "prim"], 1).unwrap() else { panic!() };
    let without = refused(PlannedTask::new(&flags.work, None, &TaskCatalog::BuiltIn));
    assert!(without.contains("did you mean 'prime'"), "{without}");
}

#[test]
fn a_program_is_refused_by_tasks_that_run_none() {
    assert!(refused(work(&["-t", "command"])).contains("add -- PROGRAM ARGS"));
    let text = refused(work(&["-t", "sqrt", "--", "echo", "{}"]));
    assert!(text.contains("runs no program"), "{text}");
    let text = refused(work_of(&["-t", "reverse", "--worker", "w", "--", "echo"], own()));
    assert!(text.contains("runs no program"), "{text}");
}

#[test]
fn parameters_are_checked() {
    assert!(refused(work(&["-t", "prime", "--param", "method=x"])).contains("trial|naive|miller-rabin"));
    assert!(refused(work(&["-t", "sqrt", "--param", "a=b"])).contains("no parameters"));
    let text = refused(work_of(&["-t", "reverse", "--worker", "w", "--param", "limit=11"], own()));
    assert!(text.contains("limit=9|10 (default 9)"), "{text}");
}

#[test]
fn a_task_of_the_worker_is_as_the_worker_describes_it() {
    let own_one = work_of(&["-t", "reverse", "--worker", "w"], own()).unwrap();
    assert!(matches!(own_one.task, KnownTask::Own(_)) && own_one.is_users());
    assert_eq!((own_one.job.items, own_one.input_options().content), (Items::Nul, Content::Any));
    assert_eq!(own_one.params(), [("limit".to_owned(), "9".to_owned())]);
    let found = work_of(&["-t", "reverse"], own()).unwrap();
    assert_eq!(found.name(), "reverse", "the worker beside the program may have tasks of its own");
    let prime = work_of(&["-t", "prime", "--worker", "w"], own()).unwrap();
    assert!(matches!(prime.task, KnownTask::Own(_)), "it differs from the built-in task");
    let sqrt = work_of(&["-t", "sqrt", "--worker", "w"], own()).unwrap();
    assert!(matches!(sqrt.task, KnownTask::BuiltIn(..)) && !sqrt.is_users());
}

#[test]
fn the_tasks_of_the_worker_are_listed_for_an_unknown_task() {
    let text = refused(work_of(&["-t", "revers", "--worker", "w"], own()));
    assert!(text.contains("no task 'revers' in w, did you mean 'reverse'?"), "{text}");
    assert!(text.contains("the tasks are reverse, sqrt, prime; see `coordinator tasks --worker w`"), "{text}");
    let text = refused(work_of(&["-t", "x", "--worker", "w"], Vec::new()));
    assert!(text.contains("has no tasks"), "{text}");
}
