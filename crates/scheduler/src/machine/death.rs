//! What the end of a worker means for the items that it held.
//!
//! No item is charged on a guess. If the worker named an item, that item is charged
//! and all others are innocent. If the worker was sent a single item, that item is
//! charged. Otherwise every unanswered item is suspect, and is sent again in such a
//! way that the next death tells more: the worker answers after each suspect and
//! holds nothing else. If that worker dies, its first unanswered item is the
//! culprit, and is then run alone.

use super::scheduler::Scheduler;
use crate::jobs::{Attempt, AttemptMode, ItemRange, RetryDecision};
use crate::model::{Action, AttemptId, Fault, JobId, RunTime, WorkerId};
use crate::workers::{AttemptQueue, EndReason, WorkerState};

impl Scheduler {
    pub(crate) fn on_ended(&mut self, now: RunTime, id: WorkerId, told: Fault) {
        let Some(slot) = self.roster.slot_of(id) else {
            return;
        };
        let Some(worker) = self.roster.vacate(slot) else {
            return;
        };
        self.starts.on_process_gone();
        match worker.state {
            WorkerState::Starting => self.on_start_failure(now, slot, &worker),
            WorkerState::Ending(EndReason::StartTimedOut | EndReason::HandshakeFailed | EndReason::Refused) => {
                self.on_start_failure(now, slot, &worker);
                self.requeue_unchanged(worker.queue);
            }
            WorkerState::Ready => self.blame(id, worker.queue, told),
            WorkerState::Ending(EndReason::ProtocolViolation) => self.blame(id, worker.queue, Fault::Crashed),
            WorkerState::Ending(EndReason::Unresponsive) => self.blame(id, worker.queue, Fault::TimedOut),
            WorkerState::Aborting { attempt, offset, fault }
            | WorkerState::Ending(EndReason::AbortGraceExpired { attempt, offset, fault }) => {
                self.blame_named(id, worker.queue, (attempt, offset), fault);
            }
            WorkerState::Ending(
                EndReason::Retired | EndReason::Terminated | EndReason::PoolKilled | EndReason::GraceExpired,
            ) => {
                self.requeue_unchanged(worker.queue);
            }
        }
        self.close_if_empty();
    }

    /// Nothing was run, so no item is charged. All items are sent again as they were;
    /// suspects stay suspects.
    pub(crate) fn requeue_unchanged(&mut self, queue: AttemptQueue) {
        for attempt in queue.into_attempts() {
            if self.wants(&attempt) {
                self.requeue(attempt.job, attempt.rest(), attempt.mode);
            }
        }
    }

    /// Whether the attempt's job is still open.
    pub(crate) fn wants(&self, attempt: &Attempt) -> bool {
        let job = self.jobs.get(&attempt.job);
        job.is_some_and(|job| job.has_sent(attempt.id))
    }

    fn requeue(&mut self, id: JobId, range: ItemRange, mode: AttemptMode) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.retries.push(range, mode);
            self.refresh(id);
        }
    }

    /// The worker died because of one of the items that it held.
    fn blame(&mut self, worker: WorkerId, queue: AttemptQueue, fault: Fault) {
        let attempts = queue.into_attempts();
        let is_sole = attempts.len() == 1;
        for attempt in attempts {
            let rest = attempt.rest();
            if !self.wants(&attempt) {
                continue;
            }
            if is_sole && attempt.range.items == 1 {
                self.charge(worker, attempt.job, rest, fault);
            } else if attempt.mode.is_exclusive() {
                let (culprit, others) = split(rest, 1);
                self.requeue(attempt.job, culprit, AttemptMode::Alone);
                self.requeue(attempt.job, others, AttemptMode::Suspect);
            } else {
                self.requeue(attempt.job, rest, AttemptMode::Suspect);
            }
        }
    }

    /// The worker died because of the item that it had named, unless that item was
    /// answered after all.
    fn blame_named(&mut self, worker: WorkerId, queue: AttemptQueue, (named, offset): (AttemptId, u32), fault: Fault) {
        for attempt in queue.into_attempts() {
            if !self.wants(&attempt) {
                continue;
            }
            let Attempt { job, answered, .. } = attempt;
            if attempt.id != named || offset < answered {
                self.requeue(job, attempt.rest(), AttemptMode::Plain);
                continue;
            }
            let (before, rest) = split(attempt.rest(), offset - answered);
            let (culprit, after) = split(rest, 1);
            self.requeue(job, before, AttemptMode::Plain);
            self.charge(worker, job, culprit, fault);
            self.requeue(job, after, AttemptMode::Plain);
        }
    }

    /// Charges an attempt to a single item.
    fn charge(&mut self, worker: WorkerId, id: JobId, item: ItemRange, fault: Fault) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let ItemRange { chunk, from, .. } = item;
        if let RetryDecision::Failed { attempts } = job.charge(chunk, from, fault) {
            let charge = Action::Charge { job: id, chunk, item: from, worker, attempts, fault };
            self.actions.push_back(charge);
            job.settle(item, 0, &mut self.actions);
        }
        self.refresh(id);
        self.finish_if_done(id);
    }
}

