//! Which task is meant, and what to say when there is none of that name.

use procession_job::InputOptions;
use procession_program::{ALL, find};
use procession_task::builtin::Entry;
use procession_task::{Items, Params};
use std::ffi::OsString;

/// The task with everything that was asked of it.
pub(crate) struct Work {
    /// The task.
    pub(crate) entry: &'static Entry,
    /// Its settings, defaults filled in.
    pub(crate) params: Params,
    /// The settings as they were given; what the worker is told.
    pub(crate) given: Vec<(String, String)>,
    /// The program of the user's own and its arguments, for tasks that run one.
    pub(crate) arguments: Vec<Vec<u8>>,
    /// How the input is cut.
    pub(crate) items: Items,
}

impl Work {
    /// What the task says about its input.
    pub(crate) fn input_options(&self) -> InputOptions {
        InputOptions { numbers: self.entry.numbers, ..InputOptions::new(self.items) }
    }
}

impl Work {
    /// Looks the task up and checks its settings.
    ///
    /// # Errors
    /// No task of that name, a setting that it does not take, or a program that
    /// is missing or not wanted.
    pub(crate) fn new(
        name: Option<&str>,
        given: &[(String, String)],
        program: &[OsString],
        items: Option<Items>,
    ) -> Result<Self, String> {
        let name = name.ok_or_else(|| format!("no task is given: add --task NAME; the tasks are {}", names()))?;
        let entry = find(name).ok_or_else(|| unknown(name))?;
        let arguments = arguments(entry, program)?;
        let params = entry.check(given, &arguments).map_err(|error| error.to_string())?;
        Ok(Self { entry, params, given: given.to_vec(), arguments, items: items.unwrap_or(entry.items) })
    }
}

/// What stands after `--`, as the task is told of it.
fn arguments(entry: &Entry, program: &[OsString]) -> Result<Vec<Vec<u8>>, String> {
    match entry.program {
        Some(usage) if program.is_empty() => {
            Err(format!("task '{}' needs a program of your own: add -- {usage} at the end", entry.name))
        }
        None if !program.is_empty() => Err(format!(
            "task '{}' runs no program: leave out what stands after --, or use --task command, filter, pipe or python",
            entry.name
        )),
        _ => Ok(program.iter().map(|word| word.as_encoded_bytes().to_vec()).collect()),
    }
}

/// The tasks that people are told of.
pub(crate) fn listed() -> impl Iterator<Item = &'static Entry> {
    ALL.iter().copied().filter(|entry| !entry.hidden)
}

fn names() -> String {
    listed().map(|entry| entry.name).collect::<Vec<_>>().join(", ")
}

fn unknown(name: &str) -> String {
    let nearest = listed()
        .map(|entry| (distance(name, entry.name), entry.name))
        .filter(|&(distance, known)| distance <= known.len().max(3) / 2 || known.starts_with(name))
        .min();
    let hint = nearest.map_or(String::new(), |(_, known)| format!(", did you mean '{known}'?"));
    format!("there is no task '{name}'{hint}\nthe tasks are {}; `coordinator tasks` says what they do", names())
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
mod tests {
    use super::*;

    fn refusal(name: Option<&str>, given: &[(&str, &str)]) -> String {
        let given: Vec<_> = given.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Work::new(name, &given, &[], None).map(|_| ()).unwrap_err()
    }

    #[test]
    fn a_task_brings_its_rule_for_items() {
        let work = Work::new(Some("prime"), &[("method".to_owned(), "naive".to_owned())], &[], None).unwrap();
        assert_eq!((work.entry.name, work.params.get("method"), work.items), ("prime", "naive", Items::Words));
        assert_eq!(work.given.len(), 1);
        let work = Work::new(Some("prime"), &[], &[], Some(Items::Lines)).unwrap();
        assert_eq!((work.params.get("method"), work.items), ("trial", Items::Lines));
        assert!(Work::new(Some("null"), &[], &[], None).is_ok(), "hidden ones can be run");
    }

    #[test]
    fn unknown_tasks_are_answered_with_the_nearest() {
        for (name, known) in [("prim", "prime"), ("primes", "prime"), ("sqr", "sqrt"), ("squrt", "sqrt")] {
            let text = refusal(Some(name), &[]);
            assert!(text.contains(&format!("did you mean '{known}'")), "{text}");
            assert!(text.contains("the tasks are sqrt, prime"), "{text}");
            assert!(!text.contains("null"), "{text}");
        }
        assert!(!refusal(Some("quicksort"), &[]).contains("did you mean"));
        assert!(refusal(None, &[]).contains("--task NAME"));
    }

    #[test]
    fn a_program_is_for_tasks_that_run_one() {
        assert!(refusal(Some("command"), &[]).contains("add -- PROGRAM ARGS"));
        let words = ["echo".into(), "{}".into()];
        let refused = Work::new(Some("sqrt"), &[], &words, None).map(|_| ()).unwrap_err();
        assert!(refused.contains("runs no program"), "{refused}");
    }

    #[test]
    fn settings_are_checked() {
        assert!(refusal(Some("prime"), &[("method", "x")]).contains("trial|naive|miller-rabin"));
        assert!(refusal(Some("sqrt"), &[("a", "b")]).contains("no parameters"));
    }

    #[test]
    fn distances() {
        for (a, b, expected) in [("", "abc", 3), ("abc", "abc", 0), ("prme", "prime", 1), ("sqtr", "sqrt", 2)] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }
}
