//! What the driver keeps of a job: blocks that may have to be sent again, and
//! results that wait to be delivered in order.

use crate::jobs::{Account, Batch, Credit, Delivery, InputBlock, Job, JobEnd, PoolError, Waker};
use bytes::Bytes;
use procession_scheduler::{ChunkId, JobId};
use procession_task::{Again, JobSpec};
use procession_wire::frame::BLOCK_LIMIT;
use procession_wire::{JobMessage, WireError};
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::Sender;

pub(super) struct HeldJob {
    pub(super) job: Job,
    /// The message of the job for any worker.
    pub(super) message: JobMessage,
    /// The block that follows the message: the job's arguments.
    pub(super) arguments: Bytes,
    /// Which items a worker runs again at once.
    pub(super) again: Again,
    /// The input ended early, because a block of it can't be sent.
    pub(super) refused: Option<PoolError>,
    report: Sender<Result<JobEnd, PoolError>>,
    chunks: VecDeque<HeldChunk>,
    /// Number of the first of `chunks`.
    base: u64,
    batch: Vec<Delivery>,
    batch_bytes: u64,
    account: Arc<Account>,
    waker: Waker,
}

/// A chunk.
#[derive(Default)]
pub(super) struct HeldChunk {
    /// The chunk's items, until all have an outcome.
    pub(super) block: Option<InputBlock>,
    /// Ranges that were sent, in order; more than one only after a worker died.
    sends: Vec<(u32, u32)>,
    pieces: Vec<(u32, PendingResults)>,
}

/// Results of consecutive items that wait to be delivered.
pub(super) struct PendingResults {
    pub(super) delivery: Delivery,
    /// The bytes that these results count for in the job's window.
    pub(super) bytes: u64,
}

impl HeldJob {
    pub(super) fn new(id: JobId, mut job: Job, report: Sender<Result<JobEnd, PoolError>>, waker: Waker) -> Self {
        job.source.wake_with(waker.clone());
        let again = job.spec.again();
        let arguments = std::mem::take(&mut job.spec.arguments);
        let (message, arguments) = JobMessage::new(id.0, 0, JobSpec { arguments, ..job.spec.clone() });
        Self {
            job,
            message,
            arguments: arguments.into(),
            again,
            refused: None,
            report,
            chunks: VecDeque::new(),
            base: 0,
            batch: Vec::new(),
            batch_bytes: 0,
            account: Arc::default(),
            waker,
        }
    }

    /// Ends the input before a block that is too long for a message.
    pub(super) fn refuse(&mut self, block: &InputBlock) {
        let InputBlock { items, first, bytes, .. } = block;
        let what =
            if *items == 1 { format!("item {first}") } else { format!("a block of {items} items from {first} on") };
        let error = WireError::TooMuch { length: bytes.len() as u64, limit: BLOCK_LIMIT as u64 };
        self.refused = Some(PoolError::NotSendable(format!("{what}: {error}")));
    }

    pub(super) fn hold(&mut self, block: InputBlock) {
        self.chunks.push_back(HeldChunk { block: Some(block), ..HeldChunk::default() });
    }

    pub(super) fn chunk(&mut self, chunk: ChunkId) -> Option<&mut HeldChunk> {
        let at = usize::try_from(chunk.0.checked_sub(self.base)?).ok()?;
        self.chunks.get_mut(at)
    }

    /// Every item of the chunk has an outcome.
    pub(super) fn forget(&mut self, chunk: ChunkId) {
        if let Some(held) = self.chunk(chunk) {
            held.block = None;
        }
        self.drop_finished();
    }

    pub(super) fn keep(&mut self, chunk: ChunkId, from: u32, piece: PendingResults) {
        if let Some(held) = self.chunk(chunk) {
            held.pieces.push((from, piece));
        }
    }

    /// Delivers these results with the next batch.
    pub(super) fn deliver(&mut self, chunk: ChunkId, from: u32) {
        let Some(held) = self.chunk(chunk) else { return };
        let Some(at) = held.pieces.iter().position(|(start, _)| *start == from) else { return };
        let (_, piece) = held.pieces.swap_remove(at);
        self.batch.push(piece.delivery);
        self.batch_bytes += piece.bytes;
        self.drop_finished();
    }

    fn drop_finished(&mut self) {
        while self.chunks.front().is_some_and(|held| held.block.is_none() && held.pieces.is_empty()) {
            self.chunks.pop_front();
            self.base += 1;
        }
    }

    /// Hands the gathered batch to the sink.
    pub(super) fn flush(&mut self) {
        if self.batch.is_empty() {
            return;
        }
        let credit = Credit::new(self.batch_bytes, Arc::clone(&self.account), self.waker.clone());
        self.batch_bytes = 0;
        let deliveries = std::mem::take(&mut self.batch);
        self.job.sink.deliver(Batch { deliveries, credit });
    }

    /// The bytes that the sink has given back since the last call; see
    /// [`Account::take`].
    pub(super) fn take_released(&self, wants: bool) -> u64 {
        self.account.take(wants)
    }

    pub(super) fn report(mut self, end: Result<JobEnd, PoolError>) {
        self.flush();
        // Whoever started the job may have stopped listening.
        let _ = self.report.send(end);
    }
}

impl HeldChunk {
    /// Notes that these items are sent; returns how many times that makes.
    pub(super) fn note_send(&mut self, from: u32, items: u32) -> u32 {
        let before = self.sends.iter().filter(|(start, end)| (*start..*end).contains(&from)).count();
        self.sends.push((from, from + items));
        u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1)
    }
}
