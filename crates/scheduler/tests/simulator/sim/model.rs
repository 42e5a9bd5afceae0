//! The oracle: what the scheduler was told and what it asked for, in the
//! simplest books possible, and what must never be.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use procession_scheduler::{
    Action, AttemptId, CHUNK_OVERHEAD, ChunkId, ChunkSize, Event, Fault, GiveUp, JobId, JobOptions,
    PoolOptions, Scheduler, WorkerId,
};

/// Fails the run with a message unless the condition holds.
macro_rules! ensure {
    ($condition:expr, $($message:tt)+) => {
        if !$condition {
            return Err(format!($($message)+));
        }
    };
}

pub(crate) type Check = Result<(), String>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Waiting,
    Held(AttemptId),
    Settled,
    Delivered,
}

#[derive(Debug)]
struct Chunk {
    bytes: u64,
    items: Vec<Item>,
    forgotten: bool,
    /// Settled ranges that are not delivered.
    ranges: BTreeSet<(u32, u32)>,
}

impl Chunk {
    fn is_settled(&self) -> bool {
        self.items
            .iter()
            .all(|item| matches!(item, Item::Settled | Item::Delivered))
    }

    fn is_delivered(&self) -> bool {
        self.items.iter().all(|&item| item == Item::Delivered)
    }
}

#[derive(Debug)]
struct Job {
    options: JobOptions,
    /// Those that are not delivered and forgotten.
    chunks: BTreeMap<ChunkId, Chunk>,
    cut: u64,
    /// The place of the next delivery, if that is in order.
    turn: (u64, u32),
    held: u64,
    charges: BTreeMap<(ChunkId, u32), u32>,
    input_ended: bool,
}

impl Job {
    /// Nothing can go wrong with a chunk that is delivered and forgotten, but
    /// that it comes up again.
    fn prune(&mut self, id: ChunkId) {
        if self
            .chunks
            .get(&id)
            .is_some_and(|chunk| chunk.forgotten && chunk.is_delivered())
        {
            self.chunks.remove(&id);
        }
    }
}

#[derive(Clone, Debug)]
struct Attempt {
    id: AttemptId,
    job: JobId,
    chunk: ChunkId,
    from: u32,
    items: u32,
    answered: u32,
    each: bool,
}

/// What the scheduler can know of a worker.
#[derive(Debug, Default)]
struct Worker {
    ready: bool,
    condemned: Option<(AttemptId, u32, Fault)>,
    /// Asked to go, and no item is to blame for that.
    dismissed: bool,
    /// Killed, and if it was ready, what for.
    killed: Option<Option<Fault>>,
    held: VecDeque<Attempt>,
    given: u64,
    familiar: BTreeSet<JobId>,
}

/// What has to come of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Nothing,
    Accept {
        attempt: AttemptId,
        job: JobId,
        chunk: ChunkId,
        from: u32,
        items: u32,
        bytes: u64,
    },
    Discard,
    DiscardAndKill(WorkerId),
    Kill(WorkerId),
}

/// An item that has to be charged for good now.
type Sentence = (JobId, ChunkId, u32, WorkerId, u32, Fault);

#[derive(Debug)]
pub(crate) struct Model {
    options: PoolOptions,
    jobs: BTreeMap<JobId, Job>,
    pub(crate) done: BTreeMap<JobId, bool>,
    /// Items by outcome, per job: (accepted, charged).
    pub(crate) outcomes: BTreeMap<JobId, (u64, Vec<(ChunkId, u32)>)>,
    workers: BTreeMap<WorkerId, Worker>,
    next_attempt: u64,
    expected: Expected,
    sentences: Vec<Sentence>,
    cutting: Option<JobId>,
    failures: u32,
    ever_ready: bool,
    pub(crate) gave_up: bool,
    ending: bool,
    pub(crate) closed: bool,
}

impl Model {
    pub(crate) fn new(options: PoolOptions) -> Self {
        Self {
            options,
            jobs: BTreeMap::new(),
            done: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            workers: BTreeMap::new(),
            next_attempt: 0,
            expected: Expected::Nothing,
            sentences: Vec::new(),
            cutting: None,
            failures: 0,
            ever_ready: false,
            gave_up: false,
            ending: false,
            closed: false,
        }
    }

