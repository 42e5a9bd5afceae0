//! Writes the outcomes of items into an answer: the record, the log line, the line
//! shown to the user, and the failure.

use crate::answer::FailureAt;
use crate::block::{Block, Reply};
use crate::itemlog::{Child, Common, LoggedItem, LostRun, TimeSpan};
use crate::items::Items;
use crate::outcome::{Failure, FailureKind};
use crate::record::{Format, Record};
use crate::record::{ResultText, is_plain_tsv, push_tsv};
use crate::text_options::TextOptions;

/// Writes the outcomes of one block's items.
pub struct RecordWriter<'t> {
    options: &'t TextOptions,
    chunk: u64,
    attempt: u32,
    /// The common part of the log lines of first runs; `None` without a log.
    common: Option<Common>,
    /// Whether no input needs escapes in tsv.
    has_plain_inputs: bool,
}

/// An item with its outcome.
#[derive(Clone, Copy, Debug)]
pub struct FinishedItem<'a> {
    /// The item's index in the input.
    pub index: u64,
    /// The item's position in its block.
    pub at: usize,
    /// How many bytes of the block it takes.
    pub length: usize,
    /// The item.
    pub input: &'a [u8],
    /// The result or the failure.
    pub outcome: Result<ResultText<'a>, &'a Failure>,
    /// How many times the worker ran the item, at least once.
    pub runs: u32,
    /// The start of the last run, in nanoseconds since the run's start.
    pub start_ns: u64,
    /// The end of the last run, on the same clock.
    pub end_ns: u64,
    /// The process that ran the item, if it is not the worker's.
    pub child: Child,
}

impl<'t> RecordWriter<'t> {
    /// A writer for the items of this block.
    #[must_use]
    pub fn new(options: &'t TextOptions, block: &Block<'_>) -> Self {
        let has_plain_inputs = options.items == Items::Words && is_plain_block(block.bytes);
        let common = block.log.then(|| options.identity.of_block(block.chunk, block.attempt));
        Self { options, chunk: block.chunk, attempt: block.attempt, common, has_plain_inputs }
    }

    /// Whether items have log lines, so that their times are needed.
    #[inline]
    #[must_use]
    pub fn logs(&self) -> bool {
        self.common.is_some()
    }

    /// Writes an item. The caller counts it ([`Reply::item_done`]).
    #[inline]
    pub fn write(&self, reply: &mut Reply<'_>, done: &FinishedItem<'_>) {
        self.write_record(reply, done);
        if done.child.is_output_cut {
            reply.output_cut(done.index);
        }
        if self.common.is_some() || self.options.show {
            self.write_lines(reply, done);
        }
    }

    /// Writes the log line of a run that failed and is followed by another one.
    #[cold]
    pub fn write_lost_run(&self, reply: &mut Reply<'_>, lost: &FinishedItem<'_>) {
        let Err(failure) = lost.outcome else { return };
        if !self.logs() {
            return;
        }
        let span = TimeSpan { start_ns: lost.start_ns, end_ns: lost.end_ns };
        let run = LostRun { index: lost.index, failure, child: lost.child, span };
        let attempt = self.attempt.saturating_add(lost.runs - 1);
        let common = self.options.identity.of_block(self.chunk, attempt);
        common.write_attempt(&mut reply.answer().log, &run);
    }

    fn write_lines(&self, reply: &mut Reply<'_>, done: &FinishedItem<'_>) {
        let line = LoggedItem { index: done.index, input: done.input, outcome: done.outcome, child: done.child };
        let answer = reply.answer();
        if let Some(common) = &self.common {
            let span = TimeSpan { start_ns: done.start_ns, end_ns: done.end_ns };
            if done.runs == 1 {
                common.write(&mut answer.log, &line, span);
            } else {
                let attempt = self.attempt.saturating_add(done.runs - 1);
                self.options.identity.of_block(self.chunk, attempt).write(&mut answer.log, &line, span);
            }
        }
        if self.options.show {
            self.options.identity.show(&mut answer.shown, &line);
        }
    }

    #[inline]
    fn write_record(&self, reply: &mut Reply<'_>, done: &FinishedItem<'_>) {
        let answer = reply.answer();
        let out = &mut answer.outputs;
        let from = out.len();
        match done.outcome {
            Ok(output) if self.options.format == Format::Tsv && self.has_plain_inputs => {
                out.extend_from_slice(done.input);
                out.push(b'\t');
                if is_plain_json(output) || is_plain_tsv(output.text) {
                    out.extend_from_slice(output.text);
                } else {
                    push_tsv(out, output.text);
                }
                out.push(b'\n');
            }
            outcome => self.options.format.write(out, &Record { index: done.index, input: done.input, outcome }),
        }
        if let Err(failure) = done.outcome {
            // The frame's size limit bounds blocks and answers far below 4 GiB.
            let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            answer.failures.push(FailureAt {
                item: done.index,
                failure: failure.clone(),
                input: (place(done.at), place(done.length)),
                record: (place(from), place(answer.outputs.len() - from)),
                attempts: done.runs,
            });
        }
    }
}

/// The failure of an item whose result is longer than allowed.
#[must_use]
pub fn too_long(bytes: usize, max: usize) -> Failure {
    Failure::new(
        FailureKind::Failed,
        format!("the result of {bytes} bytes is longer than the {max} bytes a message may carry"),
    )
}

/// Whether this is a JSON value that needs no escapes: a number, a boolean or null.
fn is_plain_json(output: ResultText<'_>) -> bool {
    output.is_json && !matches!(output.text.first(), Some(b'{' | b'[' | b'"'))
}

/// Words hold no white space: only a backslash would need an escape.
fn is_plain_block(bytes: &[u8]) -> bool {
    memchr::memchr(b'\\', bytes).is_none()
}
