//! A walk through one block: items go to the program, answers come back, in
//! step but many at a time.
//!
//! What is answered is gathered and written down later, in one go. A program
//! that is not ours may leave out an answer or give one too many, and then nobody
//! knows whose the others were: so of what such a program was asked together
//! nothing is written down before all of it is answered, by just as many lines.
//! Where that does not come about, the items are asked for one at a time.

use super::buffering_detector::{BufferingDetector, hint};
use super::codec::{Codec, Said};
use super::line_buffer::OutputLine;
use super::program::{Coprocess, describe};
use crate::drain::ReadOutcome;
use procession_sys::Ended;
use procession_task::{
    Block, Child, Failure, FailureKind, FinishedItem, ProcessEnd, RecordWriter, Reply, ResultText, TextOptions,
    too_long,
};
use std::collections::VecDeque;
use std::ops::Range;

/// So many bytes of results are gathered, before they are written down.
const GATHERED_BYTES: usize = 64 * 1024;

/// So many bytes of results wait for the block's last answer, and no more.
const HELD_BYTES: usize = 8 * 1024 * 1024;

/// Records and log lines of so many bytes are handed over, at the latest.
const PART_BYTES: usize = 128 * 1024;

/// What became of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum After {
    /// It can take the next block.
    Ready,
    /// It has ended, or was ended.
    Gone,
}

/// An item's outcome that was not written down yet.
struct ItemResult {
    /// Where its result stands among the texts, and whether that is JSON.
    result: Result<(Range<usize>, bool), Failure>,
    runs: u32,
    start_ns: u64,
    end_ns: u64,
}

/// A walk; what was written down comes before what was answered, and that
/// before what was asked.
pub(super) struct Walk<'a, 'b, 'h, C> {
    codec: &'a C,
    name: &'a str,
    program: &'a mut Coprocess,
    detector: &'a mut BufferingDetector,
    writer: RecordWriter<'a>,
    reply: &'a mut Reply<'h>,
    items: Vec<(usize, &'b [u8])>,
    first: u64,
    /// Only one item is in flight at a time: each is answered by itself, or may
    /// be asked for again, or must be known to be the one that takes too long.
    in_step: bool,
    written: usize,
    outcomes: Vec<ItemResult>,
    texts: Vec<u8>,
    asked: usize,
    /// Those that were asked for and not answered.
    in_flight: usize,
    /// Items that no line can carry, to be answered when it is their turn.
    refused: VecDeque<(usize, Failure)>,
    /// The oldest item that has no answer, and since when it runs.
    oldest: Option<usize>,
    since_ns: u64,
    /// How often that one was asked for; more than once only in step.
    runs: u32,
}

