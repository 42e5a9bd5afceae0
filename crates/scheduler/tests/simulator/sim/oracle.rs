//! The oracle: what the scheduler was told and what it requested, in the simplest
//! possible data, and what must hold at any time.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use procession_scheduler::{
    AttemptId, CHUNK_OVERHEAD, ChunkId, Fault, JobId, JobOptions, PoolOptions, RunTime, SchedulerEvent, WorkerId,
};

/// For how long the first items are kept for workers that are not ready.
const KEEPING_TIME: Duration = Duration::from_millis(250);

pub(crate) type Check = Result<(), String>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Waiting,
    Held(AttemptId),
    Settled,
    Delivered,
}

#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) bytes: u64,
    pub(super) items: Vec<Item>,
    pub(super) forgotten: bool,
    /// Settled ranges that are not delivered.
    pub(super) ranges: BTreeSet<(u32, u32)>,
}

impl Chunk {
    pub(super) fn is_settled(&self) -> bool {
        self.items.iter().all(|item| matches!(item, Item::Settled | Item::Delivered))
    }

    pub(super) fn is_delivered(&self) -> bool {
        self.items.iter().all(|&item| item == Item::Delivered)
    }
}

#[derive(Debug)]
pub(super) struct Job {
    pub(super) options: JobOptions,
    /// The chunks that are not both delivered and forgotten.
    pub(super) chunks: BTreeMap<ChunkId, Chunk>,
    pub(super) cut: u64,
    /// The next range to be delivered, in an ordered job: chunk and item.
    pub(super) turn: (u64, u32),
    pub(super) held: u64,
    pub(super) charges: BTreeMap<(ChunkId, u32), u32>,
    pub(super) input_ended: bool,
    /// There are no items to cut at the moment.
    pub(super) is_pending: bool,
}

impl Job {
    pub(super) fn has_room(&self) -> bool {
        self.held < self.options.window_bytes || self.held == 0
    }

    /// The number of items that wait in each chunk where any do.
    pub(super) fn waiting(&self) -> impl Iterator<Item = usize> {
        let waiting = |chunk: &Chunk| chunk.items.iter().filter(|&&item| item == Item::Waiting).count();
        self.chunks.values().map(waiting).filter(|&items| items > 0)
    }

    /// Whether a worker could be given something.
    pub(super) fn has_work(&self) -> bool {
        self.waiting().next().is_some() || (!self.input_ended && !self.is_pending && self.has_room())
    }

