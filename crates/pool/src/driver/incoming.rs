//! The messages of workers.

use super::event_loop::Driver;
use super::job_buffers::PendingResults;
use super::process::{NamedItem, ProtocolState};
use crate::jobs::{Delivery, cost, failures};
use crate::observe::{Accepted, Event};
use bytes::Bytes;
use procession_scheduler::{Action, AttemptId, Fault, SchedulerEvent, WorkerId};
use procession_task::{FailureKind, MESSAGE_BYTES, escape_terminal};
use procession_wire::{AnswerHead, FromWorker, Hello, PROTOCOL, Tails};
use std::ops::Range;
use std::time::Duration;

/// Characters that are shown of the version of a program with another protocol.
const VERSION_CHARS: usize = 64;

impl Driver {
    pub(super) fn on_message(&mut self, id: WorkerId, message: FromWorker, tails: &Tails, payload: &Bytes) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        match (message, &worker.phase) {
            (FromWorker::Hello(hello), ProtocolState::Silent) => self.on_hello(id, hello),
            (_, ProtocolState::Silent) => worker.broke_protocol("it did not begin with a hello"),
            (FromWorker::Answer(head), ProtocolState::Ready) => self.on_answer(id, head, tails, payload),
            (FromWorker::Aborting { attempt, offset, kind }, ProtocolState::Ready) => {
                let fault = match kind {
                    FailureKind::TimedOut => Fault::TimedOut,
                    FailureKind::OutOfMemory => Fault::OutOfMemory,
                    _ => Fault::Crashed,
                };
                let sent = worker.assigned.attempts.iter().find(|sent| sent.id.0 == attempt);
                worker.named = sent.map(|sent| NamedItem { index: sent.first + u64::from(offset), fault });
                self.handle(SchedulerEvent::Aborting { worker: id, attempt: AttemptId(attempt), offset, fault });
            }
            (FromWorker::Note { text }, ProtocolState::Ready) => self.on_note(id, &text, false),
            (FromWorker::Warning { text }, ProtocolState::Ready) => self.on_note(id, &text, true),
            (FromWorker::ItemType { name }, ProtocolState::Ready) => self.on_item_type(id, &name),
            (FromWorker::LastLines { text }, ProtocolState::Ready) => worker.last_lines = text,
            (FromWorker::OutputCut { attempt, item }, ProtocolState::Ready) => {
                self.on_output_cut(id, AttemptId(attempt), item)
            }
            (FromWorker::Again { attempt }, ProtocolState::Ready) => self.on_again(id, AttemptId(attempt)),
            (FromWorker::Refused { message, .. }, ProtocolState::Ready) => self.on_refused(id, &message),
            // A farewell that was not asked for would leave the worker's items
            // without answers.
            (FromWorker::Farewell(farewell), ProtocolState::Ready) if worker.assigned.asked => {
                worker.phase = ProtocolState::Done(farewell, self.settings.clock.now());
            }
            // The driver sends no `Ping`, so every `Alive` is unexpected.
            (FromWorker::Alive | FromWorker::Hello(_) | FromWorker::Farewell(_), _) | (_, ProtocolState::Done(..)) => {
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
        worker.phase = ProtocolState::Ready;
        if !self.settings.clock.is_paused() {
            // During a pause the worker is told with all others when the run
            // resumes; a message now would resume it.
            worker.tell_pause(self.settings.clock.epoch_ns());
        }
        let who = worker.who;
        if let Some(asked) = &self.settings.tasks {
            // The receiver may have stopped waiting. The worker was started for nothing
            // else.
            let _ = asked.send(hello.tasks);
            self.ending = true;
            return self.handle(SchedulerEvent::Kill);
        }
        self.observe(&Event::WorkerReady { worker: who, host: hello.host, at });
        self.handle(SchedulerEvent::WorkerReady { worker: id });
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
        let bytes = self.judged_answer.as_ref().map_or(0, |piece| piece.bytes);
        let now = self.deadline_now();
        self.scheduler.handle_event(now, SchedulerEvent::Answered { worker: id, attempt, items, bytes, busy });
        // The scheduler's decision on the answer is its first action.
        let Some(verdict) = self.scheduler.poll_action() else { return };
        if let (Action::Accept { .. }, Some(accepted)) = (&verdict, accepted) {
            self.note_accepted(id, attempt, accepted);
        }
        self.act(verdict);
        self.drain();
    }

    /// A worker has a note for the user. The note is as little trusted as the
    /// worker's standard error: escaped and cut.
    fn on_note(&mut self, id: WorkerId, text: &str, is_warning: bool) {
        let at = self.now();
        let Some(worker) = self.workers.get(&id) else { return };
        let who = worker.who;
        let said = &text.as_bytes()[..text.len().min(MESSAGE_BYTES)];
        self.observe(&Event::Note { worker: who, text: escape_terminal(said), is_warning, at });
        self.on_preparing(id);
    }

    /// A worker tells the type of an item. The name is as little trusted as a note.
    fn on_item_type(&mut self, id: WorkerId, name: &str) {
        let Some(worker) = self.workers.get(&id) else { return };
        let who = worker.who;
        let name = &name.as_bytes()[..name.len().min(MESSAGE_BYTES)];
        self.observe(&Event::ItemType { worker: who, name: escape_terminal(name) });
        self.on_preparing(id);
    }

    /// The output of an item that a worker has not answered yet may be incomplete.
    fn on_output_cut(&mut self, id: WorkerId, attempt: AttemptId, item: u64) {
        let at = self.now();
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let known = worker.assigned.attempts.iter().find(|known| known.id == attempt);
        if !known.is_some_and(|known| (known.next..known.next + u64::from(known.left)).contains(&item)) {
            return worker.broke_protocol("it told of the output of an item that it was not given");
        }
        let who = worker.who;
        self.observe(&Event::OutputCut { worker: who, item, at });
    }

    /// A worker that sends a note before its first answer is still preparing its
    /// task, and no item has begun: restarts the clock of its silence.
    fn on_preparing(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get(&id).filter(|worker| worker.items == 0) else { return };
        if let Some(attempt) = worker.assigned.attempts.front().map(|attempt| attempt.id) {
            self.handle(SchedulerEvent::ItemRestarted { worker: id, attempt });
        }
    }

    /// A worker runs an item again. The number of times is bounded, so that a
    /// worker that sends nothing but this message is found.
    fn on_again(&mut self, id: WorkerId, attempt: AttemptId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let known = worker.assigned.attempts.iter_mut().find(|known| known.id == attempt);
        let Some(known) = known.filter(|known| known.agains != Some(0)) else {
            return worker.broke_protocol("it ran an item again that it should not have");
        };
        known.agains = known.agains.map(|left| left - 1);
        self.handle(SchedulerEvent::ItemRestarted { worker: id, attempt });
    }

    /// Counts accepted results and tells observers of them.
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
        if self.start_failure.is_some() && !self.told_start_failure {
            self.tell_start_failure();
        }
    }