/// What a walk needs beside its block.
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
    pub(super) fn new(means: WalkContext<'a, C>, block: &Block<'b>, reply: &'a mut Reply<'h>) -> Result<Self, String> {
        let WalkContext { codec, name, options, program, detector } = means;
        let items: Vec<_> = options.items.split(block.bytes).collect();
        if items.len() != block.items as usize {
            return Err(format!("the block holds {} items instead of {}", items.len(), block.items));
        }
        program.limit_lines(codec.longest_answer(reply.max_result()));
        detector.calm();
        let must_be_known = !C::GREETS && reply.is_watched();
        let in_step = reply.is_each() || must_be_known || reply.tries_again(FailureKind::Failed, 1);
        Ok(Self {
            codec,
            name,
            program,
            detector,
            writer: RecordWriter::new(options, block),
            reply,
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

    /// Goes through all of it.
    ///
    /// # Errors
    /// The program has ended, and so can nobody else here.
    pub(super) fn run(mut self) -> Result<After, String> {
        while self.answered() < self.items.len() {
            self.ask();
            self.answer_refused();
            if self.in_flight == 0 {
                continue;
            }
            self.begin_oldest();
            match self.program.wait(self.detector.patience()) {
                ReadOutcome::Some => {
                    if self.take_answers() || self.has_more_to_say() {
                        return Ok(self.give_up());
                    }
                    self.write_down_in_time();
                }
                ReadOutcome::Nothing => self.suspect(),
                ReadOutcome::End => return self.bury(),
            }
        }
        self.write_down();
        Ok(After::Ready)
    }

    /// How many items have an outcome.
    fn answered(&self) -> usize {
        self.written + self.outcomes.len()
    }

    /// Whether the program, which has answered all that it was asked, says more.
    /// Ours does not.
    fn has_more_to_say(&mut self) -> bool {
        let is_last = self.in_step || self.answered() == self.items.len();
        if C::GREETS || self.in_flight > 0 || !is_last {
            return false;
        }
        self.program.settle();
        self.program.has_rest()
    }

    /// Asks for the next items, as many as have room.
    fn ask(&mut self) {
        let at_once = self.reply.is_watched();
        while self.asked < self.items.len() && !(self.in_step && self.in_flight > 0) {
            let Some(outgoing) = self.program.outgoing() else { break };
            match self.codec.ask(self.items[self.asked].1, at_once, outgoing) {
                Ok(()) => self.in_flight += 1,
                Err(failure) => self.refused.push_back((self.asked, failure)),
            }
            self.asked += 1;
        }
        self.program.send();
    }

    /// The time of the oldest item that has no answer begins.
    fn begin_oldest(&mut self) {
        if self.oldest != Some(self.answered()) {
            self.oldest = Some(self.answered());
            self.runs = 1;
            let index = self.first + self.answered() as u64;
            self.since_ns = self.reply.item_starts(index, self.writer.logs());
        }
    }

    /// Takes the answers that have come; `true` if there is more than answers.
    fn take_answers(&mut self) -> bool {
        self.detector.calm();
        let before = self.outcomes.len();
        while self.in_flight > 0 {
            let max_result = self.reply.max_result();
            let from = self.texts.len();
            let said = match self.program.line() {
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
                    self.ask_again();
                    break;
                }
                Err(failure) => Err(failure),
            };
            self.push(result);
            self.answer_refused();
        }
        self.share_out_time(before);
        self.in_flight == 0 && (self.program.has_rest() || self.program.has_unsent())
    }

    fn push(&mut self, result: Result<(Range<usize>, bool), Failure>) {
        self.outcomes.push(ItemResult { result, runs: self.runs, start_ns: self.since_ns, end_ns: self.since_ns });
    }

    /// Answers the items whose turn it is and that were never asked for.
    fn answer_refused(&mut self) {
        while let Some((_, failure)) = self.refused.pop_front_if(|(at, _)| *at == self.written + self.outcomes.len()) {
            self.push(Err(failure));
        }
    }

    /// Answers that came together came at some time since the one before: each
    /// of them took as much of it as any other, for all that is known.
    fn share_out_time(&mut self, before: usize) {
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

    /// Asks once more for the only item that is in flight.
    fn ask_again(&mut self) {
        let at = self.answered();
        self.runs += 1;
        self.since_ns = self.reply.item_starts_again(self.first + at as u64, self.writer.logs());
        // What could be asked once can be asked again, and there is room: nothing else waits.
        if let Some(outgoing) = self.program.outgoing()
            && self.codec.ask(self.items[at].1, true, outgoing).is_ok()
        {
            self.in_flight += 1;
        }
    }

    /// The program says nothing: perhaps it is told why.
    fn suspect(&mut self) {
        let (program, lines) = (&*self.program, self.in_flight);
        if self.detector.is_ripe(program.pid(), || program.unread()) {
            self.reply.note(&hint(self.name, lines));
        }
    }

    /// Whether answers may turn out to be somebody else's.
    fn is_doubtful(&self) -> bool {
        !C::GREETS && !self.in_step
    }

    /// Writes down what is answered, if somebody waits for it.
    fn write_down_in_time(&mut self) {
        if self.is_doubtful() {
            if self.texts.len() >= HELD_BYTES {
                self.write_down();
            }
            return;
        }
        let is_wanted = self.reply.is_each() || self.reply.is_watched();
        if is_wanted || self.texts.len() >= GATHERED_BYTES || self.reply.host().is_due(None) {
            self.write_down();
        }
    }

    fn write_down(&mut self) {
        let child = Child { pid: Some(self.program.pid()), is_output_cut: false };
        let mut left = self.outcomes.len();
        for outcome in self.outcomes.drain(..) {
            let ItemResult { result, runs, start_ns, end_ns } = outcome;
            let (at, input) = self.items[self.written];
            let outcome = match &result {
                Ok((place, is_json)) => Ok(ResultText { text: &self.texts[place.clone()], is_json: *is_json }),
                Err(failure) => Err(failure),
            };
            let index = self.first + self.written as u64;
            self.writer.write(self.reply, &FinishedItem { index, at, input, outcome, runs, start_ns, end_ns, child });
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

    /// There was an answer too many: what was not written down fails.
    fn give_up(mut self) -> After {
        self.outcomes.clear();
        let failure = Failure::new(
            FailureKind::Failed,
            "the program wrote more lines than it was given, so nobody knows which belongs to which item",
        );
        while self.answered() < self.items.len() {
            self.push(Err(failure.clone()));
        }
        self.write_down();
        self.program.end();
        After::Gone
    }

    /// The program has ended, or says nothing more: so does this process, if
    /// there are items without an answer.
    fn bury(mut self) -> Result<After, String> {
        let index = self.first + self.answered() as u64;
        if self.is_doubtful() {
            self.outcomes.clear();
        } else if self.in_flight > 0 && self.program.has_rest() {
            self.in_flight -= 1;
            let message = "the program ended in the middle of its answer";
            self.push(Err(Failure::new(FailureKind::Failed, message)));
            self.answer_refused();
        }
        self.write_down();
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
            // It was there, and nobody knows how it went.
            Ended::Unknown => ProcessEnd::Status(1),
        });
        Err(format!(
            "{} {} at item {index}: outside of a process of its own nobody can take over, use --procs",
            self.name,
            describe(ended)
        ))
    }
}
