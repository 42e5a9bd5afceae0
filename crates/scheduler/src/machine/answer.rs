//! Messages from workers: items are done, or the worker is about to end because of
//! an item.
//!
//! A worker answers in the order in which it was sent work. So an answer belongs to
//! the first attempt that the worker holds, or it is late. Any other answer is a
//! protocol violation: the worker is killed, and its end counts as a crash.

use std::time::Duration;

use super::scheduler::Scheduler;
use crate::jobs::ItemRange;
use crate::model::{Action, AttemptId, Fault, RunTime, WorkerId};
use crate::workers::{EndReason, WorkerState};

/// Whether an answer counts.
enum AnswerCheck {
    Valid,
    /// Late: for an attempt that is over, or from a worker that is gone. It is dropped.
    Stale,
    /// A protocol violation: it is dropped and the worker is killed.
    Impossible,
}

impl Scheduler {
    pub(crate) fn on_answered(
        &mut self,
        now: RunTime,
        worker: WorkerId,
        attempt: AttemptId,
        items: u32,
        bytes: u64,
        busy: Duration,
    ) {
        let slot = self.roster.slot_of(worker);
        match slot.map_or(AnswerCheck::Stale, |slot| self.judge(slot, attempt, items)) {
            AnswerCheck::Valid => {}
            AnswerCheck::Stale => return self.actions.push_back(Action::Discard { worker, attempt }),
            AnswerCheck::Impossible => {
                self.actions.push_back(Action::Discard { worker, attempt });
                return self.on_protocol_violation(slot);
            }
        }
        let Some(slot) = slot else { return };
        self.accept(slot, items, bytes, busy);
        self.starts.on_proven();
        self.roster.on_proven(slot);
        self.restart_silence_timer(now, slot);
        self.roster.relist(slot);
        if self.roster.worker(slot).is_some_and(|worker| worker.is_used_up()) {
            self.retire(now, slot);
        }
    }

    fn judge(&self, slot: u32, attempt: AttemptId, items: u32) -> AnswerCheck {
        let Some(worker) = self.roster.worker(slot) else {
            return AnswerCheck::Stale;
        };
        let first = worker.queue.front();
        match first {
            _ if worker.state == WorkerState::Starting => AnswerCheck::Impossible,
            Some(first) if first.id == attempt && items > first.rest().items => AnswerCheck::Impossible,
            _ if items == 0 => AnswerCheck::Stale,
            Some(first) if first.id == attempt => AnswerCheck::Valid,
            Some(first) if attempt < first.id => AnswerCheck::Stale,
            None if attempt.0 < self.next_attempt => AnswerCheck::Stale,
            _ => AnswerCheck::Impossible,
        }
    }

    fn on_protocol_violation(&mut self, slot: Option<u32>) {
        let Some(slot) = slot else { return };
        match self.roster.worker(slot).map(|worker| worker.state) {
            Some(WorkerState::Starting) => self.kill(slot, EndReason::HandshakeFailed),
            Some(WorkerState::Ready) => self.kill(slot, EndReason::ProtocolViolation),
            Some(WorkerState::Aborting { attempt, offset, fault }) => {
                self.kill(slot, EndReason::AbortGraceExpired { attempt, offset, fault });
            }
            Some(WorkerState::Ending(_)) | None => {}
        }
    }

    /// Notes the answer for the worker and, if the job is still open, for the job.
    fn accept(&mut self, slot: u32, items: u32, bytes: u64, busy: Duration) {
        let Some(worker) = self.roster.worker_mut(slot) else {
            return;
        };
        let Some(first) = worker.queue.front() else {
            return;
        };
        let (attempt, id) = (first.id, first.job);
        let range = ItemRange { items, ..first.rest() };
        let done = worker.queue.advance(items);
        let job = self.jobs.get_mut(&id);
        let Some(job) = job.filter(|job| job.has_sent(attempt)) else {
            return self.actions.push_back(Action::Discard { worker: worker.id, attempt });
        };
        job.sizing.on_answered(items, busy);
        if let Some(done) = done {
            job.sizing.on_completed(done.range.items);
        }
        let ItemRange { chunk, from, items } = range;
        self.actions.push_back(Action::Accept { attempt, job: id, chunk, from, items });
        job.settle(range, bytes, &mut self.actions);
        if !worker.is_familiar(id) {
            let jobs = &self.jobs;
            worker.on_familiar(id, |other| jobs.contains_key(&other));
        }
        self.refresh(id);
        self.finish_if_done(id);
    }

    /// The worker runs an item again. Only its first attempt can hold that item; a
    /// message about any other attempt is late or wrong and is ignored.
    pub(crate) fn on_item_restarted(&mut self, now: RunTime, id: WorkerId, attempt: AttemptId) {
        let Some(slot) = self.roster.slot_of(id) else { return };
        let first = self.roster.worker(slot).and_then(|worker| worker.queue.front());
        if first.is_some_and(|first| first.id == attempt) {
            self.restart_silence_timer(now, slot);
        }
    }

