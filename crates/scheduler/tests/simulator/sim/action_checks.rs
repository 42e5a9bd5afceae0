//! Checks every action against the oracle's data.

use std::ops::Range;
use std::time::Duration;

use procession_scheduler::{
    Action, AttemptId, CHUNK_OVERHEAD, ChunkId, ChunkSize, Fault, GiveUp, JobId, RunTime, SILENCE_GRACE, Scheduler,
    Slot, WorkerId,
};

use super::oracle::{Attempt, Check, DueCharge, Expected, Item, Job, Oracle, Worker};

/// For how long a lack of resources ends no run.
const LACK_PATIENCE: Duration = Duration::from_secs(30);

/// Fails the run with a message unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}

impl Job {
    /// Waiting items are sent.
    fn hold(&mut self, attempt: AttemptId, chunk: ChunkId, items: Range<u32>) -> Check {
        let Some(place) = self.chunks.get_mut(&chunk) else {
            return Err("no such chunk".to_owned());
        };
        let is_there = !items.is_empty() && items.end as usize <= place.items.len();
        ensure!(is_there, "no such items");
        for item in items {
            let item = &mut place.items[item as usize];
            ensure!(*item == Item::Waiting, "sent an item that is {item:?}");
            *item = Item::Held(attempt);
        }
        Ok(())
    }
}

impl Worker {
    /// The worker is sent an attempt.
    fn take(&mut self, attempt: Attempt, now: RunTime) -> Check {
        ensure!(self.ready, "sent to a worker that is not ready");
        let is_well = self.killed.is_none() && !self.dismissed && self.aborting.is_none();
        ensure!(is_well, "sent to the dying");
        if let Some(first) = self.held.front() {
            ensure!(!attempt.each && !first.each, "not alone in its worker");
            let is_known = self.familiar.contains(&attempt.job);
            ensure!(is_known, "more than one chunk for a worker that is new");
        } else {
            self.quiet_since = now;
        }
        self.given += u64::from(attempt.items);
        self.held.push_back(attempt);
        Ok(())
    }
}

/// Notes an action and reports what is wrong with it.
impl Oracle {
    pub(crate) fn on_action(&mut self, action: &Action) -> Check {
        let is_late = matches!(action, Action::Discard { .. } | Action::JobDone { .. });
        ensure!(!self.closed || is_late, "after the end");
        if let Action::Send { worker, .. } | Action::Kill { worker, .. } = *action {
            self.touched.insert(worker);
        }
        match *action {
            Action::Spawn { worker, slot } => self.on_spawn(worker, slot),
            Action::Cut { job, max_items, .. } => self.on_cut_wanted(job, max_items),
            Action::Send { .. } => self.on_send(action),
            Action::Accept { attempt, job, chunk, from, items } => self.on_accept(attempt, job, chunk, from, items),
            Action::Discard { .. } => self.on_discard(),
            Action::Charge { job, chunk, item, worker, attempts, fault } => {
                self.on_charge((job, chunk, item, worker, attempts, fault))
            }
            Action::Deliver { job, chunk, from, items } => self.on_deliver(job, chunk, from, items),
            Action::Forget { job, chunk } => self.on_forget(job, chunk),
            Action::Retire { worker } => self.on_dismissed(worker, true),
            Action::Terminate { worker } => self.on_dismissed(worker, false),
            Action::Kill { worker, .. } => self.on_kill(worker),
            Action::JobDone { job, stopped } => self.on_done(job, stopped),
            Action::GiveUp { reason: GiveUp::CannotStart { failures } } => self.on_give_up(failures),
            Action::Closed => {
                ensure!(self.workers.is_empty(), "closed with workers left");
                ensure!(self.jobs.is_empty(), "closed with jobs left");
                self.closed = true;
                Ok(())
            }
        }
    }

