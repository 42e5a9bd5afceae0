//! Runs one block with a coprocess: sends the items and reads the answers in order,
//! with many items in flight.
//!
//! Answers are collected and recorded later, together. A program of the user may
//! leave out an answer or write a surplus line; then no answer can be assigned to
//! its item. So a batch is accepted only if it has as many answers as requests:
//! nothing is recorded before the whole batch is answered. If that fails, the
//! scheduler sends the items again one at a time.

use super::buffering_detector::{BufferingDetector, hint};
use super::codec::{Asked, Codec, Said};
use super::line_buffer::OutputLine;
use super::program::{Coprocess, describe};
use crate::drain::ReadOutcome;
use crate::stopped::stopped_item_note;
use procession_sys::Ended;
use procession_task::{
    Block, BlockItem, BlockItems, Child, Failure, FailureKind, FinishedItem, ProcessEnd, RecordWriter, Reply,
    ResultText, TextOptions, too_long,
};
use std::collections::VecDeque;
use std::ops::Range;

/// Results of this many bytes are collected before they are recorded.
const GATHERED_BYTES: usize = 64 * 1024;

/// The maximum size of the results that wait for the block's last answer, in bytes.
const HELD_BYTES: usize = 8 * 1024 * 1024;

/// Records and log lines are sent once they have this many bytes.
const PART_BYTES: usize = 128 * 1024;

/// What happened to the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It can take the next block.
    Ready,
    /// It has ended, or was ended.
    Gone,
}

/// An item's outcome that was not recorded yet.
struct ItemResult {
    /// The position of the result in `texts`, and whether it is JSON.
    result: Result<(Range<usize>, bool), Failure>,
    runs: u32,
    start_ns: u64,
    end_ns: u64,
}

/// The state of a block's run. The first `written` items are recorded, then come
/// those with an outcome, then those that were asked for.
pub(super) struct Walk<'a, 'b, 'h, C> {
    codec: &'a C,
    name: &'a str,
    program: &'a mut Coprocess,
    detector: &'a mut BufferingDetector,
    writer: RecordWriter<'a>,
    reply: &'a mut Reply<'h>,
    block: &'b [u8],
    items: Vec<BlockItem<'b>>,
    first: u64,
    /// Whether only one item is in flight at a time: because each is sent by itself, or
    /// may be retried, or must be known as the one that takes too long.
    in_step: bool,
    written: usize,
    outcomes: Vec<ItemResult>,
    texts: Vec<u8>,
    asked: usize,
    /// The number of items that were asked for and not answered.
    in_flight: usize,
    /// Items that no line can hold; they get their failure when it is their turn.
    refused: VecDeque<(usize, Failure)>,
    /// The oldest item without an answer, and its start time.
    oldest: Option<usize>,
    since_ns: u64,
    /// How often that item was asked for; more than once only if one item is in flight
    /// at a time.
    runs: u32,
}

/// What a run needs in addition to its block.
pub(super) struct WalkContext<'a, C> {
    pub(super) codec: &'a C,
    pub(super) name: &'a str,
    pub(super) options: &'a TextOptions,
    pub(super) program: &'a mut Coprocess,
    pub(super) detector: &'a mut BufferingDetector,
}

