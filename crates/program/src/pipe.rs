//! `pipe`: one process for each block of lines.
//!
//! To the worker a block is one item ([`Items::Whole`]). The program reads the
//! block from its standard input, and its standard output is the result.

use crate::per_item::{OK_STATUS, PerItem, PerItemRules, ProgramCall};
use crate::template::Template;
use procession_task::builtin::{ItemRunner, TaskEntry, TaskShape};
use procession_task::{Failure, ItemAttempt, Items};

/// The task's entry in the list of tasks.
pub static ENTRY: TaskEntry = TaskEntry {
    name: "pipe",
    summary: "a program of your own, one process for each block of lines: lines in, anything out",
    params: &[OK_STATUS],
    items: Items::Lines,
    numbers: false,
    hidden: false,
    shape: TaskShape::List,
    runner: ItemRunner::BlockProgram,
    make: |params, words, options| PerItem::make(&RULES, params, words, options),
};

static RULES: PerItemRules =
    PerItemRules { template: |words, _| Template::plain(words), call, result: |output| output };

fn call<'a>(template: &Template, block: &'a [u8], attempt: ItemAttempt) -> Result<ProgramCall<'a>, Failure> {
    // The last line of an input may lack its line feed.
    let end: &[u8] = if block.last().is_some_and(|&last| last != b'\n') { b"\n" } else { b"" };
    Ok(ProgramCall { args: template.fill(b"", attempt.index)?, item: None, input: Some([block, end]), attempt })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::Trial;
    use procession_task::{Again, Format};

    fn trial(words: &[&str]) -> Trial {
        Trial::new(&ENTRY, words, Items::Whole, Format::Raw)
    }

    #[test]
    fn a_block_is_the_input_and_the_whole_output_is_the_result() {
        assert_eq!(trial(&["cat"]).run(b"a\r\n\nb\n").outputs, "a\r\n\nb\n");
        assert_eq!(trial(&["cat"]).run(b"a\nb").outputs, "a\nb\n", "the last line has an end");
        assert_eq!(trial(&["wc", "-l"]).run(b"a\nb\n").outputs.trim(), "2");
        assert_eq!(trial(&["printf", "x"]).run(b"a\nb\n").outputs, "x");
        assert_eq!(trial(&["true"]).run(b"a\nb\n").outputs, "");
    }

    #[test]
    fn placeholders_in_its_arguments_are_plain_text() {
        assert_eq!(trial(&["printf", "%s,", "{}", "{#}"]).run(b"a\n").outputs, "{},{#},");
    }

    #[test]
    fn the_environment_names_the_attempt_and_worker() {
        let script = "echo ${PROCESSION_ITEM-none} $PROCESSION_ATTEMPT $PROCESSION_WORKER";
        let became = trial(&["sh", "-c", script]).run(b"a\n");
        assert_eq!(became.outputs, "none 2 7\n");
        assert!(became.log.contains("\"child_pid\":"));
    }

    #[test]
    fn a_block_whose_program_fails_has_no_output() {
        let became = trial(&["sh", "-c", "echo some; echo no >&2; exit 4"]).run(b"a\n");
        assert_eq!(became.outputs, "");
        let line = became.log;
        assert!(line.contains("exited with status 4: no"), "{line}");
        let mut again = trial(&["sh", "-c", "test $PROCESSION_ATTEMPT = 3 && echo ok"]);
        again.again = Again { times: Some(1), failed: true, crashed: false };
        assert_eq!(again.run(b"a\n").outputs, "ok\n");
    }

    #[test]
    fn megabytes_go_both_ways() {
        let block = "0123456789abcde\n".repeat(4 << 16);
        let mut trial = trial(&["sh", "-c", "tee /dev/stderr 2>/dev/null"]);
        trial.max_result = block.len();
        assert!(trial.run(block.as_bytes()).outputs == block, "not the same");
        trial.max_result -= 1;
        let line = trial.run(block.as_bytes()).log;
        assert!(line.contains("a message may carry"), "{line}");
    }
}