    /// Drops a chunk that is delivered and forgotten: the only possible error left is
    /// that it appears again.
    pub(super) fn prune(&mut self, id: ChunkId) {
        if self.chunks.get(&id).is_some_and(|chunk| chunk.forgotten && chunk.is_delivered()) {
            self.chunks.remove(&id);
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Attempt {
    pub(super) id: AttemptId,
    pub(super) job: JobId,
    pub(super) chunk: ChunkId,
    pub(super) from: u32,
    pub(super) items: u32,
    pub(super) answered: u32,
    pub(super) each: bool,
    /// How long its worker may send nothing.
    pub(super) silence: Option<Duration>,
}

/// What the scheduler can know of a worker.
#[derive(Debug, Default)]
pub(super) struct Worker {
    pub(super) ready: bool,
    /// It has answered an item.
    pub(super) proven: bool,
    /// It could not start what its job needs.
    pub(super) refused: bool,
    pub(super) aborting: Option<(AttemptId, u32, Fault)>,
    /// Asked to end, and no item is to blame.
    pub(super) dismissed: bool,
    /// Killed, and the fault to charge if it was ready.
    pub(super) killed: Option<Option<Fault>>,
    pub(super) held: VecDeque<Attempt>,
    pub(super) given: u64,
    pub(super) familiar: BTreeSet<JobId>,
    /// The time since which it has sent nothing while it held work.
    pub(super) quiet_since: RunTime,
}

impl Worker {
    /// The time at which it must be killed unless it sends something.
    pub(super) fn silence_deadline(&self) -> Option<RunTime> {
        let is_heard = self.ready && self.killed.is_none() && !self.dismissed;
        let silence = self.held.front().and_then(|first| first.silence);
        silence.filter(|_| is_heard && self.aborting.is_none()).map(|silence| self.quiet_since + silence)
    }

    fn is_well(&self) -> bool {
        self.killed.is_none() && !self.dismissed && self.aborting.is_none()
    }

    /// Whether it holds nothing and can take work.
    pub(super) fn is_idle(&self, most: u64) -> bool {
        self.ready && self.is_well() && self.held.is_empty() && self.given < most
    }

    pub(super) fn is_starting(&self) -> bool {
        !self.ready && self.is_well()
    }

    /// Whether somebody else's failed start cannot end the run because of it.
    pub(super) fn works(&self, others_refused: bool) -> bool {
        self.ready && self.is_well() && (self.proven || !others_refused)
    }

    /// Whether it may still work, or its failed start is still to be counted.
    pub(super) fn has_hope(&self) -> bool {
        let failed = !self.ready || self.refused;
        !self.dismissed && (self.killed.is_none() || failed)
    }
}

/// What must follow an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    Nothing,
    Accept { attempt: AttemptId, job: JobId, chunk: ChunkId, from: u32, items: u32, bytes: u64 },
    Discard,
    DiscardAndKill(WorkerId),
    Kill(WorkerId),
}

/// An item that must be charged for good now.
pub(super) type DueCharge = (JobId, ChunkId, u32, WorkerId, u32, Fault);

#[derive(Debug)]
pub(crate) struct Oracle {
    pub(super) options: PoolOptions,
    pub(super) now: RunTime,
    pub(super) jobs: BTreeMap<JobId, Job>,
    pub(crate) done: BTreeMap<JobId, bool>,
    /// Items by outcome for each job: (accepted, charged).
    pub(crate) outcomes: BTreeMap<JobId, (u64, Vec<(ChunkId, u32)>)>,
    pub(super) workers: BTreeMap<WorkerId, Worker>,
    pub(super) next_attempt: u64,
    pub(super) expected: Expected,
    pub(super) due_charges: Vec<DueCharge>,
    pub(super) cutting: Option<JobId>,
    /// The workers of the events and actions since the last check.
    pub(super) touched: BTreeSet<WorkerId>,
    pub(super) failures: u32,
    pub(super) refusals: u32,
    /// Since when spawns are refused for lack of a resource and there is no worker.
    pub(super) lack_since: Option<RunTime>,
    pub(super) first_ready: Option<RunTime>,
    /// Until when the first items are kept for workers that are not ready.
    pub(super) first_kept_until: Option<RunTime>,
    pub(crate) most_given: u64,
    pub(crate) gave_up: bool,
    pub(super) ending: bool,
    pub(crate) closed: bool,
}

impl Oracle {
    pub(crate) fn new(options: PoolOptions) -> Self {
        Self {
            options,
            now: RunTime::ZERO,
            jobs: BTreeMap::new(),
            done: BTreeMap::new(),
            outcomes: BTreeMap::new(),
            workers: BTreeMap::new(),
            next_attempt: 0,
            expected: Expected::Nothing,
            due_charges: Vec::new(),
            cutting: None,
            touched: BTreeSet::new(),
            failures: 0,
            refusals: 0,
            lack_since: None,
            first_ready: None,
            first_kept_until: None,
            most_given: 0,
            gave_up: false,
            ending: false,
            closed: false,
        }
    }

    /// Notes an event, before the scheduler sees it.
    pub(crate) fn on_event(&mut self, event: &SchedulerEvent) {
        if let SchedulerEvent::WorkerReady { worker }
        | SchedulerEvent::Answered { worker, .. }
        | SchedulerEvent::Aborting { worker, .. } = *event
        {
            self.touched.insert(worker);
        }
        match *event {
            SchedulerEvent::JobOpened { job, ref options } => self.on_opened(job, options),
            SchedulerEvent::ChunkCut { job, items, bytes } => self.on_cut(job, items, bytes),
            SchedulerEvent::InputPending { job } => {
                self.cutting = None;
                self.set_pending(job, true);
            }
            SchedulerEvent::InputReady { job } => self.set_pending(job, false),
            SchedulerEvent::Spawned { .. } => self.lack_since = None,
            SchedulerEvent::Refused { worker } => self.on_refused(worker),
            SchedulerEvent::InputEnded { job } => {
                self.cutting = None;
                if let Some(job) = self.jobs.get_mut(&job) {
                    job.input_ended = true;
                }
            }
            SchedulerEvent::SpawnFailed { worker, lasting } => {
                if let Some(gone) = self.workers.remove(&worker) {
                    self.on_spawn_failed(&gone, lasting);
                }
            }
            SchedulerEvent::WorkerReady { worker } => self.on_ready(worker),
            SchedulerEvent::Answered { worker, attempt, items, bytes, .. } => {
                self.expected = self.expect(worker, attempt, items, bytes);
            }
            SchedulerEvent::Aborting { worker, attempt, offset, fault } => {
                self.on_aborting(worker, (attempt, offset, fault));
            }
            SchedulerEvent::WorkerEnded { worker, fault } => self.on_ended(worker, fault),
            SchedulerEvent::Released { job, bytes } => {
                if let Some(job) = self.jobs.get_mut(&job) {
                    job.held -= bytes;
                }
            }
            SchedulerEvent::Terminate | SchedulerEvent::Kill => self.ending = true,
            _ => {}
        }
    }

    fn set_pending(&mut self, job: JobId, is_pending: bool) {
        if let Some(job) = self.jobs.get_mut(&job) {
            job.is_pending = is_pending;
        }
    }

    fn on_refused(&mut self, id: WorkerId) {
        if let Some(worker) = self.workers.get_mut(&id).filter(|worker| worker.is_well()) {
            worker.refused = true;
            self.expected = Expected::Kill(id);
        }
    }

    fn on_spawn_failed(&mut self, gone: &Worker, lasting: bool) {
        if lasting {
            return self.on_failed_start(gone);
        }
        if self.lack_since.is_none() || self.workers.values().any(Worker::has_hope) {
            self.lack_since = Some(self.now);
        }
    }

    /// Counts a failed start, unless others work.
    fn on_failed_start(&mut self, gone: &Worker) {
        if !self.workers.values().any(|worker| worker.works(gone.refused)) {
            let count = if gone.refused { &mut self.refusals } else { &mut self.failures };
            *count += 1;
        }
    }

    pub(super) fn on_opened(&mut self, id: JobId, options: &JobOptions) {
        let job = Job {
            options: options.clone(),
            chunks: BTreeMap::new(),
            cut: 0,
            turn: (0, 0),
            held: 0,
            charges: BTreeMap::new(),
            input_ended: false,
            is_pending: false,
        };
        self.jobs.insert(id, job);
        self.outcomes.insert(id, (0, Vec::new()));
    }

    pub(super) fn on_cut(&mut self, id: JobId, items: u32, bytes: u64) {
        self.cutting = None;
        if let Some(job) = self.jobs.get_mut(&id) {
            let items = vec![Item::Waiting; items as usize];
            job.held += bytes + CHUNK_OVERHEAD;
            let chunk = Chunk { bytes, items, forgotten: false, ranges: BTreeSet::new() };
            job.chunks.insert(ChunkId(job.cut), chunk);
            job.cut += 1;
        }
    }

    pub(super) fn on_ready(&mut self, worker: WorkerId) {
        if let Some(worker) = self.workers.get_mut(&worker)
            && worker.killed.is_none()
            && !worker.dismissed
        {
            worker.ready = true;
            worker.quiet_since = self.now;
            self.failures = 0;
            self.lack_since = None;
            if self.are_first_kept() {
                self.first_kept_until = Some(self.now + KEEPING_TIME);
            }
            self.first_ready.get_or_insert(self.now);
        }
    }

    pub(super) fn on_aborting(&mut self, id: WorkerId, named: (AttemptId, u32, Fault)) {
        let Some(worker) = self.workers.get_mut(&id) else {
            return;
        };
        if worker.killed.is_some() || worker.dismissed || worker.aborting.is_some() {
            return;
        }
        if !worker.ready {
            self.expected = Expected::Kill(id);
            return;
        }
        let fits = |held: &Attempt| held.id == named.0 && held.answered <= named.1 && named.1 < held.items;
        if worker.held.iter().any(fits) {
            worker.aborting = Some(named);
        }
    }

    pub(super) fn expect(&mut self, id: WorkerId, attempt: AttemptId, items: u32, bytes: u64) -> Expected {
        let next = self.next_attempt;
        let Some(worker) = self.workers.get_mut(&id) else {
            return Expected::Discard;
        };
        let must_kill = worker.killed.is_none() && !worker.dismissed;
        let impossible = if must_kill { Expected::DiscardAndKill(id) } else { Expected::Discard };
        let Some(first) = worker.held.front_mut() else {
            return if attempt.0 < next { Expected::Discard } else { impossible };
        };
        if attempt < first.id || items == 0 {
            return Expected::Discard;
        }
        if !worker.ready && must_kill || attempt > first.id || items > first.items - first.answered {
            return impossible;
        }
        let Attempt { job, chunk, answered, .. } = *first;
        worker.proven = true;
        (self.failures, self.refusals) = (0, 0);
        worker.quiet_since = self.now;
        let from = first.from + answered;
        first.answered += items;
        if first.answered == first.items {
            worker.held.pop_front();
        }
        if !self.jobs.contains_key(&job) {
            return Expected::Discard;
        }
        worker.familiar.insert(job);
        Expected::Accept { attempt, job, chunk, from, items, bytes }
    }

    /// Its items wait again. If one item is to blame, it is known here.
    pub(super) fn on_ended(&mut self, id: WorkerId, told: Fault) {
        let Some(worker) = self.workers.remove(&id) else {
            return;
        };
        self.release(&worker);
        if worker.dismissed {
            return;
        }
        if !worker.ready || worker.refused {
            return self.on_failed_start(&worker);
        }
        if let Some((attempt, offset, fault)) = worker.aborting {
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

    pub(super) fn release(&mut self, worker: &Worker) {
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

    pub(super) fn charge(&mut self, id: JobId, chunk: ChunkId, item: u32, worker: WorkerId, fault: Fault) {
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
        if !again || job.options.retries.is_some_and(|retries| *attempts > retries) {
            self.due_charges.push((id, chunk, item, worker, *attempts, fault));
        }
    }
}
