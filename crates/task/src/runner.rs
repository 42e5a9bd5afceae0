//! From a [`Task`] over items to a [`BlockTask`] over blocks of text: read each
//! item, run it, write its record and its log line.

use crate::itemlog::{LoggedItem, Span};
use crate::record::{Output, is_plain_tsv, push_tsv};
use crate::times::Sampler;
use crate::{
    Block, BlockTask, Failure, FailureAt, Format, FromItem, Identity, Items, Kind, Record, Reply, Task, ToText,
};
use std::any::Any;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How items come in and results go out.
#[derive(Clone, Debug)]
pub struct TextOptions {
    /// How the block is cut into items.
    pub items: Items,
    /// How records are written.
    pub format: Format,
    /// Whether every item has a line to be shown at once.
    pub show: bool,
    /// Whose name stands in the lines.
    pub identity: Identity,
}

/// Runs a [`Task`] over blocks of text.
pub struct TextTask<T, I> {
    task: T,
    options: TextOptions,
    kept: Kept,
    input: PhantomData<fn() -> I>,
}

impl<T, I> TextTask<T, I> {
    /// `task` over blocks of text.
    pub fn new(task: T, options: TextOptions) -> Self {
        Self { task, options, kept: Kept::default(), input: PhantomData }
    }
}

/// What is kept from block to block.
#[derive(Default)]
pub(crate) struct Kept {
    /// The current item's result, for its memory.
    result: Vec<u8>,
    sampler: Sampler,
}

/// Lets a task borrow its input from the block, or own it.
pub(crate) trait RunItem<'a> {
    type Input;
    type Output: ToText;
    fn read(&self, item: &'a [u8]) -> Result<Self::Input, Failure>;
    fn run_item(&self, input: Self::Input) -> Result<Self::Output, Failure>;
}

impl<'a, T> RunItem<'a> for T
where
    T: Task,
    T::Input: FromItem<'a>,
    T::Output: ToText,
{
    type Input = T::Input;
    type Output = T::Output;

    #[inline]
    fn read(&self, item: &'a [u8]) -> Result<T::Input, Failure> {
        T::Input::from_item(item).map_err(|message| Failure::new(Kind::Invalid, message))
    }

    #[inline]
    fn run_item(&self, input: T::Input) -> Result<T::Output, Failure> {
        match catch_unwind(AssertUnwindSafe(|| self.run(input))) {
            Ok(result) => result.map_err(Failure::from),
            Err(panic) => Err(Failure::new(Kind::Failed, format!("panicked: {}", panic_message(&*panic)))),
        }
    }
}

/// What a panic said, when it said it in words.
fn panic_message(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no message)")
}

impl<T> BlockTask for TextTask<T, T::Input>
where
    T: Task,
    T::Input: for<'a> FromItem<'a>,
    T::Output: ToText,
{
    fn run(&mut self, block: &Block<'_>, reply: &mut Reply<'_>) -> Result<(), String> {
        let Self { task, options, kept, .. } = self;
        run_items(task, options, kept, block, reply)
    }
}

/// Walks through a block: the loop that all text tasks share.
pub(crate) fn run_items<'a, R: RunItem<'a>>(
    task: &R,
    options: &TextOptions,
    kept: &mut Kept,
    block: &Block<'a>,
    reply: &mut Reply<'_>,
) -> Result<(), String> {
    let plain_inputs = options.items == Items::Words && is_plain_block(block.bytes);
    let common = block.log.then(|| options.identity.of_block(block.chunk, block.attempt));
    let Kept { result, sampler } = kept;
    let mut done: u32 = 0;
    for (at, item) in options.items.split(block.bytes) {
        let index = block.first + u64::from(done);
        reply.host().item_starts(index);
        let sampled = sampler.is_due();
        let timed = sampled || block.log;
        let start_ns = if timed { reply.host().now_ns() } else { 0 };
        let input = task.read(item);
        let read_ns = if sampled { reply.host().now_ns() } else { 0 };
        let mut outcome = input.and_then(|input| task.run_item(input));
        let end_ns = if timed { reply.host().now_ns() } else { 0 };
        result.clear();
        let mut is_json = false;
        if let Ok(output) = &outcome {
            is_json = output.is_json();
            output.write_text(result);
        }
        if result.len() > reply.max_result() {
            outcome = Err(too_long(result.len(), reply.max_result()));
        }
        let text = match &outcome {
            Ok(_) => Ok(Output { text: result, is_json }),
            Err(failure) => Err(failure),
        };
        let record = Record { index, input: item, outcome: text };
        write_record(options.format, plain_inputs, reply, &record, at);
        if block.log || options.show {
            let line = LoggedItem { index, input: item, outcome: text };
            let answer = reply.answer();
            if let Some(common) = &common {
                common.write(&mut answer.log, &line, Span { start_ns, end_ns });
            }
            if options.show {
                options.identity.show(&mut answer.shown, &line);
            }
        }
        if sampled {
            let written_ns = reply.host().now_ns();
            reply.answer().samples.add(&[start_ns, read_ns, end_ns, written_ns]);
            sampler.took(written_ns.saturating_sub(start_ns));
        }
        done += 1;
        reply.item_done(block.log.then_some(end_ns));
    }
    if done == block.items { Ok(()) } else { Err(format!("a block of {} items held {done}", block.items)) }
}