impl<'a, 'b, 'h, C: Codec> Walk<'a, 'b, 'h, C> {
    /// # Errors
    /// The block does not hold the items that it announces.
    pub(super) fn new(
        context: WalkContext<'a, C>,
        block: &Block<'b>,
        records: Option<&'b BlockItems>,
        reply: &'a mut Reply<'h>,
    ) -> Result<Self, String> {
        let WalkContext { codec, name, options, program, detector } = context;
        let plain = |(at, item): (usize, &'b [u8])| BlockItem { at, length: item.len(), item, invalid: None };
        let items: Vec<_> = match records {
            None => options.items.split(block.bytes).map(plain).collect(),
            Some(records) => records.iter(block.bytes).collect(),
        };
        if items.len() != block.items as usize {
            return Err(format!("the block holds {} items instead of {}", items.len(), block.items));
        }
        program.limit_lines(codec.longest_answer(reply.max_result()));
        detector.reset();
        let must_be_known = !C::HAS_GREETING && reply.is_watched();
        let in_step = reply.is_each() || must_be_known || reply.tries_again(FailureKind::Failed, 1);
        Ok(Self {
            codec,
            name,
            program,
            detector,
            writer: RecordWriter::new(options, block),
            reply,
            block: block.bytes,
            items,
            first: block.first,
            in_step,
            written: 0,
            outcomes: Vec::new(),
            texts: Vec::new(),
            asked: 0,
            in_flight: 0,
            refused: VecDeque::new(),
            oldest: None,
            since_ns: 0,
            runs: 1,
        })
    }

    /// Runs all items.
    ///
    /// # Errors
    /// The program has ended, and this process cannot end in its place.
    pub(super) fn run(mut self) -> Result<After, String> {
        while self.answered() < self.items.len() {
            self.ask();
            self.answer_refused();
            if self.in_flight == 0 {
                continue;
            }
            self.begin_oldest();
            match self.program.wait(self.detector.time_to_check()) {
                ReadOutcome::Some => {
                    if self.take_answers() || self.has_more_to_say() {
                        return Ok(self.fail_rest());
                    }
                    self.record_if_needed();
                }
                ReadOutcome::Nothing => self.check_buffering(),
                ReadOutcome::End => return self.on_end(),
            }
            self.check_stop();
        }
        self.record_outcomes();
        Ok(After::Ready)
    }

    /// The number of items with an outcome.
    fn answered(&self) -> usize {
        self.written + self.outcomes.len()
    }

    /// Whether a program of the user, which has answered every request, writes more.
    fn has_more_to_say(&mut self) -> bool {
        let is_last = self.in_step || self.answered() == self.items.len();
        if C::HAS_GREETING || self.in_flight > 0 || !is_last {
            return false;
        }
        self.program.settle();
        self.program.has_rest()
    }

    /// Sends the next items, as many as fit.
    fn ask(&mut self) {
        let at_once = self.reply.is_watched();
        while self.asked < self.items.len() && !(self.in_step && self.in_flight > 0) {
            let Some(outgoing) = self.program.outgoing() else { break };
            let item = &self.items[self.asked];
            let asked = match item.invalid {
                None => self.codec.ask(&asked(self.block, item), at_once, outgoing),
                Some(failure) => Err(failure.clone()),
            };
            match asked {
                Ok(()) => self.in_flight += 1,
                Err(failure) => self.refused.push_back((self.asked, failure)),
            }
            self.asked += 1;
        }
        self.program.send();
    }

    /// Starts the time of the oldest item without an answer.
    fn begin_oldest(&mut self) {
        if self.oldest != Some(self.answered()) {
            self.oldest = Some(self.answered());
            self.runs = 1;
            let index = self.first + self.answered() as u64;
            self.since_ns = self.reply.item_starts(index, self.writer.logs());
        }
    }

    /// Takes the answers that have arrived; returns `true` if there is a surplus line.
    fn take_answers(&mut self) -> bool {
        self.detector.reset();
        let before = self.outcomes.len();
        while self.in_flight > 0 {
            let max_result = self.reply.max_result();
            let from = self.texts.len();
            let line = self.program.line();
            if let Some(OutputLine::Whole(line)) = &line
                && let Some(name) = self.codec.item_type(line)
            {
                self.reply.item_type(&name);
                continue;
            }
            let said = match line {
                None => break,
                Some(OutputLine::TooLong(bytes)) => Err(too_long(bytes, max_result)),
                Some(OutputLine::Whole(line)) => self.codec.read(line, &mut self.texts),
            };
            self.in_flight -= 1;
            let length = self.texts.len() - from;
            let result = match said {
                Ok(_) if length > max_result => Err(too_long(length, max_result)),
                Ok(Said { is_json }) => Ok((from..from + length, is_json)),
                Err(failure) if self.reply.tries_again(failure.kind, self.runs) => {
                    self.ask_again(&failure);
                    break;
                }
                Err(failure) => Err(failure),
            };
            self.push(result);
            self.answer_refused();
        }
        self.divide_time(before);
        self.in_flight == 0 && (self.program.has_rest() || self.program.has_unsent())
    }

    fn push(&mut self, result: Result<(Range<usize>, bool), Failure>) {
        self.outcomes.push(ItemResult { result, runs: self.runs, start_ns: self.since_ns, end_ns: self.since_ns });
    }

    /// Answers the items that were never sent and whose turn has come.
    fn answer_refused(&mut self) {
        while let Some((_, failure)) = self.refused.pop_front_if(|(at, _)| *at == self.written + self.outcomes.len()) {
            self.push(Err(failure));
        }
    }

    /// Divides the time since the previous answers equally among answers that arrived
    /// together, because their individual times are unknown.
    fn divide_time(&mut self, before: usize) {
        let new = &mut self.outcomes[before..];
        if new.is_empty() || !self.writer.logs() {
            return;
        }
        let span = self.reply.host().now_ns().saturating_sub(self.since_ns);
        let (count, since_ns) = (new.len() as u64, self.since_ns);
        for (nth, outcome) in (0..).zip(new) {
            outcome.start_ns = since_ns + span * nth / count;
            outcome.end_ns = since_ns + span * (nth + 1) / count;
        }
    }

    /// Sends the only item in flight again; its last run has failed.
    fn ask_again(&mut self, failure: &Failure) {
        let at = self.answered();
        let BlockItem { at: begin, length, item, .. } = self.items[at];
        let (index, runs, start_ns) = (self.first + at as u64, self.runs, self.since_ns);
        let (end_ns, child) =
            (self.reply.host().now_ns(), Child { pid: Some(self.program.pid()), is_output_cut: false });
        let outcome = Err(failure);
        let lost = FinishedItem { index, at: begin, length, input: item, outcome, runs, start_ns, end_ns, child };
        self.writer.write_lost_run(self.reply, &lost);
        self.runs += 1;
        self.since_ns = self.reply.item_starts_again(self.first + at as u64, self.writer.logs());
        // The item fitted into a line before, and nothing else is queued.
        if let Some(outgoing) = self.program.outgoing()
            && self.codec.ask(&asked(self.block, &self.items[at]), true, outgoing).is_ok()
        {
            self.in_flight += 1;
        }
    }

    /// The program is silent: checks whether it buffers its output.
    fn check_buffering(&mut self) {
        let (program, lines) = (&*self.program, self.in_flight);
        if self.detector.detects_buffering(program.pid(), || program.unread()) {
            self.reply.warn(&hint(self.name, lines));
        }
    }

    /// Checks whether the program is stopped.
    fn check_stop(&mut self) {
        if let Some(signal) = self.program.reports_stop() {
            let index = self.first + self.answered() as u64;
            self.reply.note(&stopped_item_note(index, self.program.pid(), signal));
        }
    }

    /// Whether answers may turn out to belong to other items.
    fn may_be_misassigned(&self) -> bool {
        !C::HAS_GREETING && !self.in_step
    }

    /// Records the answers if the caller needs them now, or if they are large.
    fn record_if_needed(&mut self) {
        if self.may_be_misassigned() {
            if self.texts.len() >= HELD_BYTES {
                self.record_outcomes();
            }
            return;
        }
        let is_wanted = self.reply.is_each() || self.reply.is_watched();
        if is_wanted || self.texts.len() >= GATHERED_BYTES || self.reply.host().is_due(None) {
            self.record_outcomes();
        }
    }

    fn record_outcomes(&mut self) {
        let child = Child { pid: Some(self.program.pid()), is_output_cut: false };
        let mut left = self.outcomes.len();
        for outcome in self.outcomes.drain(..) {
            let ItemResult { result, runs, start_ns, end_ns } = outcome;
            let BlockItem { at, length, item: input, .. } = self.items[self.written];
            let outcome = match &result {
                Ok((place, is_json)) => Ok(ResultText { text: &self.texts[place.clone()], is_json: *is_json }),
                Err(failure) => Err(failure),
            };
            let index = self.first + self.written as u64;
            self.writer
                .write(self.reply, &FinishedItem { index, at, length, input, outcome, runs, start_ns, end_ns, child });
            self.written += 1;
            left -= 1;
            let answer = self.reply.answer();
            let is_large = answer.outputs.len() + answer.log.len() >= PART_BYTES;
            if left == 0 || is_large || self.reply.is_each() {
                self.reply.item_done(None);
            } else {
                self.reply.items_done(1);
            }
        }
        self.texts.clear();
        self.texts.shrink_to(4 * GATHERED_BYTES);
    }

    /// There was a surplus line: all items that are not recorded fail.
    fn fail_rest(mut self) -> After {
        self.outcomes.clear();
        let failure = Failure::new(
            FailureKind::Failed,
            "the program wrote more lines than it was given, so its lines cannot be assigned to items",
        );
        while self.answered() < self.items.len() {
            self.push(Err(failure.clone()));
        }
        self.record_outcomes();
        self.program.end();
        After::Gone
    }

    /// The program has ended, or has closed its output. If there are items without an
    /// answer, this process ends in the same way.
    fn on_end(mut self) -> Result<After, String> {
        let index = self.first + self.answered() as u64;
        if self.may_be_misassigned() {
            self.outcomes.clear();
        } else if self.in_flight > 0 && self.program.has_rest() {
            self.in_flight -= 1;
            let message = "the program ended within its answer";
            self.push(Err(Failure::new(FailureKind::Failed, message)));
            self.answer_refused();
        }
        self.record_outcomes();
        let ended = self.program.end();
        if self.written == self.items.len() {
            return Ok(After::Gone);
        }
        if self.program.is_cut() {
            self.reply.output_cut(index);
        }
        self.reply.die(match ended {
            Ended::Status(status) => ProcessEnd::Status(status),
            Ended::Signal(signal) => ProcessEnd::Signal(signal),
            // The exit status is unknown, so any failure will do.
            Ended::Unknown => ProcessEnd::Status(1),
        });
        Err(format!(
            "{} {} at item {index}: only worker processes can be replaced, use --procs",
            self.name,
            describe(ended)
        ))
    }
}

/// The item with its place in the block.
fn asked<'b>(block: &'b [u8], item: &BlockItem<'b>) -> Asked<'b> {
    Asked { item: item.item, raw: &block[item.at..item.at + item.length] }
}
