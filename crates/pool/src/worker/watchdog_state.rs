//! What a worker leaves behind when it has to end in the middle of an item: the
//! results that are finished, and the item's name.
//!
//! Everything here is behind two locks, taken in this order: the draft, which
//! the thread that runs items gives up only while one runs, and the writer.
//! Whoever holds the draft and finds an item running may therefore write: no
//! frame is half written, and the item can't be answered any more.

use super::frame_writer::FrameWriter;
use crate::observe::{WorkerPhase, WorkerWatch};
use procession_task::{Draft, Kind};
use procession_wire::{FromWorker, OUT_OF_MEMORY_STATUS, TIMED_OUT_STATUS};
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

pub(super) struct WatchdogState {
    /// The answer to the chunk that is running.
    pub(super) draft: Mutex<Draft>,
    writer: Mutex<FrameWriter>,
    /// The chunk that is running.
    dispatch: Mutex<RunningChunk>,
    /// The watchdog waits for an item to watch, as it does at first.
    pub(super) asleep: AtomicBool,
}

/// What has to be known of a chunk to say which of its items is meant, and how
/// long that may run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RunningChunk {
    pub(super) attempt: u64,
    /// Index of its first item.
    pub(super) first: u64,
    /// What the items' times count from, on the host's monotonic clock.
    pub(super) epoch_ns: u64,
    pub(super) timeout_ns: Option<u64>,
}

impl WatchdogState {
    pub(super) fn new(writer: FrameWriter) -> Self {
        Self {
            draft: Mutex::default(),
            writer: Mutex::new(writer),
            dispatch: Mutex::default(),
            asleep: AtomicBool::new(true),
        }
    }

    pub(super) fn writer(&self) -> MutexGuard<'_, FrameWriter> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn dispatch(&self) -> MutexGuard<'_, RunningChunk> {
        self.dispatch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the watchdog has to be woken, now that an item runs.
    pub(super) fn wakes_watchdog(&self) -> bool {
        // The draft's lock orders this: either the watchdog has seen the item,
        // or it had said that it sleeps.
        self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::Relaxed)
    }

    /// Says what is finished, and which item is this process's end.
    pub(super) fn leave(&self, draft: &Draft, kind: Kind) -> io::Result<()> {
        let Some(running) = draft.running else { return Ok(()) };
        let RunningChunk { attempt, first, .. } = *self.dispatch();
        let mut writer = self.writer();
        // Nobody will hear how long this took.
        let mut watch = WorkerWatch::start(WorkerPhase::Transport);
        if draft.answer.items > 0 {
            writer.answer(attempt, &draft.answer, &mut watch)?;
        }
        let offset = u32::try_from(running.index.saturating_sub(first)).unwrap_or(u32::MAX);
        writer.say(&FromWorker::Condemned { attempt, offset, kind }, &[], &mut watch)?;
        writer.flush(&mut watch)
    }

    /// The running item has had its time: whoever holds the draft ends the process.
    pub(super) fn end_for_timeout(&self, draft: &Draft) -> ! {
        // At the edge of a memory limit these words could be refused, and the
        // item be taken for one that wanted too much.
        procession_sys::begin_the_end();
        // If nobody hears it the coordinator is gone, and this is the end anyway.
        let _ = self.leave(draft, Kind::TimedOut);
        procession_sys::end_now(TIMED_OUT_STATUS)
    }

    /// Has the item named that runs when memory is refused. If none is, or its
    /// result is being written already, the exit status has to say it.
    pub(super) fn name_item_on_out_of_memory(self: &Arc<Self>) {
        let state = Arc::clone(self);
        let last_words = move || {
            let draft = match state.draft.try_lock() {
                Ok(draft) => draft,
                Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            };
            let _ = state.leave(&draft, Kind::OutOfMemory);
        };
        procession_sys::on_out_of_memory(Box::new(last_words), OUT_OF_MEMORY_STATUS);
    }
}
