//! Turns a [`Task`] over items into a [`BlockTask`] over blocks of text: reads each
//! item, runs it, writes its record and its log line.

use crate::block::{Block, BlockTask, Reply};
use crate::block_items::{BlockItem, BlockItems, plain_items};
use crate::catch_panic::catch_panic;
use crate::itemlog::Child;
use crate::outcome::{Failure, FailureKind};
use crate::record::ResultText;
use crate::record_writer::{FinishedItem, RecordWriter, too_long};
use crate::task::Task;
use crate::text_options::TextOptions;
use crate::times::{Sampler, SlowestItem};
use crate::value::{FromItem, ToText};
use std::marker::PhantomData;

/// Runs a [`Task`] over blocks of text.
pub struct TextTask<T, I> {
    task: T,
    options: TextOptions,
    buffers: RunBuffers,
    input: PhantomData<fn() -> I>,
}

impl<T, I> TextTask<T, I> {
    /// A block task that runs `task`.
    pub fn new(task: T, options: TextOptions) -> Self {
        Self { task, options, buffers: RunBuffers::default(), input: PhantomData }
    }
}

/// Buffers and samples that are kept between blocks.
#[derive(Default)]
pub struct RunBuffers {
    /// The current item's result; kept for its memory.
    result: Vec<u8>,
    sampler: Sampler,
}

/// The number of an item's run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemAttempt {
    /// The index of the item in the input.
    pub index: u64,
    /// How many times the item was started, by any worker, including this time.
    pub number: u32,
    /// The maximum size of the item's result, in bytes.
    pub max_result: usize,
}

/// Runs an item for [`run_items`]. Every [`Task`] implements it. A type that needs
/// more of the item than its bytes, or that reports other failures than `failed`,
/// implements it directly.
pub trait RunItem<'a> {
    /// A parsed item; it may borrow from the block.
    type Input;
    /// The result.
    type Output: ToText;

    /// Parses an item.
    ///
    /// # Errors
    /// The item is not valid.
    fn read(&self, item: &'a [u8]) -> Result<Self::Input, Failure>;

    /// Runs an item; `note` sends a message to the user meanwhile.
    ///
    /// # Errors
    /// The item has no result.
    fn run_item(
        &self,
        input: Self::Input,
        attempt: ItemAttempt,
        note: &mut dyn FnMut(&str),
    ) -> Result<Self::Output, Failure>;

    /// The process that ran the last item, if it is not this one.
    #[inline]
    fn child(&self) -> Child {
        Child::default()
    }
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
        T::Input::from_item(item).map_err(|message| Failure::new(FailureKind::Invalid, message))
    }

    #[inline]
    fn run_item(&self, input: T::Input, _: ItemAttempt, _: &mut dyn FnMut(&str)) -> Result<T::Output, Failure> {
        catch_panic(|| self.run(input))?.map_err(Failure::from)
    }
}

impl<T> BlockTask for TextTask<T, T::Input>
where
    T: Task,
    T::Input: for<'a> FromItem<'a>,
    T::Output: ToText,
{
    fn run(&mut self, block: &Block<'_>, reply: &mut Reply<'_>) -> Result<(), String> {
        let Self { task, options, buffers, .. } = self;
        run_items(task, options, buffers, block, reply)
    }
}

/// Runs all items of a block: the loop that is common to all tasks which run one
/// item after the other.
///
/// # Errors
/// The block does not hold the items that it announces.
pub fn run_items<R: for<'a> RunItem<'a>>(
    task: &R,
    options: &TextOptions,
    buffers: &mut RunBuffers,
    block: &Block<'_>,
    reply: &mut Reply<'_>,
) -> Result<(), String> {
    match BlockItems::of(options, block.bytes) {
        None => run_each(task, options, buffers, block, reply, plain_items(options.items, block.bytes)),
        Some(items) => run_each(task, options, buffers, block, reply, items.iter(block.bytes)),
    }
}