    /// Notes that the next items of an attempt are answered, also if its job is
    /// gone; returns whether these were its last.
    fn note_answered(&mut self, id: WorkerId, attempt: AttemptId, items: u32) -> bool {
        let Some(worker) = self.workers.get_mut(&id) else { return false };
        let attempts = &mut worker.assigned.attempts;
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

    /// Prepares the results of an answer, to be kept if the scheduler accepts them,
    /// and the event for observers; `None` for an answer to an unknown attempt.
    fn piece(
        &mut self,
        id: WorkerId,
        head: AnswerHead,
        tails: &Tails,
        payload: &Bytes,
        at: Duration,
    ) -> Result<Option<Accepted>, &'static str> {
        self.judged_answer = None;
        let Some(worker) = self.workers.get(&id) else { return Ok(None) };
        let Some(attempt) = worker.assigned.attempts.iter().find(|a| a.id.0 == head.attempt) else { return Ok(None) };
        if head.first != attempt.next {
            return Err("an answer is missing, or overtook another");
        }
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
            slowest: head.slowest,
            log: payload.slice(tails.log.clone()),
            shown: payload.slice(tails.shown.clone()),
            at,
        };
        let delivery = Delivery { first: attempt.next, items: head.items, outputs, failures };
        self.judged_answer = Some(PendingResults { delivery, bytes });
        Ok(Some(accepted))
    }
}

/// An answer's records. They may be kept for long: if they are less than half of
/// the answer they are copied, so that they do not keep its log lines alive.
fn records(payload: &Bytes, range: Range<usize>) -> Bytes {
    if range.len() < payload.len() / 2 { Bytes::copy_from_slice(&payload[range]) } else { payload.slice(range) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::driver::event_loop::DriverSettings;

    #[test]
    fn records_do_not_hold_what_is_larger_than_they() {
        let payload = Bytes::from(vec![7; 100]);
        assert_eq!(records(&payload, 10..50), payload[10..50]);
        let few = records(&payload, 10..50);
        assert!(payload.is_unique() && few.len() == 40);
        let many = records(&payload, 10..90);
        assert!(!payload.is_unique() && many.len() == 80);
    }

    /// Why a worker that sends this message after its hello is ended.
    fn ended_for(message: FromWorker) -> Option<String> {
        let settings = DriverSettings {
            options: procession_scheduler::PoolOptions::new(1),
            tasks: None,
            program: "/bin/sh".into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            window: crate::jobs::WINDOW_BYTES,
            observers: Vec::new(),
            clock: crate::driver::clock::Clock::start(),
            watch: crate::observe::DriverWatch::start(crate::observe::DriverPhase::Waiting),
        };
        let mut driver = Driver::new(settings, crate::driver::mailbox::Mailbox::new().unwrap().into());
        driver.drain();
        driver.spawn_pending();
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
}
