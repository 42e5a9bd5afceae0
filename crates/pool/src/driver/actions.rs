//! Carries out the scheduler's actions.

use super::event_loop::Driver;
use super::job_buffers::PendingResults;
use super::process::SentAttempt;
use crate::jobs::{Cut, Delivery, InputBlock, ItemFailure, JobEnd};
use crate::observe::{DriverPhase, Event, Exit, WorkerRef};
use bytes::Bytes;
use procession_scheduler::SchedulerEvent;
use procession_scheduler::{Action, ChunkId, Fault, GiveUp, JobId, KillReason, WorkerId};
use procession_sys::Signal;
use procession_task::{Again, Failure, FailureKind, JobLimits, Record};
use procession_wire::frame::BLOCK_LIMIT;
use procession_wire::{ChunkHead, JobMessage, ToWorker};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What is known of the worker in which an item was last.
struct LastAttempt {
    who: WorkerRef,
    cause: String,
    last_lines: String,
    exit: Option<Exit>,
    sent_at: Duration,
    tries: u32,
}

/// A dispatch of a part of a chunk, as the scheduler asks for it.
struct ChunkDispatch {
    worker: WorkerId,
    attempt: procession_scheduler::AttemptId,
    job: JobId,
    chunk: ChunkId,
    from: u32,
    items: u32,
    each: bool,
}

impl Driver {
    /// Carries out all actions that the scheduler has queued.
    pub(super) fn drain(&mut self) {
        while let Some(action) = self.scheduler.poll_action() {
            self.act(action);
        }
        self.judged_answer = None;
        self.tell_lost_attempt();
    }

    pub(super) fn act(&mut self, action: Action) {
        match action {
            Action::Spawn { slot, worker } => self.queue_spawn(slot, worker),
            Action::Cut { job, max_items, max_bytes } => self.cut(job, max_items, max_bytes),
            Action::Send { worker, attempt, job, chunk, from, items, each } => {
                self.send(&ChunkDispatch { worker, attempt, job, chunk, from, items, each });
            }
            Action::Accept { job, chunk, from, .. } => {
                debug_assert!(self.judged_answer.is_some(), "nothing to accept");
                if let (Some(piece), Some(held)) = (self.judged_answer.take(), self.jobs.get_mut(&job)) {
                    held.keep(chunk, from, piece);
                }
            }
            Action::Discard { .. } => self.judged_answer = None,
            Action::Charge { job, chunk, item, worker, attempts, fault } => {
                self.charge(job, chunk, item, worker, attempts, fault);
            }
            Action::Deliver { job, chunk, from, .. } => self.deliver(job, chunk, from),
            Action::Forget { job, chunk } => {
                if let Some(held) = self.jobs.get_mut(&job) {
                    held.forget(chunk);
                }
            }
            Action::Retire { worker } => self.retire(worker),
            Action::Terminate { worker } => self.terminate(worker),
            Action::Kill { worker, reason } => self.kill(worker, reason),
            Action::JobDone { job, stopped } => self.end_job(job, stopped),
            Action::GiveUp { reason: GiveUp::CannotStart { failures } } => {
                let error = self.start_failure.take().unwrap_or_default().into_error(failures);
                self.error.get_or_insert(error);
                self.ending = true;
            }
            Action::Closed => self.closed = true,
        }
    }

    fn deliver(&mut self, job: JobId, chunk: ChunkId, from: u32) {
        self.watch.switch(DriverPhase::Order);
        if let Some(held) = self.jobs.get_mut(&job) {
            held.deliver(chunk, from);
        }
        self.watch.switch(DriverPhase::Transport);
    }

    fn cut(&mut self, job: JobId, max_items: u32, max_bytes: u64) {
        let now = self.deadline_now();
        let Some(held) = self.jobs.get_mut(&job) else { return };
        let max_bytes = usize::try_from(max_bytes).unwrap_or(usize::MAX);
        let answer = match held.job.source.cut(max_items, max_bytes) {
            Cut::Block(block) if block.bytes.len() > BLOCK_LIMIT => {
                held.refuse(&block);
                SchedulerEvent::InputEnded { job }
            }
            Cut::Block(block) => {
                if let Some(items) = held.job.source.remaining() {
                    self.scheduler.handle_event(now, SchedulerEvent::Remaining { job, items });
                }
                let (items, bytes) = (block.items, block.bytes.len() as u64);
                held.hold(block);
                SchedulerEvent::ChunkCut { job, items, bytes }
            }
            Cut::Pending => SchedulerEvent::InputPending { job },
            Cut::End => SchedulerEvent::InputEnded { job },
        };
        self.scheduler.handle_event(now, answer);
    }

