//! Tasks that are known here, and those that a worker tells of.

use super::*;
use crate::args::{self, Invocation};
use procession_task::ParamInfo;

/// What is typed, as a task; a worker that is asked knows `tasks`.
fn work_of(line: &[&str], tasks: Vec<TaskInfo>) -> Result<PlannedTask, String> {
    let line = std::iter::once("coordinator").chain(line.iter().copied());
    let Invocation::Run(flags) = args::parse(line, 1).unwrap() else { panic!("not a run") };
    let catalog = if Catalog::needs_worker(&flags) { Catalog::Worker(tasks) } else { Catalog::BuiltIn };
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

/// A worker with a task of its own, a built-in one and a different `prime`.
fn own() -> Vec<TaskInfo> {
    vec![info("reverse"), find("sqrt").unwrap().info(), info("prime"), find("null").unwrap().info()]
}

#[test]
fn a_task_brings_its_rule_for_items() {
    let naive = work(&["-t", "prime", "--param", "method=naive"]).unwrap();
    assert_eq!((naive.name(), naive.items, naive.given.len()), ("prime", Items::Words, 1));
    assert_eq!(naive.params(), [("method".to_owned(), "naive".to_owned())]);
    let lines = work(&["-t", "prime", "--items", "lines"]).unwrap();
    assert_eq!((lines.params()[0].1.as_str(), lines.items), ("trial", Items::Lines));
    assert!(work(&["-t", "null"]).is_ok(), "hidden ones can be run");
}

#[test]
fn unknown_tasks_are_answered_with_the_nearest() {
    for (name, known) in [("prim", "prime"), ("primes", "prime"), ("sqr", "sqrt"), ("squrt", "sqrt")] {
        let text = refused(work(&["-t", name]));
        assert!(text.contains(&format!("did you mean '{known}'")), "{text}");
        assert!(text.contains("the tasks are sqrt, prime"), "{text}");
        assert!(!text.contains("null"), "{text}");
    }
    assert!(!refused(work(&["-t", "quicksort"])).contains("did you mean"));
    assert!(refused(work(&[])).contains("--task NAME"));
    let Invocation::Run(flags) = args::parse(["coordinator", "-t", "prim"], 1).unwrap() else { panic!() };
    let without = refused(PlannedTask::new(&flags.work, None, &Catalog::BuiltIn));
    assert!(without.contains("did you mean 'prime'"), "{without}");
}

#[test]
fn a_program_is_for_tasks_that_run_one() {
    assert!(refused(work(&["-t", "command"])).contains("add -- PROGRAM ARGS"));
    let text = refused(work(&["-t", "sqrt", "--", "echo", "{}"]));
    assert!(text.contains("runs no program"), "{text}");
    let text = refused(work_of(&["-t", "reverse", "--worker", "w", "--", "echo"], own()));
    assert!(text.contains("runs no program"), "{text}");
}

#[test]
fn settings_are_checked() {
    assert!(refused(work(&["-t", "prime", "--param", "method=x"])).contains("trial|naive|miller-rabin"));
    assert!(refused(work(&["-t", "sqrt", "--param", "a=b"])).contains("no parameters"));
    let text = refused(work_of(&["-t", "reverse", "--worker", "w", "--param", "limit=11"], own()));
    assert!(text.contains("limit=9|10 (default 9)"), "{text}");
}

#[test]
fn a_workers_own_task_is_as_it_says() {
    let own_one = work_of(&["-t", "reverse", "--worker", "w"], own()).unwrap();
    assert!(matches!(own_one.task, KnownTask::Own(_)) && own_one.is_users());
    assert_eq!((own_one.items, own_one.input_options().numbers), (Items::Nul, true));
    assert_eq!(own_one.params(), [("limit".to_owned(), "9".to_owned())]);
    let found = work_of(&["-t", "reverse"], own()).unwrap();
    assert_eq!(found.name(), "reverse", "the worker beside the program may be one's own");
    let prime = work_of(&["-t", "prime", "--worker", "w"], own()).unwrap();
    assert!(matches!(prime.task, KnownTask::Own(_)), "it is another one");
    let sqrt = work_of(&["-t", "sqrt", "--worker", "w"], own()).unwrap();
    assert!(matches!(sqrt.task, KnownTask::BuiltIn(..)) && !sqrt.is_users());
}

#[test]
fn what_a_worker_does_not_know_is_answered_with_what_it_knows() {
    let text = refused(work_of(&["-t", "revers", "--worker", "w"], own()));
    assert!(text.contains("no task 'revers' in w, did you mean 'reverse'?"), "{text}");
    assert!(text.contains("the tasks are reverse, sqrt, prime; `coordinator tasks --worker w`"), "{text}");
    let text = refused(work_of(&["-t", "x", "--worker", "w"], Vec::new()));
    assert!(text.contains("knows no tasks"), "{text}");
}

#[test]
fn distances() {
    for (a, b, expected) in [("", "abc", 3), ("abc", "abc", 0), ("prme", "prime", 1), ("sqtr", "sqrt", 2)] {
        assert_eq!(distance(a, b), expected, "{a} {b}");
    }
}