    /// Notes an event, before the scheduler sees it.
    pub(crate) fn on_event(&mut self, event: &Event) {
        match *event {
            Event::JobOpened { job, ref options } => self.on_opened(job, options),
            Event::ChunkCut { job, items, bytes } => self.on_cut(job, items, bytes),
            Event::InputPending { .. } => self.cutting = None,
            Event::InputEnded { job } => {
                self.cutting = None;
                if let Some(job) = self.jobs.get_mut(&job) {
                    job.input_ended = true;
                }
            }
            Event::SpawnFailed { worker, lasting } => {
                if let Some(gone) = self.workers.remove(&worker) {
                    self.release(&gone);
                    self.failures += u32::from(lasting || self.workers.is_empty());
                }
            }
            Event::WorkerReady { worker } => self.on_ready(worker),
            Event::Answered {
                worker,
                attempt,
                items,
                bytes,
                ..
            } => {
                self.expected = self.expect(worker, attempt, items, bytes);
            }
            Event::Condemned {
                worker,
                attempt,
                offset,
                fault,
            } => {
                self.on_condemned(worker, (attempt, offset, fault));
            }
            Event::WorkerEnded { worker, fault } => self.on_ended(worker, fault),
            Event::Released { job, bytes } => {
                if let Some(job) = self.jobs.get_mut(&job) {
                    job.held -= bytes;
                }
            }
            Event::Terminate | Event::Kill => self.ending = true,
            _ => {}
        }
    }

    fn on_opened(&mut self, id: JobId, options: &JobOptions) {
        let job = Job {
            options: options.clone(),
            chunks: BTreeMap::new(),
            cut: 0,
            turn: (0, 0),
            held: 0,
            charges: BTreeMap::new(),
            input_ended: false,
        };
        self.jobs.insert(id, job);
        self.outcomes.insert(id, (0, Vec::new()));
    }

    fn on_cut(&mut self, id: JobId, items: u32, bytes: u64) {
        self.cutting = None;
        if let Some(job) = self.jobs.get_mut(&id) {
            let items = vec![Item::Waiting; items as usize];
            job.held += bytes + CHUNK_OVERHEAD;
            let chunk = Chunk {
                bytes,
                items,
                forgotten: false,
                ranges: BTreeSet::new(),
            };
            job.chunks.insert(ChunkId(job.cut), chunk);
            job.cut += 1;
        }
    }

    fn on_ready(&mut self, worker: WorkerId) {
        if let Some(worker) = self.workers.get_mut(&worker)
            && worker.killed.is_none()
            && !worker.dismissed
        {
            worker.ready = true;
            self.failures = 0;
            self.ever_ready = true;
        }
    }

