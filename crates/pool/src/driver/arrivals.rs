//! What comes from workers: messages, words for people, and their end.

use super::held::{Piece, cost};
use super::inbox::Arrival;
use super::process::{Death, Phase, Process, Stream, exit, is_out_of_memory};
use super::{Driver, Happened};
use crate::PoolError;
use crate::events::{Accepted, Event, WorkerExit};
use crate::raw::{Block, Delivery, ItemFailure};
use bytes::Bytes;
use procession_scheduler::{Action, AttemptId, Fault, WorkerId};
use procession_task::{FailureAt, FailureKind, MESSAGE_BYTES, escape_terminal};
use procession_wire::frame::{HELLO_LIMIT, PAYLOAD_LIMIT, show};
use procession_wire::{AnswerHead, FromWorker, Hello, PROTOCOL, Tails, WireError};
use std::ops::Range;
use std::time::Duration;

/// Most reads from one worker before the others have their turn.
const READS: usize = 8;
/// So many bytes are read of a worker that has ended, or is to be judged, and
/// the frame that they end in: more than its pipe holds, so that whatever it had
/// written by then is heard. What it, or a grandchild, goes on to write is not
/// waited for: the others have their turn.
const LAST_BYTES: u64 = 2 << 20;
/// Most reads of the last it says to people: more than that pipe holds.
const LAST_STDERR_READS: usize = 64;
/// How long a worker that has closed its pipe may take to end.
const LAST_WORDS_TIME: Duration = Duration::from_secs(1);
/// How much of the version of a program is shown that speaks another protocol.
const VERSION_CHARS: usize = 64;

impl Driver {
    /// Reads from a worker and handles its messages.
    pub(super) fn read_messages(&mut self, id: WorkerId) {
        for _ in 0..READS {
            if self.read_once(id) != Some(Stream::Open) {
                break;
            }
        }
    }

    /// Reads from every worker until nothing is left to be heard.
    pub(super) fn hear_all(&mut self) {
        let ids: Vec<WorkerId> = self.workers.keys().copied().collect();
        for id in ids {
            self.read_rest(id);
        }
    }

    /// Reads all that is in a worker's pipe now.
    fn read_rest(&mut self, id: WorkerId) {
        let heard = |driver: &Self| driver.workers.get(&id).map_or(u64::MAX, |worker| worker.inbox.heard());
        let end = heard(self).saturating_add(LAST_BYTES);
        while heard(self) < end && self.read_once(id) == Some(Stream::Open) {}
    }

    /// Reads once; `None` when there is nothing more at the moment.
    fn read_once(&mut self, id: WorkerId) -> Option<Stream> {
        let worker = self.workers.get_mut(&id)?;
        if worker.stdout == Stream::Closed {
            return Some(Stream::Closed);
        }
        match worker.inbox.read_from(&worker.child.stdout) {
            Ok(Arrival::Full) => {
                self.handle_messages(id);
                Some(Stream::Open)
            }
            Ok(Arrival::Rest) => {
                self.handle_messages(id);
                None
            }
            Ok(Arrival::End) | Err(_) => {
                self.handle_messages(id);
                self.workers.get_mut(&id)?.stdout = Stream::Closed;
                self.expect_end(id);
                Some(Stream::Closed)
            }
        }
    }

    fn handle_messages(&mut self, id: WorkerId) {
        loop {
            let Some(worker) = self.workers.get_mut(&id) else { return };
            if worker.stdout == Stream::Closed {
                // What it said before was so wrong that the rest is not heard.
                return;
            }
            let limit = if matches!(worker.phase, Phase::Silent) { HELLO_LIMIT } else { PAYLOAD_LIMIT };
            match worker.inbox.next(limit) {
                Ok(Some((message, tails, payload))) => self.on_message(id, message, &tails, &payload),
                Ok(None) => return,
                Err(error @ WireError::Marker(_)) => return worker.broke_protocol(error),
                Err(error) => {
                    let head = show(worker.inbox.unread());
                    return worker.broke_protocol(format_args!("{error}: {head}"));
                }
            }
        }
    }