    fn on_spawn(&mut self, worker: WorkerId, slot: Slot) -> Check {
        ensure!(!self.ending, "a worker is spawned at the end");
        ensure!(slot.0 < self.options.slots, "there is no such slot");
        let before = self.workers.insert(worker, Worker::default());
        ensure!(before.is_none(), "a worker is spawned twice");
        let most = self.options.slots as usize;
        ensure!(self.workers.len() <= most, "more workers than slots");
        Ok(())
    }

    fn on_discard(&mut self) -> Check {
        self.expected = match self.expected {
            Expected::Discard => Expected::Nothing,
            Expected::DiscardAndKill(worker) => Expected::Kill(worker),
            other => return Err(format!("discarded instead of {other:?}")),
        };
        Ok(())
    }

    fn on_charge(&mut self, charged: DueCharge) -> Check {
        let found = self.due_charges.pop();
        ensure!(found == Some(charged), "charged, but {found:?}");
        let (job, chunk, item, ..) = charged;
        self.outcomes.entry(job).or_default().1.push((chunk, item));
        self.settle(job, chunk, item, 1, 0)
    }

    fn on_dismissed(&mut self, id: WorkerId, is_retired: bool) -> Check {
        let Some(worker) = self.workers.get_mut(&id) else {
            return Err("nobody there to end".to_owned());
        };
        ensure!(worker.killed.is_none(), "killed before");
        ensure!(!is_retired || !worker.dismissed, "retired twice");
        let is_free = worker.held.iter().all(|held| !self.jobs.contains_key(&held.job));
        ensure!(!is_retired || is_free, "retired with work");
        worker.dismissed = true;
        Ok(())
    }

    fn on_give_up(&mut self, failures: u32) -> Check {
        ensure!(!self.workers.values().any(Worker::has_hope), "gave up while there was hope");
        let counted = self.failures + self.refusals;
        let lacks = self.lack_since.is_some_and(|since| since + LACK_PATIENCE <= self.now);
        ensure!(lacks || failures == counted, "{counted} failures, not {failures}");
        let is_due = failures >= self.options.start_failures || self.first_ready.is_none();
        ensure!(lacks || is_due, "gave up too early");
        self.gave_up = true;
        self.ending = true;
        Ok(())
    }

    fn on_cut_wanted(&mut self, id: JobId, max_items: u32) -> Check {
        ensure!(self.cutting.replace(id).is_none(), "asked to cut twice");
        ensure!(max_items > 0, "asked to cut nothing");
        let Some(job) = self.jobs.get(&id) else {
            return Err("no such job".to_owned());
        };
        ensure!(job.has_room(), "cut with {} bytes held", job.held);
        ensure!(!job.input_ended, "cut after the end");
        let starting = self.workers.values().filter(|worker| worker.is_starting()).count();
        ensure!(job.waiting().count() <= starting, "cut although more waits than may be kept");
        Ok(())
    }

    fn on_send(&mut self, action: &Action) -> Check {
        let &Action::Send { worker, attempt, job: id, chunk, from, items, each } = action else {
            return Ok(());
        };
        ensure!(attempt.0 == self.next_attempt, "attempt numbers have gaps");
        self.next_attempt += 1;
        let Some(job) = self.jobs.get_mut(&id) else {
            return Err("no such job".to_owned());
        };
        job.hold(attempt, chunk, from..from + items)?;
        let culprits = job.charges.range((chunk, from)..(chunk, from + items)).count();
        ensure!(culprits == 0 || (each && items == 1), "a culprit is not alone");
        let is_one = items == 1 || each || job.options.chunk != ChunkSize::Auto;
        let silence = job.options.timeout.map(|timeout| timeout + SILENCE_GRACE);
        let Some(to) = self.workers.get_mut(&worker) else {
            return Err("sent to nobody".to_owned());
        };
        ensure!(is_one || to.familiar.contains(&id), "a large chunk for a worker that is new");
        let answered = 0;
        let is_first = to.given == 0;
        to.take(Attempt { id: attempt, job: id, chunk, from, items, answered, each, silence }, self.now)?;
        ensure!(to.held.len() <= self.options.max_depth, "too deep");
        let most = self.options.max_tasks_per_worker.unwrap_or(u64::MAX);
        ensure!(to.given <= most, "given too many items");
        self.most_given = self.most_given.max(to.given);
        if to.held.len() > 1 {
            let idle = self.workers.values().any(|worker| worker.is_idle(most));
            ensure!(!idle, "a second chunk while somebody has none");
        }
        if !is_first && self.are_first_kept() {
            let starting = self.workers.values().filter(|worker| worker.is_starting()).count();
            let waiting: usize = self.jobs.values().flat_map(Job::waiting).sum();
            ensure!(starting <= waiting, "{starting} workers are starting, and {waiting} items are left to them");
        }
        Ok(())
    }

