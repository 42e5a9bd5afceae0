//! What a worker that has to end in the middle of an item still sends: the finished
//! results, and which item ends it.
//!
//! Two locks protect this state, taken in this order: the draft, which the thread
//! that runs items releases only while an item runs, and the writer. A thread that
//! holds the draft and finds an item running may therefore write: no frame is half
//! written, and the item can't be answered any more.

use super::frame_writer::FrameWriter;
use crate::observe::{WorkerPhase, WorkerWatch};
use procession_task::{Draft, FailureKind, JobLimits, LastLines};
use procession_wire::{FromWorker, OUT_OF_MEMORY_STATUS, TIMED_OUT_STATUS};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

pub(super) struct WatchdogState {
    /// The answer to the chunk that is running.
    pub(super) draft: Mutex<Draft>,
    writer: Mutex<FrameWriter>,
    /// The chunk that is running.
    chunk: Mutex<RunningChunk>,
    /// What is asked for the last lines of an item's program.
    last_lines: Mutex<Option<Arc<dyn LastLines>>>,
    /// Whether the watchdog sleeps until an item starts, as it does at first.
    pub(super) asleep: AtomicBool,
}

/// What the watchdog has to know of the running chunk: how to name its items, and
/// how long each may run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RunningChunk {
    pub(super) attempt: u64,
    /// Index of its first item.
    pub(super) first: u64,
    /// How many of its items are answered.
    pub(super) answered: u64,
    /// The start of the run on the host's monotonic clock, from which items' times
    /// count.
    pub(super) epoch_ns: u64,
    pub(super) limits: JobLimits,
}

impl RunningChunk {
    /// The next items are answered: the attempt, and the first of these items.
    pub(super) fn advance(&mut self, items: u32) -> (u64, u64) {
        let first = self.first + self.answered;
        self.answered += u64::from(items);
        (self.attempt, first)
    }
}

impl WatchdogState {
    pub(super) fn new(writer: FrameWriter) -> Self {
        Self {
            draft: Mutex::default(),
            writer: Mutex::new(writer),
            chunk: Mutex::default(),
            last_lines: Mutex::default(),
            asleep: AtomicBool::new(true),
        }
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, FrameWriter> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn chunk(&self) -> MutexGuard<'_, RunningChunk> {
        self.chunk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom to ask for the last lines of the program of an item that ends this process.
    pub(super) fn ask_for_last_lines(&self, task: Option<Arc<dyn LastLines>>) {
        *self.last_lines.lock().unwrap_or_else(PoisonError::into_inner) = task;
    }

    /// Whether the watchdog has to be woken for the item that has started.
    pub(super) fn wakes_watchdog(&self) -> bool {
        // The draft's lock orders this: either the watchdog has seen the item, or
        // it had set `asleep` before.
        self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::Relaxed)
    }

    /// Sends the finished results, and which item ends this process.
    /// `last_lines` stand in the failure of the item.
    pub(super) fn leave(&self, draft: &Draft, kind: FailureKind, last_lines: String) -> io::Result<()> {
        let Some(running) = draft.running else { return Ok(()) };
        let mut chunk = *self.chunk();
        let mut writer = self.writer();
        // The time that this takes is not reported.
        let mut watch = WorkerWatch::start(WorkerPhase::Transport);
        if draft.answer.items > 0 {
            writer.answer(chunk.advance(draft.answer.items), &draft.answer, &mut watch)?;
        }
        if !last_lines.is_empty() {
            writer.say(&FromWorker::LastLines { text: last_lines }, &[], &mut watch)?;
        }
        let RunningChunk { attempt, first, .. } = chunk;
        let offset = u32::try_from(running.index.saturating_sub(first)).unwrap_or(u32::MAX);
        writer.say(&FromWorker::Aborting { attempt, offset, kind }, &[], &mut watch)?;
        writer.flush(&mut watch)
    }

    /// Ends the process because the running item exceeded its time limit. The
    /// caller holds the draft.
    pub(super) fn end_for_timeout(&self, draft: &Draft) -> ! {
        // Close to a memory limit the allocations of this message could be refused,
        // and the item would be reported as out of memory.
        procession_sys::lift_limits_for_exit();
        let asked = self.last_lines.lock().unwrap_or_else(PoisonError::into_inner).take();
        let text = asked.map_or(String::new(), |asked| asked.take());
        // An error means that the coordinator is gone, and this process ends
        // anyway.
        let _ = self.leave(draft, FailureKind::TimedOut, text);
        procession_sys::end_now(TIMED_OUT_STATUS)
    }

    /// Installs the handler that names the running item when memory is refused. If
    /// no item runs, or its result is already being written, only the exit status
    /// tells.
    pub(super) fn name_item_on_out_of_memory(self: &Arc<Self>) {
        let state = Arc::clone(self);
        let last_words = move || {
            let draft = match state.draft.try_lock() {
                Ok(draft) => draft,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            let _ = state.leave(&draft, FailureKind::OutOfMemory, String::new());
        };
        procession_sys::on_out_of_memory(Box::new(last_words), OUT_OF_MEMORY_STATUS);
    }
}