    pub(super) fn on_message(&mut self, id: WorkerId, message: FromWorker, tails: &Tails, payload: &Bytes) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        match (message, &worker.phase) {
            (FromWorker::Hello(hello), Phase::Silent) => self.on_hello(id, hello),
            (_, Phase::Silent) => worker.broke_protocol("it did not begin with a hello"),
            (FromWorker::Answer(head), Phase::Ready) => self.on_answer(id, head, tails, payload),
            (FromWorker::Aborting { attempt, offset, kind }, Phase::Ready) => {
                let fault = match kind {
                    FailureKind::TimedOut => Fault::TimedOut,
                    FailureKind::OutOfMemory => Fault::OutOfMemory,
                    _ => Fault::Crashed,
                };
                self.handle(Happened::Aborting { worker: id, attempt: AttemptId(attempt), offset, fault });
            }
            (FromWorker::Note { text }, Phase::Ready) => self.on_note(id, &text),
            (FromWorker::OutputCut { attempt, item }, Phase::Ready) => self.on_output_cut(id, AttemptId(attempt), item),
            (FromWorker::Again { attempt }, Phase::Ready) => self.on_again(id, AttemptId(attempt)),
            (FromWorker::Refused { message, .. }, Phase::Ready) => {
                let said = &message.as_bytes()[..message.len().min(MESSAGE_BYTES)];
                self.error.get_or_insert(PoolError::Refused(escape_terminal(said)));
                self.ending = true;
                self.handle(Happened::Terminate);
            }
            // Unasked it would leave whoever waits for its answers waiting for ever.
            (FromWorker::Farewell(farewell), Phase::Ready) if worker.given.asked => {
                worker.phase = Phase::Done(farewell, self.settings.clock.now());
            }
            // Nobody is asked whether it is alive, so nobody has to say so, and without end.
            (FromWorker::Alive | FromWorker::Hello(_) | FromWorker::Farewell(_), _) | (_, Phase::Done(..)) => {
                worker.broke_protocol("it spoke out of turn");
            }
        }
    }

    fn on_hello(&mut self, id: WorkerId, hello: Hello) {
        let at = self.now();
        let Some(worker) = self.workers.get_mut(&id) else { return };
        if hello.protocol != PROTOCOL {
            let version: String = hello.version.chars().take(VERSION_CHARS).collect();
            let version = escape_terminal(version.as_bytes());
            return worker.refuse(&format!(
                "its program speaks protocol {} (version {version}), this one speaks protocol {PROTOCOL} (version {})",
                hello.protocol,
                env!("CARGO_PKG_VERSION"),
            ));
        }
        worker.phase = Phase::Ready;
        if !self.settings.clock.is_paused() {
            // Else it is told with all others when they go on, and not set going now.
            worker.tell_held(self.settings.clock.epoch_ns());
        }
        let who = worker.who;
        if let Some(asked) = &self.settings.tasks {
            // Who has heard enough has stopped listening.
            let _ = asked.send(hello.tasks);
        }
        self.observe(&Event::WorkerReady { worker: who, host: hello.host, at });
        self.handle(Happened::WorkerReady { worker: id });
    }

    fn on_answer(&mut self, id: WorkerId, head: AnswerHead, tails: &Tails, payload: &Bytes) {
        let at = self.now();
        let (attempt, items) = (AttemptId(head.attempt), head.items);
        let busy = Duration::from_nanos(head.busy_ns);
        let accepted = match self.piece(id, head, tails, payload, at) {
            Ok(accepted) => accepted,
            Err(what) => {
                if let Some(worker) = self.workers.get_mut(&id) {
                    worker.broke_protocol(what);
                }
                return;
            }
        };
        if accepted.is_none() {
            self.note_answered(id, attempt, items);
        }
        let bytes = self.judged.as_ref().map_or(0, |piece| piece.bytes);
        let now = self.judged();
        self.scheduler.handle_event(now, Happened::Answered { worker: id, attempt, items, bytes, busy });
        // The verdict is the first action after the answer.
        let Some(verdict) = self.scheduler.poll_action() else { return };
        if let (Action::Accept { .. }, Some(accepted)) = (&verdict, accepted) {
            self.note_accepted(id, attempt, accepted);
        }
        self.act(verdict);
        self.drain();
    }

    /// A worker has something to say to the person who waits. It is as trusted
    /// as what it writes to its standard error, and bounded in the same way.
    fn on_note(&mut self, id: WorkerId, text: &str) {
        let at = self.now();
        let Some(worker) = self.workers.get(&id) else { return };
        let who = worker.who;
        let said = &text.as_bytes()[..text.len().min(MESSAGE_BYTES)];
        self.observe(&Event::Note { worker: who, text: escape_terminal(said), at });
        self.on_preparing(id);
    }

    /// The output of an item that a worker has not answered yet may be cut.
    fn on_output_cut(&mut self, id: WorkerId, attempt: AttemptId, item: u64) {
        let at = self.now();
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let known = worker.given.attempts.iter().find(|known| known.id == attempt);
        if !known.is_some_and(|known| (known.next..known.next + u64::from(known.left)).contains(&item)) {
            return worker.broke_protocol("it told of the output of an item that it was not given");
        }
        let who = worker.who;
        self.observe(&Event::OutputCut { worker: who, item, at });
    }

    /// Who speaks before its first answer is making ready what its task needs,
    /// and no item has begun: until then it is not silent.
    fn on_preparing(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id).filter(|worker| worker.items == 0) else { return };
        if let Some(attempt) = worker.given.attempts.front().map(|attempt| attempt.id) {
            self.handle(Happened::ItemRestarted { worker: id, attempt });
        }
    }

    /// A worker runs an item once more, which it may so many times and no more:
    /// else one that does nothing but say so would never be found.
    fn on_again(&mut self, id: WorkerId, attempt: AttemptId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let known = worker.given.attempts.iter_mut().find(|known| known.id == attempt);
        let Some(known) = known.filter(|known| known.agains != Some(0)) else {
            return worker.broke_protocol("it ran an item again that it should not have");
        };
        known.agains = known.agains.map(|left| left - 1);
        self.handle(Happened::ItemRestarted { worker: id, attempt });
    }

    /// Counts accepted results and lets observers hear of them.
    fn note_accepted(&mut self, id: WorkerId, attempt: AttemptId, accepted: Accepted) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        worker.items += u64::from(accepted.items);
        if self.note_answered(id, attempt, accepted.items)
            && let Some(worker) = self.workers.get_mut(&id)
        {
            worker.chunks += 1;
        }
        if !self.settings.observers.is_empty() {
            self.observe(&Event::Accepted(accepted));
        }
    }

    /// The next items of an attempt are answered, also where its job is gone;
    /// says whether those were its last.
    fn note_answered(&mut self, id: WorkerId, attempt: AttemptId, items: u32) -> bool {
        let Some(worker) = self.workers.get_mut(&id) else { return false };
        let attempts = &mut worker.given.attempts;
        let Some(at) = attempts.iter().position(|known| known.id == attempt) else { return false };
        let known = &mut attempts[at];
        known.next += u64::from(items);
        known.left = known.left.saturating_sub(items);
        let is_last = known.left == 0;
        if is_last {
            attempts.remove(at);
        }
        is_last
    }

    /// Makes of an answer what is kept if the scheduler accepts it, and what
    /// observers hear then; `None` for an answer to nothing that is known.
    fn piece(
        &mut self,
        id: WorkerId,
        head: AnswerHead,
        tails: &Tails,
        payload: &Bytes,
        at: Duration,
    ) -> Result<Option<Accepted>, &'static str> {
        self.judged = None;
        let Some(worker) = self.workers.get(&id) else { return Ok(None) };
        let Some(attempt) = worker.given.attempts.iter().find(|a| a.id.0 == head.attempt) else { return Ok(None) };
        let held = self.jobs.get_mut(&attempt.job).and_then(|job| job.chunk(attempt.chunk));
        let Some(block) = held.and_then(|held| held.block.as_ref()) else { return Ok(None) };
        let outputs = records(payload, tails.main.clone());
        let failed = u32::try_from(head.failures.len()).unwrap_or(u32::MAX);
        let failures =
            failures(head.failures, attempt.next, head.items, block, attempt.at, outputs.len(), worker.who.pid)?;
        let bytes = cost(&outputs, &failures);
        let accepted = Accepted {
            worker: worker.who,
            chunk: attempt.chunk.0,
            first: attempt.next,
            items: head.items,
            failed,
            attempt: attempt.tries,
            busy: Duration::from_nanos(head.busy_ns),
            log: payload.slice(tails.log.clone()),
            shown: payload.slice(tails.shown.clone()),
            at,
        };
        let delivery = Delivery { first: attempt.next, items: head.items, outputs, failures };
        self.judged = Some(Piece { delivery, bytes });
        Ok(Some(accepted))
    }

    /// Reads what a worker says to people.
    pub(super) fn read_stderr(&mut self, id: WorkerId) {
        self.read_stderr_times(id, READS);
    }

    fn read_stderr_times(&mut self, id: WorkerId, times: usize) {
        for _ in 0..times {
            let Some(worker) = self.workers.get_mut(&id) else { return };
            let who = worker.who;
            let Some(bytes) = worker.read_stderr() else { return };
            self.observe(&Event::Stderr { worker: who, bytes });
        }
    }

    /// A worker has ended: hears what it still said, then reports its end.
    pub(super) fn reap(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let Some((ended, usage)) = worker.child.try_reap() else { return };
        self.read_rest(id);
        self.mute.remove(&id);
        self.read_stderr_times(id, LAST_STDERR_READS);
        let Some(worker) = self.workers.remove(&id) else { return };
        let at = self.now();
        let exit = exit(ended);
        let (farewell, told_at) = match worker.phase {
            Phase::Done(farewell, at) => (Some(farewell), Some(at)),
            Phase::Silent | Phase::Ready => (None, None),
        };
        let cause = worker.cause(exit);
        if matches!(worker.phase, Phase::Silent) {
            self.trouble = format!("{} {}", self.settings.program.display(), trouble(&worker, &cause));
        }
        self.observe(&Event::WorkerExited(WorkerExit {
            worker: worker.who,
            exit,
            asked: worker.given.asked || self.ending,
            cpu_user: usage.user,
            cpu_system: usage.system,
            peak_memory: farewell.map(|f| f.peak_memory),
            times: farewell.map(|f| f.times),
            told_at,
            items: worker.items,
            chunks: worker.chunks,
            at,
        }));
        let limits = worker.given.limits;
        self.death = Some((id, Death { who: worker.who, cause, exit, attempts: worker.given.attempts }));
        let fault = if is_out_of_memory(limits, exit) { Fault::OutOfMemory } else { Fault::Crashed };
        self.handle(Happened::WorkerEnded { worker: id, fault });
    }

    /// Writes to a worker what it takes.
    pub(super) fn write(&mut self, id: WorkerId) {
        if self.workers.get_mut(&id).is_some_and(|worker| !worker.write()) {
            self.expect_end(id);
        }
    }

    /// A worker has closed one of its pipes: it is ending, and may say why, or
    /// it must be ended.
    fn expect_end(&mut self, id: WorkerId) {
        let deadline = self.judged().since_start() + LAST_WORDS_TIME;
        self.mute.entry(id).or_insert(deadline);
    }

    /// Ends workers that closed a pipe and did not end.
    pub(super) fn end_mute(&mut self, now: Duration) {
        for (id, _) in self.mute.extract_if(.., |_, deadline| *deadline <= now).collect::<Vec<_>>() {
            if let Some(worker) = self.workers.get_mut(&id) {
                worker.end("its process closed its pipes and did not end");
            }
        }
    }
}