    /// Whether the first items are kept for workers that are not ready.
    pub(super) fn are_first_kept(&self) -> bool {
        self.first_kept_until.is_none_or(|until| self.now < until)
    }

    /// Whether a worker may have nothing to do although there is work.
    fn check_idle(&self, scheduler: &Scheduler) -> Check {
        let most = self.options.max_tasks_per_worker.unwrap_or(u64::MAX);
        let idle = self.workers.iter().find(|(_, worker)| worker.is_idle(most));
        let has_work = !self.ending && self.jobs.values().any(Job::has_work);
        if let (Some((id, _)), true) = (idle, has_work) {
            let is_kept = self.are_first_kept() && self.workers.values().any(Worker::is_starting);
            ensure!(is_kept, "worker {id} is idle although there is work");
            ensure!(scheduler.poll_timeout() <= self.first_kept_until, "worker {id} may stay idle for too long");
            ensure!(scheduler.poll_timeout().is_some(), "worker {id} may stay idle for ever");
        }
        Ok(())
    }

    fn on_accept(&mut self, attempt: AttemptId, job: JobId, chunk: ChunkId, from: u32, items: u32) -> Check {
        let expected = std::mem::replace(&mut self.expected, Expected::Nothing);
        let Expected::Accept { bytes, .. } = expected else {
            return Err(format!("accepted instead of {expected:?}"));
        };
        let accepted = Expected::Accept { attempt, job, chunk, from, items, bytes };
        ensure!(accepted == expected, "accepted {accepted:?} instead of {expected:?}");
        self.outcomes.entry(job).or_default().0 += u64::from(items);
        self.settle(job, chunk, from, items, bytes)
    }

    fn settle(&mut self, id: JobId, chunk: ChunkId, from: u32, items: u32, bytes: u64) -> Check {
        let Some(job) = self.jobs.get_mut(&id) else {
            return Err("no such job".to_owned());
        };
        let Some(place) = job.chunks.get_mut(&chunk) else {
            return Err("no such chunk".to_owned());
        };
        for item in from..from + items {
            let item = &mut place.items[item as usize];
            ensure!(matches!(item, Item::Held(_) | Item::Waiting), "settled an item that is {item:?}");
            *item = Item::Settled;
        }
        place.ranges.insert((from, items));
        job.held += bytes;
        job.charges.retain(|&(other, item), _| other != chunk || !(from..from + items).contains(&item));
        Ok(())
    }

    fn on_deliver(&mut self, id: JobId, chunk: ChunkId, from: u32, items: u32) -> Check {
        let Some(job) = self.jobs.get_mut(&id) else {
            return Err("no such job".to_owned());
        };
        let Some(place) = job.chunks.get_mut(&chunk) else {
            return Err("no such chunk".to_owned());
        };
        ensure!(place.ranges.remove(&(from, items)), "delivered what was not settled like this");
        for item in from..from + items {
            place.items[item as usize] = Item::Delivered;
        }
        if place.is_delivered() {
            job.held -= CHUNK_OVERHEAD;
        }
        if job.options.ordered {
            ensure!(job.turn == (chunk.0, from), "out of order: {:?} has its turn", job.turn);
            job.turn.1 += items;
            if job.turn.1 as usize == place.items.len() {
                job.turn = (chunk.0 + 1, 0);
            }
        }
        job.prune(chunk);
        Ok(())
    }

