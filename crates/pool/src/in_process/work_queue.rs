//! What the threads of a job share: the input that they cut chunks from, and the
//! order in which their results are delivered.

use super::job_control::JobControl;
use crate::jobs::{Account, Batch, Credit, Cut, Delivery, InputBlock, Job, Waker};
use procession_scheduler::Sizing;
use procession_task::ResultOrder;
use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A job, as all its threads share it.
pub(super) struct WorkQueue {
    state: Mutex<QueueState>,
    control: JobControl,
    threads: u32,
    /// What the job may hold, in bytes.
    window: u64,
    account: Arc<Account>,
    waker: Waker,
}

struct QueueState {
    job: Job,
    sizing: Sizing,
    /// Number of the next chunk to be cut.
    next: u64,
    /// Number of the chunk whose results are delivered next.
    due: u64,
    /// Results that wait for their turn, by chunk.
    waiting: BTreeMap<u64, WaitingResults>,
    /// Bytes of blocks that are running and of results that are not written.
    held: u64,
    /// Nothing more will be cut.
    ended: bool,
}

#[derive(Default)]
struct WaitingResults {
    pieces: Vec<(Delivery, u64)>,
    done: bool,
}

/// A chunk that was cut for a thread.
pub(super) struct QueuedChunk {
    pub(super) number: u64,
    pub(super) block: InputBlock,
}

/// Finished results of a part of a chunk.
pub(super) struct FinishedPart {
    pub(super) chunk: u64,
    pub(super) delivery: Delivery,
    /// The bytes that the results count for in the window.
    pub(super) bytes: u64,
    pub(super) busy: Duration,
}

impl WorkQueue {
    pub(super) fn new(mut job: Job, threads: u32, window: u64, control: &JobControl) -> Self {
        let changes = Arc::clone(&control.changes);
        let waker = Waker::new(move || changes.notify());
        job.source.wake_with(waker.clone());
        let sizing = Sizing::new(&job.options(window), threads);
        let state = QueueState { job, sizing, next: 0, due: 0, waiting: BTreeMap::new(), held: 0, ended: false };
        let (account, control) = (Arc::default(), control.clone());
        Self { state: Mutex::new(state), control, threads, window, account, waker }
    }

    fn lock(&self) -> MutexGuard<'_, QueueState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Cuts the next chunk, or waits until there is one; `None` at the end.
    pub(super) fn next(&self) -> Option<QueuedChunk> {
        loop {
            let seen = self.control.changes.look();
            if self.control.is_stopped() {
                return None;
            }
            let mut state = self.lock();
            if state.ended {
                return None;
            }
            let wants = state.held >= self.window;
            state.held = state.held.saturating_sub(self.account.take(wants));
            // The oldest chunk is always running on some thread, so there will be
            // room.
            if state.held < self.window {
                match state.cut(self.threads) {
                    Cut::Block(block) => return Some(state.begin(block)),
                    Cut::End => {
                        state.ended = true;
                        drop(state);
                        self.control.changes.notify();
                        return None;
                    }
                    Cut::Pending => {}
                }
            }
            drop(state);
            self.control.changes.wait_beyond(seen);
        }
    }

    /// Takes finished results and passes on what is due.
    pub(super) fn accept(&self, part: FinishedPart) {
        let mut state = self.lock();
        state.sizing.on_answered(part.delivery.items, part.busy);
        state.held += part.bytes;
        let chunk = part.chunk;
        state.waiting.entry(chunk).or_default().pieces.push((part.delivery, part.bytes));
        self.pass_on(&mut state, chunk);
    }

    /// Every item of the chunk has its outcome.
    pub(super) fn finish(&self, chunk: &QueuedChunk) {
        let mut state = self.lock();
        state.sizing.on_completed(chunk.block.items);
        let was_full = state.held >= self.window;
        state.held = state.held.saturating_sub(chunk.block.bytes.len() as u64);
        state.waiting.entry(chunk.number).or_default().done = true;
        self.pass_on(&mut state, chunk.number);
        drop(state);
        if was_full {
            self.control.changes.notify();
        }
    }

    fn pass_on(&self, state: &mut QueueState, touched: u64) {
        let (deliveries, bytes) =
            if state.job.spec.order == ResultOrder::Input { state.take_due() } else { state.take_of(touched) };
        if !deliveries.is_empty() {
            let credit = Credit::new(bytes, Arc::clone(&self.account), self.waker.clone());
            state.job.sink.deliver(Batch { deliveries, credit });
        }
    }

    /// Whether every item has its outcome and was passed on.
    pub(super) fn is_complete(&self) -> bool {
        let state = self.lock();
        state.ended && state.waiting.is_empty() && !self.control.is_stopped()
    }

    /// Whether items have log lines at the moment.
    pub(super) fn logs(&self) -> bool {
        self.lock().job.item_log.load(Ordering::Relaxed)
    }
}

impl QueueState {
    fn cut(&mut self, threads: u32) -> Cut {
        // A thread that asks holds no items, and every thread may be given a chunk
        // of any size.
        let items = self.sizing.items(true, 0, threads);
        let bytes = usize::try_from(self.sizing.max_bytes()).unwrap_or(usize::MAX);
        let cut = self.job.source.cut(items, bytes);
        if let (Cut::Block(block), Some(remaining)) = (&cut, self.job.source.remaining()) {
            self.sizing.on_remaining(remaining + u64::from(block.items));
        }
        cut
    }

    fn begin(&mut self, block: InputBlock) -> QueuedChunk {
        self.sizing.on_cut(block.items);
        self.held += block.bytes.len() as u64;
        let number = self.next;
        self.next += 1;
        QueuedChunk { number, block }
    }

    /// Everything up to the first result that is still missing.
    fn take_due(&mut self) -> (Vec<Delivery>, u64) {
        let (mut deliveries, mut bytes) = (Vec::new(), 0);
        while let Some(waiting) = self.waiting.get_mut(&self.due) {
            for (delivery, cost) in waiting.pieces.drain(..) {
                deliveries.push(delivery);
                bytes += cost;
            }
            if !waiting.done {
                break;
            }
            self.waiting.remove(&self.due);
            self.due += 1;
        }
        (deliveries, bytes)
    }

    /// The results of this chunk, without regard to order.
    fn take_of(&mut self, chunk: u64) -> (Vec<Delivery>, u64) {
        let Some(waiting) = self.waiting.get_mut(&chunk) else { return (Vec::new(), 0) };
        let bytes = waiting.pieces.iter().map(|(_, cost)| cost).sum();
        let deliveries = waiting.pieces.drain(..).map(|(delivery, _)| delivery).collect();
        if waiting.done {
            self.waiting.remove(&chunk);
        }
        (deliveries, bytes)
    }
}