    /// The worker has named an item that it holds. It gets no more work, and should end
    /// soon. If it does not hold that item, the message is ignored: the item was
    /// answered at the same moment.
    pub(crate) fn on_aborting(&mut self, now: RunTime, id: WorkerId, attempt: AttemptId, offset: u32, fault: Fault) {
        let Some(slot) = self.roster.slot_of(id) else {
            return;
        };
        let Some(worker) = self.roster.worker_mut(slot) else {
            return;
        };
        match worker.state {
            WorkerState::Starting => return self.kill(slot, EndReason::HandshakeFailed),
            WorkerState::Aborting { .. } | WorkerState::Ending(_) => return,
            WorkerState::Ready => {}
        }
        let is_held =
            worker.queue.iter().any(|held| held.id == attempt && (held.answered..held.range.items).contains(&offset));
        if is_held {
            worker.state = WorkerState::Aborting { attempt, offset, fault };
            self.roster.set_deadline(slot, Some(now + self.options.grace));
            self.roster.relist(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::machine::test_rig::Rig;
    use crate::model::{ChunkSize, JobOptions, PoolOptions, WorkerId};
    use std::num::NonZeroU32;

    /// One worker with one chunk of three items.
    fn three() -> Rig {
        let mut rig = Rig::ready(1);
        let chunk = ChunkSize::Fixed(NonZeroU32::new(3).expect("three"));
        let options = JobOptions { chunk, ..JobOptions::default() };
        assert_eq!(rig.open(3, options), ["send 0:0+3 as 0 to 0"]);
        rig
    }

    #[test]
    fn an_answer_in_parts_is_kept_in_parts() {
        let mut rig = three();
        assert_eq!(rig.answer(0, 0, 2), ["accept 0:0+2 of 0", "deliver 0:0+2"]);
        let rest = ["accept 0:2+1 of 0", "forget 0", "deliver 0:2+1", "done 0"];
        assert_eq!(rig.answer(0, 0, 1), rest);
    }

    #[test]
    fn a_second_answer_is_dropped() {
        let mut rig = three();
        rig.answer(0, 0, 3);
        assert_eq!(rig.answer(0, 0, 3), ["discard 0 of 0"]);
    }

    #[test]
    fn an_answer_of_a_dead_worker_is_dropped() {
        let mut rig = three();
        rig.end(0);
        assert_eq!(rig.answer(0, 0, 3), ["discard 0 of 0"]);
    }

    #[test]
    fn a_worker_that_answers_too_many_items_is_killed_and_its_items_are_safe() {
        let mut rig = three();
        assert_eq!(rig.answer(0, 0, 4), ["discard 0 of 0", "kill 0: ProtocolViolation"]);
        assert_eq!(rig.answer(0, 0, 4), ["discard 0 of 0"]);
        assert_eq!(rig.end(0), ["spawn 1 in 0"]);
        assert_eq!(rig.make_ready(1), ["send 0:0+3 as 1 to 1, each"]);
    }

    #[test]
    fn a_valid_answer_of_a_killed_worker_counts() {
        let mut rig = three();
        rig.answer(0, 7, 1);
        assert_eq!(rig.answer(0, 0, 1), ["accept 0:0+1 of 0", "deliver 0:0+1"]);
        assert_eq!(rig.end(0), ["spawn 1 in 0"]);
        assert_eq!(rig.make_ready(1), ["send 0:1+2 as 1 to 1, each"]);
    }

    #[test]
    fn a_worker_that_answers_before_it_is_ready_has_failed_to_start() {
        let mut rig = Rig::new(PoolOptions::new(1));
        rig.open(1, JobOptions::default());
        assert_eq!(rig.answer(0, 0, 1), ["discard 0 of 0", "kill 0: ProtocolViolation"]);
        assert_eq!(rig.end(0), ["spawn 1 in 0"]);
        assert_eq!(rig.make_ready(1), ["send 0:0+1 as 0 to 1"]);
    }

    #[test]
    fn an_answer_of_no_items_changes_nothing() {
        let mut rig = three();
        assert_eq!(rig.answer(0, 0, 0), ["discard 0 of 0"]);
        assert_eq!(rig.scheduler.items_in_flight(WorkerId(0)), 3);
    }

    #[test]
    fn a_worker_that_outlives_the_grace_period_after_naming_an_item_is_killed() {
        let mut rig = three();
        assert_eq!(rig.abort(0, 0, 1), [""; 0]);
        let mut lines = Vec::new();
        while lines.is_empty() {
            lines = rig.wait(PoolOptions::default().grace);
        }
        assert_eq!(lines, ["kill 0: GraceExpired"]);
        assert_eq!(rig.now.since_start(), PoolOptions::default().grace);
    }
}