    fn on_condemned(&mut self, id: WorkerId, named: (AttemptId, u32, Fault)) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        if worker.killed.is_some() || worker.dismissed || worker.condemned.is_some() {
            return;
        }
        if !worker.ready {
            self.expected = Expected::Kill(id);
            return;
        }
        let fits =
            |held: &Attempt| held.id == named.0 && held.answered <= named.1 && named.1 < held.items;
        if worker.held.iter().any(fits) {
            worker.condemned = Some(named);
        }
    }

    fn expect(&mut self, id: WorkerId, attempt: AttemptId, items: u32, bytes: u64) -> Expected {
        let next = self.next_attempt;
        let Some(worker) = self.workers.get_mut(&id) else {
            return Expected::Discard;
        };
        let must_kill = worker.killed.is_none() && !worker.dismissed;
        let impossible = if must_kill {
            Expected::DiscardAndKill(id)
        } else {
            Expected::Discard
        };
        let Some(first) = worker.held.front_mut() else {
            return if attempt.0 < next {
                Expected::Discard
            } else {
                impossible
            };
        };
        if attempt < first.id || items == 0 {
            return Expected::Discard;
        }
        if !worker.ready && must_kill || attempt > first.id || items > first.items - first.answered
        {
            return impossible;
        }
        let Attempt {
            job,
            chunk,
            answered,
            ..
        } = *first;
        let from = first.from + answered;
        first.answered += items;
        if first.answered == first.items {
            worker.held.pop_front();
        }
        if !self.jobs.contains_key(&job) {
            return Expected::Discard;
        }
        worker.familiar.insert(job);
        Expected::Accept {
            attempt,
            job,
            chunk,
            from,
            items,
            bytes,
        }
    }

    /// Its items are free again, and if one is to blame, that one is known.
    fn on_ended(&mut self, id: WorkerId, told: Fault) {
        let Some(worker) = self.workers.remove(&id) else {
            return;
        };
        self.release(&worker);
        if worker.dismissed {
            return;
        }
        if !worker.ready {
            self.failures += 1;
            return;
        }
        if let Some((attempt, offset, fault)) = worker.condemned {
            let held = worker.held.iter().find(|held| held.id == attempt);
            if let Some(held) = held.filter(|held| held.answered <= offset) {
                self.charge(held.job, held.chunk, held.from + offset, id, fault);
            }
        } else if let [only] = Vec::from(worker.held.clone()).as_slice()
            && only.items == 1
        {
            let fault = worker.killed.flatten().unwrap_or(told);
            self.charge(only.job, only.chunk, only.from, id, fault);
        }
    }

    fn release(&mut self, worker: &Worker) {
        for held in &worker.held {
            let Some(job) = self.jobs.get_mut(&held.job) else {
                continue;
            };
            let Some(chunk) = job.chunks.get_mut(&held.chunk) else {
                continue;
            };
            for item in held.from + held.answered..held.from + held.items {
                chunk.items[item as usize] = Item::Waiting;
            }
        }
    }

    fn charge(&mut self, id: JobId, chunk: ChunkId, item: u32, worker: WorkerId, fault: Fault) {
        let Some(job) = self.jobs.get_mut(&id) else {
            return;
        };
        let attempts = job.charges.entry((chunk, item)).or_default();
        *attempts += 1;
        let again = match fault {
            Fault::Crashed => job.options.retry_crashed,
            Fault::TimedOut => job.options.retry_timed_out,
            Fault::OutOfMemory => job.options.retry_out_of_memory,
        };
        if !again
            || job
                .options
                .retries
                .is_some_and(|retries| *attempts > retries)
        {
            self.sentences
                .push((id, chunk, item, worker, *attempts, fault));
        }
    }
}

/// Notes an action and says what is wrong with it.
impl Model {
    pub(crate) fn on_action(&mut self, action: &Action) -> Check {
        let is_late = matches!(action, Action::Discard { .. } | Action::JobDone { .. });
        ensure!(!self.closed || is_late, "after the end");
        match *action {
            Action::Spawn { worker, slot } => {
                ensure!(!self.ending, "a worker is spawned at the end");
                ensure!(slot.0 < self.options.slots, "there is no such slot");
                let before = self.workers.insert(worker, Worker::default());
                ensure!(before.is_none(), "a worker is spawned twice");
                let most = self.options.slots as usize;
                ensure!(self.workers.len() <= most, "more workers than slots");
            }
            Action::Cut { job, max_items, .. } => self.on_cut_wanted(job, max_items)?,
            Action::Send { .. } => self.on_send(action)?,
            Action::Accept {
                attempt,
                job,
                chunk,
                from,
                items,
            } => {
                self.on_accept(attempt, job, chunk, from, items)?;
            }
            Action::Discard { .. } => {
                self.expected = match self.expected {
                    Expected::Discard => Expected::Nothing,
                    Expected::DiscardAndKill(worker) => Expected::Kill(worker),
                    other => return Err(format!("discarded instead of {other:?}")),
                }
            }
            Action::Charge {
                job,
                chunk,
                item,
                worker,
                attempts,
                fault,
            } => {
                let found = self.sentences.pop();
                ensure!(
                    found == Some((job, chunk, item, worker, attempts, fault)),
                    "charged, but {found:?}"
                );
                self.settle(job, chunk, item, 1, 0)?;
                self.outcomes.entry(job).or_default().1.push((chunk, item));
            }
            Action::Deliver {
                job,
                chunk,
                from,
                items,
            } => self.on_deliver(job, chunk, from, items)?,
            Action::Forget { job, chunk } => self.on_forget(job, chunk)?,
            Action::Retire { worker } | Action::Terminate { worker } => {
                let Some(worker) = self.workers.get_mut(&worker) else {
                    return Err("nobody there to end".to_owned());
                };
                ensure!(worker.killed.is_none(), "killed before");
                let is_retire = matches!(action, Action::Retire { .. });
                ensure!(!is_retire || !worker.dismissed, "retired twice");
                ensure!(
                    !is_retire
                        || worker
                            .held
                            .iter()
                            .all(|held| !self.jobs.contains_key(&held.job)),
                    "retired with work"
                );
                worker.dismissed = true;
            }
            Action::Kill { worker } => self.on_kill(worker)?,
            Action::JobDone { job, stopped } => self.on_done(job, stopped)?,
            Action::GiveUp {
                reason: GiveUp::CannotStart { failures },
            } => {
                ensure!(
                    failures == self.failures,
                    "{} failures, not {failures}",
                    self.failures
                );
                let is_due = failures >= self.options.start_failures || !self.ever_ready;
                ensure!(is_due, "gave up too early");
                self.gave_up = true;
                self.ending = true;
            }
            Action::Closed => {
                ensure!(self.workers.is_empty(), "closed with workers left");
                ensure!(self.jobs.is_empty(), "closed with jobs left");
                self.closed = true;
            }
        }
        Ok(())
    }

