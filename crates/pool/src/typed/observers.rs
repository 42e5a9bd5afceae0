//! The observers that every typed pool of processes has: one keeps the process ids
//! of living workers, one passes on what workers print.

use crate::observe::{Event, Observer};
use bytes::Bytes;
use procession_sys::start_thread;
use std::fs::File;
use std::io::Write;
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The process id of the living worker of each slot.
#[derive(Clone)]
pub(crate) struct LivePids(Arc<Mutex<Vec<Option<u32>>>>);

impl LivePids {
    pub(crate) fn of_procs(slots: u32) -> Self {
        Self(Arc::new(Mutex::new(vec![None; slots as usize])))
    }

    pub(crate) fn of_threads(slots: u32) -> Self {
        Self(Arc::new(Mutex::new(vec![Some(std::process::id()); slots as usize])))
    }

    pub(crate) fn pids(&self) -> Vec<Option<u32>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for LivePids {
    fn on_event(&mut self, event: &Event) {
        let (worker, is_there) = match event {
            Event::WorkerSpawned { worker, .. } => (worker, true),
            Event::WorkerExited(exited) => (&exited.worker, false),
            _ => return,
        };
        let mut pids = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pid) = pids.get_mut(worker.slot as usize)
            && (is_there || *pid == Some(worker.pid))
        {
            *pid = is_there.then_some(worker.pid);
        }
    }
}

/// Pieces that may wait to be written; more are dropped.
const WAITING: usize = 256;

/// How long the end of the pool waits for the last pieces to be written.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Writes what workers print to this program's standard error, on a thread of its
/// own, because the write may block.
pub(crate) struct WorkerOutput {
    pieces: Option<SyncSender<Bytes>>,
    /// Disconnected when the last piece was written.
    ended: Receiver<()>,
}

impl WorkerOutput {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (pieces, waiting) = sync_channel::<Bytes>(WAITING);
        // A duplicate descriptor: the program's threads may hold the lock of
        // `std::io::stderr` for as long as they like.
        let mut stderr = File::from(std::io::stderr().as_fd().try_clone_to_owned()?);
        let (tell, ended) = sync_channel::<()>(1);
        let write = move || {
            for piece in waiting {
                // There is no place to report that standard error can't be written.
                let _ = stderr.write_all(&piece);
            }
            drop(tell);
        };
        start_thread("worker output", None, write)?;
        Ok(Self { pieces: Some(pieces), ended })
    }
}

impl Observer for WorkerOutput {
    fn on_event(&mut self, event: &Event) {
        if let (Event::Stderr { bytes, .. }, Some(pieces)) = (event, &self.pieces) {
            match pieces.try_send(bytes.clone()) {
                // Standard error takes less than workers print: the piece is
                // dropped.
                Err(TrySendError::Full(_)) | Ok(()) => {}
                Err(TrySendError::Disconnected(_)) => self.pieces = None,
            }
        }
    }
}

impl Drop for WorkerOutput {
    /// Waits until the last pieces are written, but not for long, as nobody may
    /// read them.
    fn drop(&mut self) {
        drop(self.pieces.take());
        let _ = self.ended.recv_timeout(LAST_WORDS);
    }
}