    fn on_forget(&mut self, id: JobId, chunk: ChunkId) -> Check {
        let Some(job) = self.jobs.get_mut(&id) else {
            return Err("no such job".to_owned());
        };
        let Some(place) = job.chunks.get_mut(&chunk) else {
            return Err("no such chunk".to_owned());
        };
        ensure!(place.is_settled(), "forgot a block that is needed");
        ensure!(!std::mem::replace(&mut place.forgotten, true), "forgot a block twice");
        job.held -= place.bytes;
        job.prune(chunk);
        Ok(())
    }

    fn on_kill(&mut self, id: WorkerId) -> Check {
        let Some(worker) = self.workers.get_mut(&id) else {
            return Err("nobody there to kill".to_owned());
        };
        ensure!(worker.killed.is_none(), "killed twice");
        let is_violation = self.expected == Expected::Kill(id);
        if is_violation {
            self.expected = Expected::Nothing;
        }
        let is_ours = worker.dismissed || self.ending || worker.aborting.is_some() || is_violation;
        if worker.ready && !is_ours {
            let due = worker.silence_deadline().is_some_and(|by| by <= self.now);
            ensure!(due, "killed too early for its silence");
        }
        worker.killed = Some(match worker.aborting {
            _ if worker.dismissed || !worker.ready => None,
            Some((_, _, fault)) => Some(fault),
            None if is_violation => Some(Fault::Crashed),
            None => Some(Fault::TimedOut),
        });
        if self.ending && !is_violation {
            worker.dismissed = true;
        }
        Ok(())
    }

    fn on_done(&mut self, id: JobId, stopped: bool) -> Check {
        let job = self.jobs.remove(&id);
        ensure!(self.done.insert(id, stopped).is_none(), "done twice");
        let Some(job) = job else {
            return Err("no such job".to_owned());
        };
        if !stopped {
            ensure!(job.input_ended, "done before its input ended");
            let complete = job.chunks.is_empty();
            ensure!(complete, "done before all was delivered");
        }
        Ok(())
    }

    /// Checks what must hold when the queue of actions is empty.
    pub(crate) fn after_drain(&mut self, scheduler: &Scheduler) -> Check {
        self.after_step(scheduler)?;
        for (&id, job) in &self.jobs {
            let late = job.chunks.values().any(|chunk| chunk.is_settled() && !chunk.forgotten);
            ensure!(!late, "job {id}: a block is kept for nothing");
        }
        for (&id, worker) in &self.workers {
            self.check_worker(id, worker, scheduler)?;
        }
        self.check_idle(scheduler)?;
        scheduler.check_invariants()
    }

    /// The same checks, for the workers of the last events and actions only.
    pub(crate) fn after_step(&mut self, scheduler: &Scheduler) -> Check {
        ensure!(self.expected == Expected::Nothing, "missing: {:?}", self.expected);
        ensure!(self.due_charges.is_empty(), "not charged: {:?}", self.due_charges);
        ensure!(self.cutting.is_none(), "the driver owes an answer");
        for (&id, job) in &self.jobs {
            let held = scheduler.held_bytes(id);
            ensure!(held == job.held, "job {id} holds {} bytes, not {held}", job.held);
        }
        for id in std::mem::take(&mut self.touched) {
            if let Some(worker) = self.workers.get(&id) {
                self.check_worker(id, worker, scheduler)?;
            }
        }
        ensure!(scheduler.worker_count() == self.workers.len(), "wrong number of workers");
        Ok(())
    }

    fn check_worker(&self, id: WorkerId, worker: &Worker, scheduler: &Scheduler) -> Check {
        let overdue = worker.silence_deadline().is_some_and(|by| by < self.now);
        ensure!(!overdue, "worker {id} is silent for too long");
        ensure!(scheduler.in_flight(id) == worker.held.len(), "worker {id}: wrong books");
        Ok(())
    }
}