    fn on_cut_wanted(&mut self, id: JobId, max_items: u32) -> Check {
        ensure!(self.cutting.replace(id).is_none(), "asked to cut twice");
        ensure!(max_items > 0, "asked to cut nothing");
        let Some(job) = self.jobs.get(&id) else {
            return Err("no such job".to_owned());
        };
        let room = job.held < job.options.window_bytes || job.held == 0;
        ensure!(room, "cut with {} bytes held", job.held);
        ensure!(!job.input_ended, "cut after the end");
        let waiting = job.chunks.values().flat_map(|chunk| &chunk.items);
        ensure!(
            !waiting.clone().any(|&item| item == Item::Waiting),
            "cut before a retry"
        );
        Ok(())
    }

    fn on_send(&mut self, action: &Action) -> Check {
        let &Action::Send {
            worker,
            attempt,
            job: id,
            chunk,
            from,
            items,
            each,
        } = action
        else {
            return Ok(());
        };
        ensure!(attempt.0 == self.next_attempt, "attempt numbers have gaps");
        self.next_attempt += 1;
        let Some(job) = self.jobs.get_mut(&id) else {
            return Err("no such job".to_owned());
        };
        let Some(place) = job.chunks.get_mut(&chunk) else {
            return Err("no such chunk".to_owned());
        };
        ensure!(
            items > 0 && (from + items) as usize <= place.items.len(),
            "no such items"
        );
        for item in from..from + items {
            let item = &mut place.items[item as usize];
            ensure!(*item == Item::Waiting, "sent an item that is {item:?}");
            *item = Item::Held(attempt);
        }
        let suspects = job
            .charges
            .range((chunk, from)..(chunk, from + items))
            .next()
            .is_some();
        ensure!(!suspects || (each && items == 1), "a culprit is not alone");
        let auto = job.options.chunk == ChunkSize::Auto;
        let Some(to) = self.workers.get_mut(&worker) else {
            return Err("sent to nobody".to_owned());
        };
        ensure!(
            to.killed.is_none() && !to.dismissed && to.condemned.is_none(),
            "sent to the dying"
        );
        ensure!(
            to.held.is_empty() || (!each && !to.held[0].each),
            "not alone in its worker"
        );
        let stranger = !to.familiar.contains(&id);
        ensure!(
            !stranger || to.held.is_empty(),
            "more than one chunk for a worker that is new"
        );
        ensure!(
            !stranger || each || !auto || items == 1,
            "a large chunk for a worker that is new"
        );
        to.held.push_back(Attempt {
            id: attempt,
            job: id,
            chunk,
            from,
            items,
            answered: 0,
            each,
        });
        ensure!(to.held.len() <= self.options.max_depth, "too deep");
        to.given += u64::from(items);
        let most = self.options.max_tasks_per_worker.unwrap_or(u64::MAX);
        ensure!(to.given <= most, "given too many items");
        Ok(())
    }

