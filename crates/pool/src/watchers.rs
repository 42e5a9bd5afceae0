//! The observers that every typed pool of processes has: one knows who lives,
//! one passes on what workers print.

use crate::events::{Event, Observer};
use bytes::Bytes;
use std::io::Write;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

/// Who is in which place.
#[derive(Clone)]
pub(crate) struct Roll(Arc<Mutex<Vec<Option<u32>>>>);

impl Roll {
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

impl Observer for Roll {
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

/// How many pieces may wait to be written; what comes beyond them is left out.
const WAITING: usize = 256;

/// Writes what workers print to this program's standard error, on a thread of
/// its own, as that may block.
pub(crate) struct Errors {
    pieces: Option<SyncSender<Bytes>>,
    writer: Option<JoinHandle<()>>,
}

impl Errors {
    pub(crate) fn start() -> std::io::Result<Self> {
        let (pieces, waiting) = sync_channel::<Bytes>(WAITING);
        let write = move || {
            for piece in waiting {
                // Nobody is left to be told that this can't be written.
                let _ = std::io::stderr().write_all(&piece);
            }
        };
        let writer = std::thread::Builder::new().name("worker output".to_owned()).spawn(write)?;
        Ok(Self { pieces: Some(pieces), writer: Some(writer) })
    }
}

impl Observer for Errors {
    fn on_event(&mut self, event: &Event) {
        if let (Event::Stderr { bytes, .. }, Some(pieces)) = (event, &self.pieces) {
            match pieces.try_send(bytes.clone()) {
                // A flood: standard error takes less than workers print.
                Err(TrySendError::Full(_)) | Ok(()) => {}
                Err(TrySendError::Disconnected(_)) => self.pieces = None,
            }
        }
    }
}

impl Drop for Errors {
    /// What was printed last is to be read, too.
    fn drop(&mut self) {
        drop(self.pieces.take());
        if let Some(writer) = self.writer.take() {
            // A writer that has panicked has nothing more to write.
            let _ = writer.join();
        }
    }
}