    fn send(&mut self, dispatch: &ChunkDispatch) {
        let at = self.now();
        let Some(held) = self.jobs.get_mut(&dispatch.job) else { return };
        let Some(worker) = self.workers.get_mut(&dispatch.worker) else { return };
        let (assigned, who) = (&mut worker.assigned, worker.who);
        if assigned.jobs.insert(dispatch.job) {
            assigned.limits = assigned.limits.or(held.job.spec.limits);
            let message = JobMessage { epoch_ns: assigned.epoch_ns, ..held.message.clone() };
            if let Err(error) = assigned.say(&ToWorker::Job(Box::new(message)), &held.arguments) {
                return self.end(dispatch.worker, &format!("could not be told of its job: {error}"));
            }
        }
        let log = held.job.item_log.load(Ordering::Relaxed);
        let rule = held.job.spec.items;
        let agains = agains(held.again, dispatch.items);
        let Some(chunk) = held.chunk(dispatch.chunk) else { return };
        let tries = chunk.note_send(dispatch.from, dispatch.items);
        let Some(block) = &chunk.block else { return };
        let (start, bytes) = part(block, rule, dispatch.from, dispatch.items);
        let first = block.first + u64::from(dispatch.from);
        if let Err(error) = assigned.say(&ToWorker::Chunk(head(dispatch, tries, first, log, bytes.len())), &bytes) {
            return self.end(dispatch.worker, &format!("could not be sent an item: {error}"));
        }
        let ChunkDispatch { attempt: id, job, chunk, items: left, each, .. } = *dispatch;
        let attempt =
            SentAttempt { id, job, chunk, at: start, first, each, next: first, left, tries, agains, sent_at: at };
        let sent = attempt.sent_to(who);
        assigned.attempts.push_back(attempt);
        self.observe(&sent);
    }

    /// Ends a worker, or drops it before it is spawned.
    fn end(&mut self, id: WorkerId, reason: &str) {
        match self.workers.get_mut(&id) {
            Some(worker) => worker.end(reason),
            None => self.drop_pending(id),
        }
    }

    /// Makes the record of an item whose process died.
    fn charge(&mut self, job: JobId, chunk: ChunkId, item: u32, worker: WorkerId, attempts: u32, fault: Fault) {
        let at = self.now();
        let LastAttempt { who, cause, last_lines, exit, sent_at, tries } = self.last_of(worker, job, chunk);
        let Some(held) = self.jobs.get_mut(&job) else { return };
        let (format, rule) = (held.job.spec.format, held.job.spec.items);
        let failure = failure(fault, cause, &last_lines, &held.job.spec.limits).because(exit.map(Into::into));
        let Some(block) = held.chunk(chunk).and_then(|chunk| chunk.block.as_ref()) else { return };
        let (start, bytes) = part(block, rule, item, 1);
        let (before, input) = rule.split(&bytes).next().map_or((0, 0..0), |(at, i)| (at, at..at + i.len()));
        let input = bytes.slice(input);
        let index = block.first + u64::from(item);
        let place = block.place.map(|place| place.after(&block.bytes[..start + before]));
        let mut outputs = Vec::new();
        format.write(&mut outputs, &Record { index, input: &input, outcome: Err(&failure) });
        let record = 0..outputs.len();
        let lost = ItemFailure {
            item: index,
            input: input.clone(),
            place,
            failure: failure.clone(),
            record,
            pid: who.pid,
            attempts,
        };
        let delivery = Delivery { first: index, items: 1, outputs: outputs.into(), failures: vec![lost] };
        held.keep(chunk, item, PendingResults { delivery, bytes: 0 });
        if let Some((_, death)) = &mut self.death {
            death.charged = Some(index);
        }
        let chunk = chunk.0;
        self.observe(&Event::ItemLost { worker: who, chunk, item: index, input, attempt: tries, failure, sent_at, at });
    }

    /// What is known of the worker that an item died in, with when and how many
    /// times the item had been sent.
    fn last_of(&self, worker: WorkerId, job: JobId, chunk: ChunkId) -> LastAttempt {
        let death = self.death.as_ref().filter(|(id, _)| *id == worker).map(|(_, death)| death);
        let attempt = death.and_then(|death| death.attempts.iter().find(|a| (a.job, a.chunk) == (job, chunk)));
        LastAttempt {
            who: death.map_or(WorkerRef { slot: 0, nth: 0, pid: 0 }, |death| death.who),
            cause: death.map_or_else(|| "its process died".to_owned(), |death| death.cause.clone()),
            last_lines: death.map_or_else(String::new, |death| death.last_lines.clone()),
            exit: death.map(|death| death.exit),
            sent_at: attempt.map_or(Duration::ZERO, |attempt| attempt.sent_at),
            tries: attempt.map_or(1, |attempt| attempt.tries),
        }
    }

    /// Tells a worker to end. A worker without a process gets the message too, and
    /// is still spawned: the number of processes is the one that was asked for.
    fn retire(&mut self, id: WorkerId) {
        let born = self.workers.get_mut(&id).map(|worker| &mut worker.assigned);
        let Some(assigned) = born.or(self.pending.get_mut(&id).map(|pending| &mut pending.assigned)) else { return };
        assigned.asked = true;
        if let Err(error) = assigned.say(&ToWorker::Finish, &Bytes::new()) {
            self.end(id, &format!("could not be told to end: {error}"));
        }
    }