    fn on_accept(
        &mut self,
        attempt: AttemptId,
        job: JobId,
        chunk: ChunkId,
        from: u32,
        items: u32,
    ) -> Check {
        let expected = std::mem::replace(&mut self.expected, Expected::Nothing);
        let Expected::Accept { bytes, .. } = expected else {
            return Err(format!("accepted instead of {expected:?}"));
        };
        let accepted = Expected::Accept {
            attempt,
            job,
            chunk,
            from,
            items,
            bytes,
        };
        ensure!(
            accepted == expected,
            "accepted {accepted:?} instead of {expected:?}"
        );
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
            ensure!(
                matches!(item, Item::Held(_) | Item::Waiting),
                "settled an item that is {item:?}"
            );
            *item = Item::Settled;
        }
        place.ranges.insert((from, items));
        job.held += bytes;
        job.charges
            .retain(|&(other, item), _| other != chunk || !(from..from + items).contains(&item));
        Ok(())
    }

    fn on_deliver(&mut self, id: JobId, chunk: ChunkId, from: u32, items: u32) -> Check {
        let Some(job) = self.jobs.get_mut(&id) else {
            return Err("no such job".to_owned());
        };
        let Some(place) = job.chunks.get_mut(&chunk) else {
            return Err("no such chunk".to_owned());
        };
        ensure!(
            place.ranges.remove(&(from, items)),
            "delivered what was not settled like this"
        );
        for item in from..from + items {
            place.items[item as usize] = Item::Delivered;
        }
        if place.is_delivered() {
            job.held -= CHUNK_OVERHEAD;
        }
        if job.options.ordered {
            ensure!(
                job.turn == (chunk.0, from),
                "out of order: {:?} has its turn",
                job.turn
            );
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
        ensure!(
            !std::mem::replace(&mut place.forgotten, true),
            "forgot a block twice"
        );
        job.held -= place.bytes;
        job.prune(chunk);
        Ok(())
    }

    fn on_kill(&mut self, id: WorkerId) -> Check {
        let Some(worker) = self.workers.get_mut(&id) else {
            return Err("nobody there to kill".to_owned());
        };
        ensure!(worker.killed.is_none(), "killed twice");
        let nonsense = self.expected == Expected::Kill(id);
        if nonsense {
            self.expected = Expected::Nothing;
        }
        worker.killed = Some(match worker.condemned {
            _ if worker.dismissed || !worker.ready => None,
            Some((_, _, fault)) => Some(fault),
            None if nonsense => Some(Fault::Crashed),
            None => Some(Fault::TimedOut),
        });
        if self.ending && !nonsense {
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

    /// What must be true when the queue of actions is empty.
    pub(crate) fn after_drain(&self, scheduler: &Scheduler) -> Check {
        ensure!(
            self.expected == Expected::Nothing,
            "missing: {:?}",
            self.expected
        );
        ensure!(
            self.sentences.is_empty(),
            "not charged: {:?}",
            self.sentences
        );
        ensure!(self.cutting.is_none(), "the driver owes an answer");
        for (&id, job) in &self.jobs {
            let held = scheduler.held_bytes(id);
            ensure!(
                held == job.held,
                "job {id} holds {} bytes, not {held}",
                job.held
            );
            let late = job
                .chunks
                .values()
                .any(|chunk| chunk.is_settled() && !chunk.forgotten);
            ensure!(!late, "a block is kept for nothing");
        }
        for (&id, worker) in &self.workers {
            ensure!(
                scheduler.in_flight(id) == worker.held.len(),
                "worker {id}: wrong books"
            );
        }
        ensure!(
            scheduler.worker_count() == self.workers.len(),
            "wrong number of workers"
        );
        scheduler.check_invariants()
    }
}
