//! What is wrong with a command line, in one line: what was typed, and what to write.

use super::bridge;
use super::nearest::nearest;
use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use procession_program::ALL;
use std::ffi::OsString;

/// Makes an error of one line.
pub(crate) fn refuse(why: impl Into<String>) -> Error {
    of_kind(ErrorKind::ValueValidation, why)
}

fn of_kind(kind: ErrorKind, why: impl Into<String>) -> Error {
    Error::raw(kind, why.into() + "\n")
}

/// Shortens an error of the parser to one line, and answers what people bring from
/// other tools. `line` is what was typed, with the program's name first;
/// `subcommands` are the names of the subcommands.
pub(super) fn explained(error: Error, line: &[OsString], subcommands: &[&str]) -> Error {
    if !error.use_stderr() {
        return error;
    }
    let first = line.get(1).and_then(|word| word.to_str()).unwrap_or_default();
    let is_of_run = !subcommands.contains(&first);
    if let Some(word) = word_without_flag(&error).filter(|_| is_of_run) {
        return of_kind(ErrorKind::InvalidSubcommand, about_word(&word, subcommands));
    }
    let unknown = context(&error, ContextKind::InvalidArg).filter(|_| error.kind() == ErrorKind::UnknownArgument);
    let why = match unknown {
        Some(flag) => about_flag(&flag, &error, is_of_run.then_some(line)),
        None => one_line(&error),
    };
    of_kind(error.kind(), why)
}

fn context(error: &Error, kind: ContextKind) -> Option<String> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text.clone()),
        ContextValue::Strings(texts) => texts.first().cloned(),
        _ => None,
    }
}

/// The word that is no flag and no value of one.
fn word_without_flag(error: &Error) -> Option<String> {
    let text = error.to_string();
    let is_word = text.contains("unrecognized subcommand")
        || text.contains("the subcommand '")
        || (error.kind() == ErrorKind::UnknownArgument && !text.contains("argument '-"));
    text.split('\'').nth(1).filter(|_| is_word).map(str::to_owned)
}

fn about_word(word: &str, subcommands: &[&str]) -> String {
    if let Some(answer) = bridge::of_word(word) {
        return format!("there is no subcommand '{word}': {answer}");
    }
    if ALL.iter().any(|task| !task.hidden && task.name == word) {
        return format!("'{word}' is a task: write --task {word}");
    }
    if let Some(known) = nearest(word, subcommands.iter().copied()) {
        return format!("there is no subcommand '{word}', did you mean '{known}'?");
    }
    format!(
        "'{word}' needs a flag: --task for a task, --input for a file of items, --list for items; a program of your own \
         comes after --"
    )
}

/// The answer to an unknown flag. `line` is the command line, unless it is that of a
/// subcommand.
fn about_flag(flag: &str, error: &Error, line: Option<&[OsString]>) -> String {
    let Some(line) = line else { return format!("there is no flag '{flag}'{}", similar(error)) };
    // Short flags are named by their first letter.
    let flag = if flag == "-n" && line.iter().any(|word| word == "-np") { "-np" } else { flag };
    if let Some(answer) = bridge::of_flag(flag) {
        return format!("{flag} is not known here: {answer}");
    }
    let name = flag.trim_start_matches('-');
    if let Some(task) = ALL.iter().find(|task| task.params.iter().any(|param| param.name == name)) {
        let value = value_of(flag, line).unwrap_or_else(|| "VALUE".to_owned());
        return format!("'{name}' is a parameter of task {}: write --param {name}={value}", task.name);
    }
    let similar = similar(error);
    if similar.is_empty() {
        return format!(
            "there is no flag '{flag}': coordinator --help lists the flags, coordinator tasks what --param KEY=VALUE takes"
        );
    }
    format!("there is no flag '{flag}'{similar}")
}

fn similar(error: &Error) -> String {
    context(error, ContextKind::SuggestedArg).map_or(String::new(), |known| format!(", did you mean '{known}'?"))
}

/// The value behind a flag, also in one word with it.
fn value_of(flag: &str, line: &[OsString]) -> Option<String> {
    let words: Vec<&str> = line.iter().filter_map(|word| word.to_str()).collect();
    let at =
        words.iter().position(|word| *word == flag || word.split_once('=').is_some_and(|(name, _)| name == flag))?;
    let joined = words[at].split_once('=').map(|(_, value)| value);
    let value = joined.or_else(|| words.get(at + 1).copied().filter(|next| !next.starts_with("--")));
    value.map(str::to_owned)
}

