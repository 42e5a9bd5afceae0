//! `command`: one process for each item.
//!
//! The item takes the place of `{}` in the program's arguments. If no argument
//! has such a place, the program reads the item from its standard input. The
//! result is the program's standard output without its last line feed.

use crate::per_item::{OK_STATUS, PerItem, PerItemRules, ProgramCall};
use crate::template::{Template, TemplateError};
use procession_task::builtin::{ItemRunner, TaskEntry, TaskShape};
use procession_task::{Failure, ItemAttempt, Items, TextOptions};

/// The task's entry in the list of tasks.
pub static ENTRY: TaskEntry = TaskEntry {
    name: "command",
    summary: "a program of your own, one process for each item; {} in its arguments is the item",
    params: &[OK_STATUS],
    items: Items::Lines,
    numbers: false,
    hidden: false,
    shape: TaskShape::List,
    runner: ItemRunner::Program,
    make: |params, words, options| PerItem::make(&RULES, params, words, options),
};

static RULES: PerItemRules = PerItemRules { template, call, result };

/// Where items are records of a table, arguments may have places for their fields.
fn template(words: &[Vec<u8>], options: &TextOptions) -> Result<Template, TemplateError> {
    let table = options.table.as_ref().filter(|table| table.column.is_none());
    Template::new(words, table).map(|template| template.in_slot(options.identity.slot()))
}

fn call<'a>(template: &Template, item: &'a [u8], attempt: ItemAttempt) -> Result<ProgramCall<'a>, Failure> {
    let input = (!template.has_places()).then_some([item, b"\n"]);
    Ok(ProgramCall { args: template.fill(item, attempt.index)?, item: Some(item), input, attempt })
}

