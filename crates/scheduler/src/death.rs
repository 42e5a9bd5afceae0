//! What the end of a worker means for what it held.
//!
//! Nothing is guessed. If the worker named the item, that one is charged and
//! all others are innocent. If a single item was all it had been sent, that one
//! is charged. Otherwise what it had not answered is suspect, and is sent again
//! so that the next death tells more: suspects with an answer after each, and
//! nothing else in that worker; the first of them that has no answer when that
//! one dies is the culprit, and is run alone.

use crate::job::Verdict;
use crate::queue::{Attempt, Queue};
use crate::retry::{Manner, Range};
use crate::worker::{End, State};
use crate::{Action, AttemptId, Fault, JobId, RunTime, Scheduler, WorkerId};

impl Scheduler {
    pub(crate) fn on_ended(&mut self, now: RunTime, id: WorkerId, told: Fault) {
        let Some(slot) = self.roster.slot_of(id) else {
            return;
        };
        let Some(worker) = self.roster.vacate(slot) else {
            return;
        };
        self.on_room_for_spawn();
        match worker.state {
            State::Starting | State::Ending(End::NotStarted | End::Garbled) => {
                self.requeue_plainly(worker.queue);
                self.on_start_failure(now, id);
            }
            State::Ready => self.blame(id, worker.queue, told),
            State::Ending(End::Faulty(fault)) => self.blame(id, worker.queue, fault),
            State::Condemned { attempt, offset, fault } | State::Ending(End::Lingering { attempt, offset, fault }) => {
                self.blame_named(id, worker.queue, (attempt, offset), fault);
            }
            State::Ending(End::Retired | End::Terminated | End::Killed) => {
                self.requeue_plainly(worker.queue);
            }
        }
        self.close_if_empty();
    }

    /// Nobody is to blame: all of it goes elsewhere.
    pub(crate) fn requeue_plainly(&mut self, queue: Queue) {
        for attempt in queue.into_attempts() {
            self.requeue(attempt.job, attempt.rest(), Manner::Plain);
        }
    }

    fn requeue(&mut self, id: JobId, range: Range, manner: Manner) {
        if let Some(job) = self.jobs.get_mut(&id) {
            job.retries.push(range, manner);
            self.refresh(id);
        }
    }

    /// The worker died on one of the items that it held.
    fn blame(&mut self, worker: WorkerId, queue: Queue, fault: Fault) {
        let attempts = queue.into_attempts();
        let is_sole = attempts.len() == 1;
        for attempt in attempts {
            let rest = attempt.rest();
            if is_sole && attempt.range.items == 1 {
                self.charge(worker, attempt.job, rest, fault);
            } else if attempt.manner.is_exclusive() {
                let (culprit, others) = split(rest, 1);
                self.requeue(attempt.job, culprit, Manner::Alone);
                self.requeue(attempt.job, others, Manner::Suspect);
            } else {
                self.requeue(attempt.job, rest, Manner::Suspect);
            }
        }
    }

    /// The worker died on the item that it had named, unless that was answered
    /// after all.
    fn blame_named(&mut self, worker: WorkerId, queue: Queue, (named, offset): (AttemptId, u32), fault: Fault) {
        for attempt in queue.into_attempts() {
            let Attempt { job, answered, .. } = attempt;
            if attempt.id != named || offset < answered {
                self.requeue(job, attempt.rest(), Manner::Plain);
                continue;
            }
            let (before, rest) = split(attempt.rest(), offset - answered);
            let (culprit, after) = split(rest, 1);
            self.requeue(job, before, Manner::Plain);
            self.charge(worker, job, culprit, fault);
            self.requeue(job, after, Manner::Plain);
        }
    }

    /// Charges an attempt to a single item.
    fn charge(&mut self, worker: WorkerId, id: JobId, item: Range, fault: Fault) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let Range { chunk, from, .. } = item;
        if let Verdict::Failed { attempts } = job.charge(chunk, from, fault) {
            let charge = Action::Charge { job: id, chunk, item: from, worker, attempts, fault };
            self.actions.push_back(charge);
            job.settle(item, 0, &mut self.actions);
        }
        self.refresh(id);
        self.finish_if_done(id);
    }
}

/// The first so many items of a range, and the rest.
fn split(range: Range, first: u32) -> (Range, Range) {
    let Range { chunk, from, items } = range;
    let first = first.min(items);
    (Range { chunk, from, items: first }, Range { chunk, from: from + first, items: items - first })
}
