//! From a [`Task`] over items to a [`BlockTask`] over blocks of text: read each
//! item, run it, write its record and its log line.

use crate::confined::confined;
use crate::itemlog::{LoggedItem, Span};
use crate::record::{Output, is_plain_tsv, push_tsv};
use crate::times::Sampler;
use crate::{
    Block, BlockTask, Failure, FailureAt, Format, FromItem, Identity, Items, Kind, Record, Reply, Task, ToText,
};
use std::marker::PhantomData;

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
        match confined(|| self.run(input)) {
            Ok(result) => result.map_err(Failure::from),
            Err(panic) => Err(Failure::new(Kind::Failed, panic)),
        }
    }
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
        let sampled = sampler.is_due();
        let timed = sampled || block.log;
        let began_ns = reply.item_starts(index, timed);
        let input = task.read(item);
        let read_ns = if sampled { reply.host().now_ns() } else { 0 };
        let mut outcome = input.and_then(|input| task.run_item(input));
        let (mut start_ns, mut attempts) = (began_ns, 1);
        if has_failed(&outcome) && reply.tries_again(attempts) {
            (outcome, start_ns, attempts) = run_again(task, (index, item), block.log, reply);
        }
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
        write_record(options.format, plain_inputs, reply, &record, at, attempts);
        if block.log || options.show {
            let line = LoggedItem { index, input: item, outcome: text };
            let answer = reply.answer();
            if let Some(common) = &common {
                let span = Span { start_ns, end_ns };
                if attempts == 1 {
                    common.write(&mut answer.log, &line, span);
                } else {
                    let attempt = block.attempt.saturating_add(attempts - 1);
                    options.identity.of_block(block.chunk, attempt).write(&mut answer.log, &line, span);
                }
            }
            if options.show {
                options.identity.show(&mut answer.shown, &line);
            }
        }
        if sampled {
            let written_ns = reply.host().now_ns();
            reply.answer().samples.add(&[began_ns, read_ns, end_ns, written_ns]);
            sampler.took(written_ns.saturating_sub(began_ns));
        }
        done += 1;
        reply.item_done(block.log.then_some(end_ns));
    }
    if done == block.items { Ok(()) } else { Err(format!("a block of {} items held {done}", block.items)) }
}

/// Runs an item again that has failed, as often as it may be; returns its last
/// outcome, when that attempt began, and how many there were in all. An item
/// that is invalid is so every time.
#[cold]
fn run_again<'a, R: RunItem<'a>>(
    task: &R,
    (index, item): (u64, &'a [u8]),
    wants_time: bool,
    reply: &mut Reply<'_>,
) -> (Result<R::Output, Failure>, u64, u32) {
    let mut attempts = 1;
    loop {
        attempts += 1;
        let start_ns = reply.item_starts_again(index, wants_time);
        let outcome = task.read(item).and_then(|input| task.run_item(input));
        if !has_failed(&outcome) || !reply.tries_again(attempts) {
            return (outcome, start_ns, attempts);
        }
    }
}

fn has_failed<T>(outcome: &Result<T, Failure>) -> bool {
    outcome.as_ref().is_err_and(|failure| failure.kind == Kind::Failed)
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
fn write_record(
    format: Format,
    plain_input: bool,
    reply: &mut Reply<'_>,
    record: &Record<'_>,
    at: usize,
    attempts: u32,
) {
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
            attempts,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Again, Answer, Draft, Host, TaskError};
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, Mutex};

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

    /// Fails on each item until it has been asked for it three times.
    struct Third(AtomicU32);

    impl Task for Third {
        type Input = u64;
        type Output = u64;
        fn name(&self) -> &str {
            "third"
        }
        fn run(&self, input: u64) -> Result<u64, TaskError> {
            if self.0.fetch_add(1, Ordering::Relaxed) % 3 == 2 { Ok(input) } else { Err(TaskError::new("not yet")) }
        }
    }

    fn run_third(again: Again) -> Answer {
        let identity = Identity::new(9, "h", 0);
        let options = TextOptions { items: Items::Words, format: Format::Tsv, show: false, identity };
        let (mut host, mut answer) = (Recorder::default(), Answer::default());
        let block = Block { first: 0, items: 2, chunk: 0, attempt: 4, log: true, bytes: b"7 x" };
        let mut reply = Reply::new(&mut host, &mut answer, false, 1 << 20).trying(again);
        TextTask::new(Third(0.into()), options).run(&block, &mut reply).unwrap();
        reply.finish();
        answer
    }

    #[test]
    fn failed_items_are_run_again_as_often_as_allowed_and_invalid_ones_never() {
        for (again, attempts) in [(Again::Never, 1), (Again::Times(1), 2)] {
            let answer = run_third(again);
            assert!(answer.outputs.starts_with(b"7\t\tfailed: not yet\n"), "{again:?}");
            assert_eq!(answer.failures.iter().map(|f| f.attempts).collect::<Vec<_>>(), [attempts, 1]);
        }
        for again in [Again::Times(2), Again::Always] {
            let answer = run_third(again);
            assert!(answer.outputs.starts_with(b"7\t7\nx\t\tinvalid"), "{again:?}");
            let log = String::from_utf8(answer.log).unwrap();
            let attempts: Vec<_> = log.lines().map(|line| line.contains("\"attempt\":6")).collect();
            assert_eq!(attempts, [true, false], "{log}");
        }
    }

    /// A task that looks at the draft while its item runs, as a watchdog would.
    struct Peeping(Arc<Mutex<Draft>>);

    impl Task for Peeping {
        type Input = u64;
        type Output = String;
        fn name(&self) -> &str {
            "peeping"
        }
        fn run(&self, _: u64) -> Result<String, TaskError> {
            let draft = self.0.try_lock().expect("nobody holds it while an item runs");
            let index = draft.running.map(|running| running.index);
            Ok(format!("{index:?} after {}", draft.answer.items))
        }
    }

    #[test]
    fn a_shared_draft_is_open_while_an_item_runs_and_then_alone() {
        let identity = Identity::new(9, "h", 0);
        let options = TextOptions { items: Items::Words, format: Format::Lines, show: false, identity };
        let (mut host, draft) = (Recorder::default(), Arc::new(Mutex::default()));
        let block = Block { first: 10, items: 2, chunk: 0, attempt: 1, log: false, bytes: b"1 2" };
        let mut reply = Reply::shared(&mut host, &draft, false, 1 << 20);
        assert!(draft.try_lock().is_err(), "no item runs yet");
        let mut task = TextTask::new(Peeping(Arc::clone(&draft)), options);
        task.run(&block, &mut reply).unwrap();
        assert!(draft.try_lock().is_err(), "no item runs any more");
        reply.finish();
        let draft = draft.lock().unwrap();
        assert_eq!(draft.answer.outputs, b"Some(10) after 0\nSome(11) after 1\n");
        assert_eq!(draft.running, None);
    }

    #[test]
    fn a_block_with_other_items_than_announced_is_an_error() {
        assert!(run(b"1 2 3", 4, false).2.is_err());
    }
}