/// The error of the parser without the usage.
fn one_line(error: &Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let until = ["\n\nUsage:", "\n\nFor more information"].iter().filter_map(|end| text.find(end)).min();
    let lines = text[..until.unwrap_or(text.len())].lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("; ").replace(":; ", ": ")
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    fn said(line: &str) -> String {
        let words = std::iter::once("coordinator").chain(line.split(' '));
        let error = parse(words, 4).map(|_| ()).expect_err(line);
        assert_eq!(error.exit_code(), 2, "{line}");
        let text = error.to_string();
        assert_eq!(text.lines().count(), 1, "{text}");
        text.trim_end().to_owned()
    }

    #[test]
    fn flags_of_other_tools_are_answered() {
        for (line, says) in [
            (
                "-t command --jobs 4 -- echo {}",
                "error: --jobs is not known here: the number of processes is --procs N (-j N)",
            ),
            ("-t command -P4 -- echo", "error: -P is not known here: the number of processes is"),
            ("-t command -P 4 -- echo", "error: -P is not known here"),
            ("-kP4 -t command", "error: -P is not known here"),
            ("-n1 -t command", "error: -n is not known here: the number of processes is --procs N (-j N); items for"),
            ("-np 4 -t command", "error: -np is not known here: the number of processes is --procs N (-j N)"),
            ("-0 -t command", "error: -0 is not known here: items that end in NUL bytes: --items nul"),
            ("-a f -t command", "error: -a is not known here: a file of items: --input FILE"),
            ("-N 2 -t command", "error: -N is not known here: there is none"),
            ("--colsep=, -t command", "error: --colsep is not known here: fields of records: --items csv"),
            ("--halt now,fail=1 -t command", "error: --halt is not known here: by default a run stops"),
            ("-t command --delay 1 -- echo", "error: --delay is not known here: there is none"),
        ] {
            let text = said(line);
            assert!(text.starts_with(says), "{line}: {text}");
        }
    }

    #[test]
    fn parameters_of_tasks_are_answered_with_their_flag() {
        for (line, says) in [
            ("-t prime --method naive", "error: 'method' is a parameter of task prime: write --param method=naive"),
            ("-t prime --method=naive -j 2", "--param method=naive"),
            ("-t mandelbrot --region -2,-1,1,1", "--param region=-2,-1,1,1"),
            ("-t prime --method", "--param method=VALUE"),
            ("-t prime --foo-bar 3", "error: there is no flag '--foo-bar': coordinator --help lists the flags"),
            ("-t prime --job-log 3", "error: there is no flag '--job-log', did you mean '--joblog'?"),
            ("inspect --jobs 3", "error: there is no flag '--jobs'"),
        ] {
            let text = said(line);
            assert!(text.contains(says), "{line}: {text}");
        }
    }

    #[test]
    fn words_without_a_flag_are_answered() {
        for (line, says) in [
            ("inspct", "error: there is no subcommand 'inspct', did you mean 'inspect'?"),
            ("help", "error: there is no subcommand 'help': write coordinator --help"),
            ("prime", "error: 'prime' is a task: write --task prime"),
            ("primes.txt", "error: 'primes.txt' needs a flag: --task for a task"),
            ("-t prime primes.txt", "error: 'primes.txt' needs a flag"),
        ] {
            assert!(said(line).starts_with(says), "{}", said(line));
        }
    }

    #[test]
    fn a_bad_value_is_answered_in_one_line() {
        for (line, says) in [
            ("-t prime --items x", "invalid value 'x' for '--items <RULE>'; [possible values: words, lines"),
            ("-t prime --timeout x", "invalid value 'x' for '--timeout <DURATION>': 'x' is not a unit of time"),
            ("-t prime --progress", "a value is required for '--progress <WHEN>' but none was supplied"),
            (
                "-t prime --range 1..2 --list 3",
                "the argument '--range <A..B[:STEP]>' cannot be used with '--list <X,Y,…>'",
            ),
            ("-t prime -t sqrt", "cannot be used multiple times"),
        ] {
            let text = said(line);
            assert!(text.contains(says), "{line}: {text}");
            assert!(!text.contains("Usage"), "{text}");
        }
    }
}