/// What becomes of a result that is longer than a result may be.
fn too_long(bytes: usize, max: usize) -> Failure {
    Failure::new(
        Kind::Failed,
        format!("the result of {bytes} bytes is longer than the {max} bytes a message may carry"),
    )
}

/// Words hold no white space: only a backslash would need an escape.
fn is_plain_block(bytes: &[u8]) -> bool {
    memchr::memchr(b'\\', bytes).is_none()
}

#[inline]
fn write_record(format: Format, plain_input: bool, reply: &mut Reply<'_>, record: &Record<'_>, at: usize) {
    let answer = reply.answer();
    let out = &mut answer.outputs;
    let from = out.len();
    match record.outcome {
        Ok(output) if format == Format::Tsv && plain_input => {
            out.extend_from_slice(record.input);
            out.push(b'\t');
            if output.is_json || is_plain_tsv(output.text) {
                out.extend_from_slice(output.text);
            } else {
                push_tsv(out, output.text);
            }
            out.push(b'\n');
        }
        _ => format.write(out, record),
    }
    if let Err(failure) = record.outcome {
        // Blocks and answers are bounded far below 4 GiB by the frame's cap.
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        answer.failures.push(FailureAt {
            item: record.index,
            failure: failure.clone(),
            input: (place(at), place(record.input.len())),
            record: (place(from), place(answer.outputs.len() - from)),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, Host, TaskError};

    struct Picky;

    impl Task for Picky {
        type Input = u64;
        type Output = u64;
        fn name(&self) -> &str {
            "picky"
        }
        fn run(&self, input: u64) -> Result<u64, TaskError> {
            match input {
                13 => Err(TaskError::new("unlucky")),
                14 => panic!("fourteen"),
                n => Ok(n + 1),
            }
        }
    }

    #[derive(Default)]
    struct Recorder {
        clock: u64,
        sent: Vec<(u32, Vec<u8>)>,
    }

    impl Host for Recorder {
        fn now_ns(&mut self) -> u64 {
            self.clock += 1000;
            self.clock
        }
        fn is_due(&mut self, _: Option<u64>) -> bool {
            false
        }
        fn item_starts(&mut self, _: u64) {}
        fn send(&mut self, answer: &Answer) {
            self.sent.push((answer.items, answer.outputs.clone()));
        }
    }

    fn run(bytes: &[u8], items: u32, each: bool) -> (Answer, Recorder, Result<(), String>) {
        let options =
            TextOptions { items: Items::Words, format: Format::Tsv, show: true, identity: Identity::new(9, "h", 0) };
        let mut recorder = Recorder::default();
        let mut answer = Answer::default();
        let block = Block { first: 10, items, chunk: 0, attempt: 1, log: true, bytes };
        let mut reply = Reply::new(&mut recorder, &mut answer, each, 1 << 20);
        let ended = TextTask::new(Picky, options).run(&block, &mut reply);
        reply.finish();
        (answer, recorder, ended)
    }

    #[test]
    fn a_block_becomes_records_lines_and_failures() {
        let (answer, _, ended) = run(b"1 13 14 x 5", 5, false);
        assert_eq!(ended, Ok(()));
        let outputs = String::from_utf8(answer.outputs.clone()).unwrap();
        let expected = "1\t2\n13\t\tfailed: unlucky\n14\t\tfailed: panicked: fourteen\n\
                        x\t\tinvalid: not a whole number (digits only)\n5\t6\n";
        assert_eq!(outputs, expected);
        assert_eq!(answer.items, 5);
        assert_eq!(answer.failures.iter().map(|f| f.item).collect::<Vec<_>>(), [11, 12, 13]);
        for failure in &answer.failures {
            let (at, length) = (failure.record.0 as usize, failure.record.1 as usize);
            let record = &answer.outputs[at..at + length];
            assert!(record.ends_with(format!("{}\n", failure.failure).as_bytes()));
        }
        assert_eq!(answer.failures[2].input, (8, 1));
        assert_eq!(answer.log.iter().filter(|&&b| b == b'\n').count(), 5);
        assert_eq!(answer.shown.iter().filter(|&&b| b == b'\n').count(), 5);
        assert!(answer.busy_ns > 0);
    }

    #[test]
    fn each_item_is_answered_when_asked() {
        let (answer, recorder, _) = run(b"1 2 3", 3, true);
        assert_eq!(recorder.sent, [(1, b"1\t2\n".to_vec()), (1, b"2\t3\n".to_vec()), (1, b"3\t4\n".to_vec())]);
        assert_eq!(answer.items, 0);
    }

    #[test]
    fn a_block_with_other_items_than_announced_is_an_error() {
        assert!(run(b"1 2 3", 4, false).2.is_err());
    }
}