/// The first items of a range, and the rest.
fn split(range: ItemRange, first: u32) -> (ItemRange, ItemRange) {
    let ItemRange { chunk, from, items } = range;
    let first = first.min(items);
    (ItemRange { chunk, from, items: first }, ItemRange { chunk, from: from + first, items: items - first })
}

#[cfg(test)]
mod tests {
    use crate::machine::test_rig::Rig;
    use crate::model::{ChunkSize, JobOptions, PoolOptions};
    use std::num::NonZeroU32;

    fn chunks_of(items: u32, retries: u32) -> JobOptions {
        let chunk = ChunkSize::Fixed(NonZeroU32::new(items).expect("at least one"));
        JobOptions { chunk, retries: Some(retries), ..JobOptions::default() }
    }

    #[test]
    fn a_poison_item_is_found_run_alone_and_charged() {
        let mut rig = Rig::ready(1);
        assert_eq!(rig.open(4, chunks_of(4, 1)), ["send 0:0+4 as 0 to 0"]);
        // Nothing is known yet: all items are suspect.
        assert_eq!(rig.end(0), ["spawn 1 in 0"]);
        assert_eq!(rig.make_ready(1), ["send 0:0+4 as 1 to 1, each"]);
        assert_eq!(rig.answer(1, 1, 1), ["accept 0:0+1 of 1", "deliver 0:0+1"]);
        // The second item is the culprit: it is run alone from now on, and is not yet
        // charged.
        assert_eq!(rig.end(1), ["spawn 2 in 0"]);
        assert_eq!(rig.make_ready(2), ["send 0:1+1 as 2 to 2, each"]);
        assert_eq!(rig.end(2), ["spawn 3 in 0"]);
        assert_eq!(rig.make_ready(3), ["send 0:1+1 as 3 to 3, each"]);
        assert_eq!(rig.end(3), ["charge 0:1 in 3, attempt 2, Crashed", "deliver 0:1+1", "spawn 4 in 0"]);
        assert_eq!(rig.make_ready(4), ["send 0:2+2 as 4 to 4, each"]);
    }

    #[test]
    fn the_only_item_in_a_worker_is_charged_at_once() {
        let mut rig = Rig::ready(1);
        rig.open(1, chunks_of(1, 0));
        assert_eq!(rig.end(0), ["charge 0:0 in 0, attempt 1, Crashed", "forget 0", "deliver 0:0+1", "done 0"]);
    }

    #[test]
    fn a_named_item_is_charged_and_its_neighbours_are_innocent() {
        let mut rig = Rig::ready(1);
        rig.open(4, chunks_of(4, 0));
        assert_eq!(rig.abort(0, 0, 2), [""; 0]);
        assert_eq!(rig.answer(0, 0, 1), ["accept 0:0+1 of 0", "deliver 0:0+1"]);
        assert_eq!(rig.end(0), ["charge 0:2 in 0, attempt 1, OutOfMemory", "spawn 1 in 0"]);
        assert_eq!(rig.make_ready(1), ["send 0:1+1 as 1 to 1"]);
    }

    #[test]
    fn an_item_that_was_named_and_answered_is_not_charged() {
        let mut rig = Rig::ready(1);
        rig.open(2, chunks_of(2, 0));
        rig.abort(0, 0, 0);
        assert_eq!(rig.answer(0, 0, 1), ["accept 0:0+1 of 0", "deliver 0:0+1"]);
        assert_eq!(rig.end(0), ["spawn 1 in 0"]);
        assert_eq!(rig.make_ready(1), ["send 0:1+1 as 1 to 1"]);
    }

    #[test]
    fn a_worker_that_was_never_ready_takes_no_item_with_it() {
        let mut rig = Rig::new(PoolOptions::new(2));
        rig.open(2, chunks_of(1, 0));
        assert_eq!(rig.make_ready(1), ["send 0:0+1 as 0 to 1"]);
        assert_eq!(rig.end(0), [""; 0]);
        assert_eq!(rig.answer(1, 0, 1).last().map(String::as_str), Some("send 1:0+1 as 1 to 1"));
    }

    #[test]
    fn a_culprit_stays_alone_when_its_worker_fails_to_start() {
        let mut rig = Rig::ready(1);
        rig.open(1, chunks_of(1, 1));
        assert_eq!(rig.end(0), ["spawn 1 in 0"]);
        assert_eq!(rig.end(1), ["spawn 2 in 0"]);
        assert_eq!(rig.make_ready(2), ["send 0:0+1 as 1 to 2, each"]);
    }

    #[test]
    fn a_dead_idle_worker_is_replaced_when_there_is_work() {
        let mut rig = Rig::ready(1);
        assert_eq!(rig.end(0), [""; 0]);
        assert_eq!(rig.open(1, chunks_of(1, 0)), ["spawn 1 in 0"]);
        assert_eq!(rig.make_ready(1), ["send 0:0+1 as 0 to 1"]);
    }
}