fn run_each<'a, R: RunItem<'a>>(
    task: &R,
    options: &TextOptions,
    buffers: &mut RunBuffers,
    block: &Block<'_>,
    reply: &mut Reply<'_>,
    items: impl Iterator<Item = BlockItem<'a>>,
) -> Result<(), String> {
    let writer = RecordWriter::new(options, block);
    let max_result = reply.max_result();
    let RunBuffers { result, sampler } = buffers;
    let mut done: u32 = 0;
    for BlockItem { at, length, item, invalid } in items {
        let index = block.first + u64::from(done);
        let sampled = sampler.is_due();
        let timed = sampled || block.log;
        let began_ns = reply.item_starts(index, timed);
        let input = invalid.map_or_else(|| task.read(item), |failure| Err(failure.clone()));
        let read_ns = if sampled { reply.host().now_ns() } else { 0 };
        let attempt = ItemAttempt { index, number: block.attempt, max_result };
        let mut outcome = input.and_then(|input| task.run_item(input, attempt, &mut |text| reply.note(text)));
        let (mut start_ns, mut runs) = (began_ns, 1);
        if outcome.as_ref().is_err_and(|failure| reply.tries_again(failure.kind, runs)) {
            let item = BlockItem { at, length, item, invalid };
            (outcome, start_ns, runs) = run_again(task, &item, attempt, (outcome, began_ns), &writer, reply);
        }
        let end_ns = if timed { reply.host().now_ns() } else { 0 };
        result.clear();
        let mut is_json = false;
        if let Ok(output) = &outcome {
            is_json = output.is_json();
            output.write_text(result);
        }
        if result.len() > max_result {
            outcome = Err(too_long(result.len(), max_result));
        }
        let text = match &outcome {
            Ok(_) => Ok(ResultText { text: result, is_json }),
            Err(failure) => Err(failure),
        };
        let child = task.child();
        writer.write(
            reply,
            &FinishedItem { index, at, length, input: item, outcome: text, runs, start_ns, end_ns, child },
        );
        if block.log {
            reply.answer().slowest.consider(SlowestItem { index, ns: end_ns.saturating_sub(start_ns) });
        }
        if sampled {
            let written_ns = reply.host().now_ns();
            reply.answer().samples.add(&[began_ns, read_ns, end_ns, written_ns]);
            let item_ns = written_ns.saturating_sub(began_ns);
            sampler.took(item_ns);
            reply.item_took(item_ns);
        }
        done += 1;
        reply.item_done(block.log.then_some(end_ns));
    }
    if done == block.items { Ok(()) } else { Err(format!("the block holds {done} items instead of {}", block.items)) }
}