/// An answer's records. They may be held for long: where they are the smaller
/// part of the answer, they don't hold the rest, its log lines mostly.
fn records(payload: &Bytes, range: Range<usize>) -> Bytes {
    if range.len() < payload.len() / 2 { Bytes::copy_from_slice(&payload[range]) } else { payload.slice(range) }
}

/// The failures of an answer, checked against what it answers: so many items
/// from `next` on, which stand in the block from its byte `at` on.
pub(crate) fn failures(
    failures: Vec<FailureAt>,
    next: u64,
    items: u32,
    block: &Block,
    at: usize,
    outputs: usize,
    pid: u32,
) -> Result<Vec<ItemFailure>, &'static str> {
    let within = |(at, length): (u32, u32), offset: usize, end: usize| {
        let range = offset + at as usize..offset + at as usize + length as usize;
        if range.end <= end { Ok(range) } else { Err("a failure lies outside of its answer") }
    };
    let mut list = Vec::with_capacity(failures.len());
    let mut due = next..next + u64::from(items);
    // Places go on from failure to failure: none is counted from the block's beginning.
    let (mut place, mut counted) = (block.place, 0);
    for failed in failures {
        if !due.contains(&failed.item) {
            return Err("a failure of an item that was not asked for, or out of order");
        }
        due.start = failed.item + 1;
        let input = within(failed.input, at, block.bytes.len())?;
        let since = block.bytes.get(counted..input.start).ok_or("failures overlap in their block")?;
        place = place.map(|place| place.after(since));
        counted = input.start;
        list.push(ItemFailure {
            item: failed.item,
            place,
            input: block.bytes.slice(input),
            // Cut again: what says that it was cut may lie.
            failure: failed.failure.cut(),
            record: within(failed.record, 0, outputs)?,
            pid,
            attempts: failed.attempts,
        });
    }
    Ok(list)
}