fn result(mut output: Vec<u8>) -> Vec<u8> {
    if output.last() == Some(&b'\n') {
        output.pop();
    }
    output
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;
    use procession_task::{Again, Format, Identity};

    fn trial(words: &[&str]) -> Trial {
        Trial::new(&ENTRY, words, Items::Lines, Format::Tsv)
    }

    fn outputs(words: &[&str], items: &str) -> String {
        trial(words).run(items.as_bytes()).outputs
    }

    #[test]
    fn each_item_has_a_process_and_its_record() {
        assert_eq!(outputs(&["echo", "{#}:{}"], "a\nb c\n"), "a\t11:a\nb c\t12:b c\n");
        assert_eq!(outputs(&["cat"], "a\n\n"), "a\ta\n\t\n");
        assert_eq!(outputs(&["printf", "{}\\r\\n\\n"], "a\n"), "a\ta\\r\\n\n");
        let log = trial(&["sh", "-c", "echo $$"]).run(b"x\n");
        let pid = log.outputs.trim_start_matches("x\t").trim_end().to_owned();
        let line = log.log;
        assert!(line.contains(&format!("\"child_pid\":{pid},")), "{line} {pid}");
    }

    #[test]
    fn the_environment_names_the_item_attempt_and_worker() {
        let script = "echo $PROCESSION_ITEM $PROCESSION_ATTEMPT $PROCESSION_WORKER";
        assert_eq!(outputs(&["sh", "-c", script], "a\n"), "a\ta 2 7\n");
    }

    #[test]
    fn every_failing_end_has_its_failure() {
        let script = ["sh", "-c", "eval \"$1\"", "sh", "{}"];
        for (item, failure) in [
            ("exit 3", "failed: exited with status 3"),
            ("echo out; echo no >&2; exit 1", "failed: exited with status 1: no"),
            ("echo a; echo the reason; exit 3", "failed: exited with status 3: a / the reason"),
            ("echo the reason; echo >&2; exit 3", "failed: exited with status 3: the reason"),
            ("kill -SEGV $$", "crashed: its program was killed by SIGSEGV"),
            ("kill -KILL $$", "crashed: its program was killed by SIGKILL (out of memory?)"),
            ("kill -40 $$", "crashed: its program was killed by signal 40"),
            ("a\0b", "invalid: no argument of a program can hold a NUL byte"),
        ] {
            assert_eq!(outputs(&script, item), format!("{item}\t\t{failure}\n"));
        }
        let missing = outputs(&["no-such-program-anywhere"], "x\n");
        assert!(missing.starts_with("x\t\tfailed: 'no-such-program-anywhere' cannot be found"), "{missing}");
    }

    #[test]
    fn statuses_may_be_a_success() {
        let ok = [("ok-status".to_owned(), "0,1".to_owned())];
        let script = ["sh", "-c", "echo $1; exit $1", "sh", "{}"];
        let mut trial = Trial::with(&ENTRY, &ok, &script, Items::Lines, Format::Tsv);
        let outputs = trial.run(b"0\n1\n2\n").outputs;
        assert_eq!(outputs, "0\t0\n1\t1\n2\t\tfailed: exited with status 2: 2\n");
        let options = TextOptions {
            items: Items::Lines,
            table: None,
            format: Format::Tsv,
            show: false,
            identity: Identity::new(1, "h", 0),
        };
        let bad = [("ok-status".to_owned(), "x".to_owned())];
        let refused = ENTRY.task(&bad, &[b"true".to_vec()], options).map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("'x' is not an exit status"), "{refused}");
    }

    #[test]
    fn the_slot_is_a_number_from_1() {
        assert_eq!(outputs(&["echo", "{%}", "{}"], "a\n"), "a\t8 a\n");
        assert_eq!(outputs(&["tail", "-n", "{%}"], "a\n"), "a\ta\n", "the item is read");
    }

    #[test]
    fn a_result_has_a_maximum_size() {
        let mut trial = trial(&["head", "-c", "{}", "/dev/zero"]);
        trial.max_result = 5;
        assert_eq!(trial.run(b"5\n").outputs, "5\t\0\0\0\0\0\n");
        let said = trial.run(b"6\n").outputs;
        assert_eq!(said, "6\t\tfailed: the result of 6 bytes is longer than the 5 bytes a message may carry\n");
        let said = trial.run(b"100000000\n").outputs;
        assert_eq!(said, "100000000\t\tfailed: the result is longer than the 5 bytes a message may carry\n");
        // The end of the last line is no part of it.
        let mut trial = self::trial(&["echo", "{}"]);
        trial.max_result = 5;
        assert_eq!(trial.run(b"12345\n").outputs, "12345\t12345\n");
    }

    #[test]
    fn retries_continue_the_count_of_attempts() {
        let script = "test $PROCESSION_ATTEMPT = 4 || kill -ABRT $$; echo ok";
        let mut trial = trial(&["sh", "-c", script]);
        trial.again = Again { times: Some(2), failed: false, crashed: true };
        assert_eq!(trial.run(b"x\n").outputs, "x\tok\n");
        trial.again.times = Some(1);
        assert!(trial.run(b"x\n").outputs.contains("SIGABRT"));
    }

    #[test]
    fn a_megabyte_goes_both_ways() {
        let item = "0123456789abcde\\".repeat(1 << 16);
        let mut trial = Trial::new(&ENTRY, &["cat"], Items::Lines, Format::Lines);
        assert!(trial.run(item.as_bytes()).outputs == format!("{item}\n"), "not the same");
        let mut trial = Trial::new(&ENTRY, &["true"], Items::Lines, Format::Lines);
        assert_eq!(trial.run(item.as_bytes()).outputs, "\n");
    }

    #[test]
    fn invalid_command_words_are_refused() {
        let identity = Identity::new(1, "h", 0);
        let options = TextOptions { items: Items::Lines, table: None, format: Format::Tsv, show: false, identity };
        for (words, says) in [(&[][..], "add -- PROGRAM"), (&["{}"], "can't be the program"), (&["a\0"], "NUL")] {
            let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            let refused = ENTRY.task(&[], &words, options.clone()).map(|_| ()).unwrap_err().to_string();
            assert!(refused.contains(says), "{refused}");
        }
    }
}