/// Runs a failed item again, as often as it may be. Returns its last outcome, the
/// start of its last run, and the number of its runs. The log has the runs before. An
/// invalid item would be invalid again.
#[cold]
fn run_again<'a, R: RunItem<'a>>(
    task: &R,
    &BlockItem { at, length, item, .. }: &BlockItem<'a>,
    first: ItemAttempt,
    (mut outcome, mut start_ns): (Result<R::Output, Failure>, u64),
    writer: &RecordWriter<'_>,
    reply: &mut Reply<'_>,
) -> (Result<R::Output, Failure>, u64, u32) {
    let (mut runs, index, logs) = (1, first.index, writer.logs());
    loop {
        match &outcome {
            Err(failure) if reply.tries_again(failure.kind, runs) => {
                let end_ns = if logs { reply.host().now_ns() } else { 0 };
                let (child, outcome) = (task.child(), Err(failure));
                let lost = FinishedItem { index, at, length, input: item, outcome, runs, start_ns, end_ns, child };
                writer.write_lost_run(reply, &lost);
            }
            _ => return (outcome, start_ns, runs),
        }
        let attempt = ItemAttempt { number: first.number.saturating_add(runs), ..first };
        runs += 1;
        start_ns = reply.item_starts_again(index, logs);
        outcome = task.read(item).and_then(|input| task.run_item(input, attempt, &mut |text| reply.note(text)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Again, Answer, Draft, Format, Host, Identity, Items, TaskError};
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::{Arc, Mutex};

    struct RejectsSome;

    impl Task for RejectsSome {
        type Input = u64;
        type Output = u64;
        fn name(&self) -> &str {
            "rejects-some"
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
    struct RecordingHost {
        clock: u64,
        sent: Vec<(u32, Vec<u8>)>,
    }

    impl Host for RecordingHost {
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

    fn run(bytes: &[u8], items: u32, each: bool) -> (Answer, RecordingHost, Result<(), String>) {
        let options = TextOptions {
            items: Items::Words,
            table: None,
            format: Format::Tsv,
            show: true,
            identity: Identity::new(9, "h", 0),
        };
        let mut host = RecordingHost::default();
        let mut answer = Answer::default();
        let block = Block { first: 10, items, chunk: 0, attempt: 1, log: true, bytes };
        let mut reply = Reply::new(&mut host, &mut answer, each, 1 << 20);
        let ended = TextTask::new(RejectsSome, options).run(&block, &mut reply);
        reply.finish();
        (answer, host, ended)
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
    fn each_item_is_sent_on_request() {
        let (answer, host, _) = run(b"1 2 3", 3, true);
        assert_eq!(host.sent, [(1, b"1\t2\n".to_vec()), (1, b"2\t3\n".to_vec()), (1, b"3\t4\n".to_vec())]);
        assert_eq!(answer.items, 0);
    }

    /// Fails on each item until its third run.
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

    fn failed(times: Option<u32>) -> Again {
        Again { times, failed: true, crashed: false }
    }

    fn run_third(again: Again) -> Answer {
        let identity = Identity::new(9, "h", 0);
        let options = TextOptions { items: Items::Words, table: None, format: Format::Tsv, show: false, identity };
        let (mut host, mut answer) = (RecordingHost::default(), Answer::default());
        let block = Block { first: 0, items: 2, chunk: 0, attempt: 4, log: true, bytes: b"7 x" };
        let mut reply = Reply::new(&mut host, &mut answer, false, 1 << 20).trying(again);
        TextTask::new(Third(0.into()), options).run(&block, &mut reply).unwrap();
        reply.finish();
        answer
    }

    #[test]
    fn failed_items_are_retried_as_often_as_allowed_and_invalid_ones_never() {
        for (again, attempts) in [(Again::NEVER, 1), (failed(Some(1)), 2)] {
            let answer = run_third(again);
            assert!(answer.outputs.starts_with(b"7\t\tfailed: not yet\n"), "{again:?}");
            assert_eq!(answer.failures.iter().map(|f| f.attempts).collect::<Vec<_>>(), [attempts, 1]);
        }
        for again in [failed(Some(2)), failed(None)] {
            let answer = run_third(again);
            assert!(answer.outputs.starts_with(b"7\t7\nx\t\tinvalid"), "{again:?}");
            let log = String::from_utf8(answer.log).unwrap();
            let outcomes = log.lines().filter(|line| line.starts_with("{\"item\":"));
            let attempts: Vec<_> = outcomes.map(|line| line.contains("\"attempt\":6")).collect();
            assert_eq!(log.matches("{\"items\":1,\"item\":0,").count(), 2, "{log}");
            assert_eq!(attempts, [true, false], "{log}");
        }
    }

    /// A task that looks at the draft while its item runs, as a watchdog would.
    struct LooksAtDraft(Arc<Mutex<Draft>>);

    impl Task for LooksAtDraft {
        type Input = u64;
        type Output = String;
        fn name(&self) -> &str {
            "looks-at-draft"
        }
        fn run(&self, _: u64) -> Result<String, TaskError> {
            let draft = self.0.try_lock().expect("nobody holds it while an item runs");
            let index = draft.running.map(|running| running.index);
            Ok(format!("{index:?} after {}", draft.answer.items))
        }
    }

    #[test]
    fn a_shared_draft_is_unlocked_only_while_an_item_runs() {
        let identity = Identity::new(9, "h", 0);
        let options = TextOptions { items: Items::Words, table: None, format: Format::Lines, show: false, identity };
        let (mut host, draft) = (RecordingHost::default(), Arc::new(Mutex::default()));
        let block = Block { first: 10, items: 2, chunk: 0, attempt: 1, log: false, bytes: b"1 2" };
        let mut reply = Reply::shared(&mut host, &draft, false, 1 << 20);
        assert!(draft.try_lock().is_err(), "no item runs yet");
        let mut task = TextTask::new(LooksAtDraft(Arc::clone(&draft)), options);
        task.run(&block, &mut reply).unwrap();
        assert!(draft.try_lock().is_err(), "no item runs any more");
        reply.finish();
        let draft = draft.lock().unwrap();
        assert_eq!(draft.answer.outputs, b"Some(10) after 0\nSome(11) after 1\n");
        assert_eq!(draft.running, None);
    }

    #[test]
    fn a_block_with_a_wrong_number_of_items_is_an_error() {
        assert!(run(b"1 2 3", 4, false).2.is_err());
    }
}