    fn terminate(&mut self, id: WorkerId) {
        match self.workers.get_mut(&id) {
            Some(worker) => {
                worker.assigned.asked = true;
                worker.child.signal_group(Signal::SIGTERM);
            }
            None => self.drop_pending(id),
        }
    }

    fn kill(&mut self, id: WorkerId, reason: KillReason) {
        let ending = self.ending;
        let Some(worker) = self.workers.get_mut(&id) else { return self.drop_pending(id) };
        worker.assigned.asked |= ending;
        match reason {
            _ if ending => worker.end("the run was ended"),
            KillReason::PoolEnds => worker.end("the pool was ended"),
            KillReason::GraceExpired => worker.end("its process was killed: it did not end when it should have"),
            KillReason::StartTimedOut => worker.end("its process was killed: it did not say hello in time"),
            KillReason::Refused => worker.end("its process was killed: it could not start what its job needs"),
            KillReason::ProtocolViolation => worker.broke_protocol("it answered what it was not asked"),
            KillReason::Unresponsive => {
                worker.end("its process was killed: it said nothing for longer than an item may run")
            }
        }
    }

    pub(super) fn end_job(&mut self, job: JobId, stopped: bool) {
        let end = match (&self.error, stopped) {
            (Some(error), true) => Err(error.clone()),
            (_, true) => Ok(JobEnd::Stopped),
            (_, false) => Ok(JobEnd::Complete),
        };
        let born = self.workers.values_mut().map(|worker| &mut worker.assigned);
        for assigned in born.chain(self.pending.values_mut().map(|pending| &mut pending.assigned)) {
            // A worker that was asked to end drops its jobs anyway. The message is
            // small.
            if assigned.jobs.remove(&job) && !assigned.asked {
                let _ = assigned.say(&ToWorker::Forget { job: job.0 }, &Bytes::new());
            }
        }
        if let Some(mut held) = self.jobs.remove(&job) {
            let end = held.refused.take().map_or(end, Err);
            held.report(end);
        }
    }
}

/// The failure of an item: the same text in every run in which the same happens, and
/// the program of the item writes the same.
pub(super) fn failure(fault: Fault, cause: String, last_lines: &str, limits: &JobLimits) -> Failure {
    let kind = match fault {
        Fault::Crashed => FailureKind::Crashed,
        Fault::TimedOut => FailureKind::TimedOut,
        Fault::OutOfMemory => FailureKind::OutOfMemory,
    };
    let message = limits.exceeded(kind).unwrap_or(cause);
    if kind == FailureKind::TimedOut && !last_lines.is_empty() {
        return Failure::new(kind, format!("{message}: {last_lines}"));
    }
    Failure::new(kind, message)
}

/// How often a worker may run items again, for an attempt of `items` items; `None`:
/// without limit.
fn agains(again: Again, items: u32) -> Option<u64> {
    if again.is_never() {
        return Some(0);
    }
    again.times.map(|times| u64::from(times) * u64::from(items))
}

/// The message that precedes the bytes of a chunk.
fn head(dispatch: &ChunkDispatch, tries: u32, first: u64, log: bool, bytes: usize) -> ChunkHead {
    let ChunkDispatch { attempt, job, chunk, items, each, .. } = *dispatch;
    let block_len = u32::try_from(bytes).unwrap_or(u32::MAX);
    ChunkHead { job: job.0, chunk: chunk.0, attempt: attempt.0, tries, first, items, each, log, block_len }
}

/// The bytes of some of a block's items, and the offset at which they begin.
fn part(block: &InputBlock, rule: procession_task::Items, from: u32, items: u32) -> (usize, Bytes) {
    if from == 0 && items == block.items {
        return (0, block.bytes.clone());
    }
    let start = rule.measure(&block.bytes, u64::from(from)).bytes;
    let length = rule.measure(&block.bytes[start..], u64::from(items)).bytes;
    (start, block.bytes.slice(start..start + length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_task::Items;

    /// Blocks with runs of separators and words of odd lengths, from a fixed recurrence.
    fn block(rule: Items, seed: u64) -> InputBlock {
        let mut state = seed;
        let next = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            b"12 ,\n\r\t\x003ab"[(state >> 33) as usize % 11]
        };
        let bytes: Bytes = (0..seed * 3).map(next).collect();
        let items = u32::try_from(rule.count(&bytes)).unwrap();
        InputBlock { bytes, items, first: 0, place: None }
    }

    #[test]
    fn every_part_of_a_block_holds_just_its_items() {
        for (rule, seed) in
            [Items::Words, Items::Lines, Items::Nul].into_iter().flat_map(|r| (0..40).map(move |s| (r, s)))
        {
            let block = block(rule, seed);
            let all: Vec<(usize, &[u8])> = rule.split(&block.bytes).collect();
            for from in 0..block.items {
                for items in 1..=block.items - from {
                    let (start, bytes) = part(&block, rule, from, items);
                    let found: Vec<_> = rule.split(&bytes).map(|(at, item)| (start + at, item)).collect();
                    assert_eq!(found, all[from as usize..(from + items) as usize], "{rule:?} {from}+{items}");
                }
            }
        }
    }
}