/// Why a worker never became ready, with what it said.
fn trouble(worker: &Process, cause: &str) -> String {
    let words = String::from_utf8_lossy(&worker.last_words);
    let unread = worker.inbox.unread();
    if !unread.is_empty() && worker.ended_by_us.is_none() {
        return format!("was started, but {cause} before it was ready; it wrote: {}", show(unread));
    }
    let mut last: Vec<&str> = words.lines().rev().filter(|line| !line.trim().is_empty()).take(3).collect();
    last.reverse();
    if last.is_empty() {
        return format!("was started, but {cause} before it was ready, without a word");
    }
    format!("was started, but {cause} before it was ready; it said: {}", escape_terminal(last.join(" / ").as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::process::Attempt;
    use crate::raw::Place;
    use procession_scheduler::{ChunkId, JobId};
    use procession_task::Failure;

    #[test]
    fn records_do_not_hold_what_is_larger_than_they() {
        let payload = Bytes::from(vec![7; 100]);
        assert_eq!(records(&payload, 10..50), payload[10..50]);
        let few = records(&payload, 10..50);
        assert!(payload.is_unique() && few.len() == 40);
        let many = records(&payload, 10..90);
        assert!(!payload.is_unique() && many.len() == 80);
    }

    /// Why a worker is ended that says this after its hello.
    fn ended_for(message: FromWorker) -> Option<String> {
        let settings = crate::driver::Settings {
            options: procession_scheduler::PoolOptions::new(1),
            tasks: None,
            program: "/bin/sh".into(),
            arguments: Vec::new(),
            window: crate::limits::WINDOW_BYTES,
            observers: Vec::new(),
            clock: crate::clock::Clock::start(),
            watch: crate::phases::DriverWatch::start(crate::phases::DriverPhase::Waiting),
        };
        let mut driver = Driver::new(settings, crate::mailbox::Mailbox::new().unwrap().into());
        driver.drain();
        driver.bear_some();
        let id = WorkerId(0);
        let (version, host) = (String::new(), String::new());
        let hello = Hello { protocol: PROTOCOL, version, pid: 1, host, tasks: Vec::new() };
        for message in [FromWorker::Hello(hello), message] {
            assert_eq!(driver.workers[&id].ended_by_us, None);
            driver.on_message(id, message, &Tails::default(), &Bytes::new());
        }
        driver.workers[&id].ended_by_us.clone()
    }

    #[test]
    fn what_nobody_asked_for_ends_the_worker() {
        let farewell = FromWorker::Farewell(procession_wire::Farewell::default());
        for (message, why) in [
            (farewell, "it spoke out of turn"),
            (FromWorker::OutputCut { attempt: 0, item: 0 }, "it told of the output of an item that it was not given"),
        ] {
            assert_eq!(ended_for(message), Some(format!("its process broke the protocol: {why}")));
        }
    }

    /// Lines of a bare `x`, of which the first is not asked for.
    fn block(items: u32) -> (Block, Attempt) {
        let place = Some(Place { input: 0, line: 1, column: 1 });
        let block = Block { bytes: "x\n".repeat(items as usize).into(), items, first: 0, place };
        let attempt = Attempt {
            id: AttemptId(0),
            job: JobId(0),
            chunk: ChunkId(0),
            at: 2,
            next: 1,
            left: items - 1,
            tries: 1,
            agains: None,
            sent_at: Duration::ZERO,
        };
        (block, attempt)
    }

    fn failed(item: u64, input: (u32, u32)) -> FailureAt {
        FailureAt { item, failure: Failure::new(FailureKind::Invalid, "no"), input, record: (0, 1), attempts: 1 }
    }

    #[test]
    fn places_of_a_block_full_of_failures_are_counted_once() {
        const ITEMS: u32 = 400_000;
        let (block, attempt) = block(ITEMS);
        let all = (1..ITEMS).map(|i| failed(u64::from(i), ((i - 1) * 2, 1))).collect();
        let begun = std::time::Instant::now();
        let list = failures(all, attempt.next, ITEMS - 1, &block, attempt.at, 1, 7).unwrap();
        assert!(begun.elapsed() < Duration::from_secs(10), "it takes the square of the failures");
        assert!(list.iter().all(|f| f.place == Some(Place { input: 0, line: f.item + 1, column: 1 })));
    }

    #[test]
    fn failures_that_fit_nothing_are_refused() {
        let (block, attempt) = block(4);
        let list = |all: &[FailureAt]| {
            failures(all.to_vec(), attempt.next, 2, &block, attempt.at, 1, 7).map(|list| list.len())
        };
        assert_eq!(list(&[failed(1, (0, 1)), failed(2, (2, 1))]), Ok(2));
        assert!(list(&[failed(0, (0, 1))]).is_err(), "not asked for");
        assert!(list(&[failed(3, (4, 1))]).is_err(), "not answered");
        assert!(list(&[failed(1, (0, 1)), failed(1, (0, 1))]).is_err(), "twice");
        assert!(list(&[failed(2, (2, 1)), failed(1, (0, 1))]).is_err(), "out of order");
        assert!(list(&[failed(1, (2, 1)), failed(2, (0, 1))]).is_err(), "backwards in the block");
        assert!(list(&[failed(1, (u32::MAX, u32::MAX))]).is_err(), "outside of the block");
        assert!(list(&[FailureAt { record: (1, 1), ..failed(1, (0, 1)) }]).is_err(), "outside of the outputs");
    }
}
