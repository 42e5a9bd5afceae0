//! Reading from workers' pipes and writing to them.

use super::event_loop::Driver;
use super::inbox::Arrival;
use super::process::{ProtocolState, StreamStatus};
use crate::observe::Event;
use procession_scheduler::WorkerId;
use procession_wire::WireError;
use procession_wire::frame::{HELLO_LIMIT, PAYLOAD_LIMIT, show};

/// Reads from one worker before the others have their turn, at most.
const READS: usize = 8;
/// Bytes that are read from a worker that has exited, or whose timeout is about to
/// be evaluated, up to the end of the frame that they end in. More than its pipe
/// holds, so that everything it had written by then is read. What the worker or a
/// process that it started goes on to write is not waited for.
const LAST_BYTES: u64 = 2 << 20;

impl Driver {
    /// Reads from a worker and handles its messages.
    pub(super) fn read_messages(&mut self, id: WorkerId) {
        for _ in 0..READS {
            if self.read_once(id) != Some(StreamStatus::Open) {
                break;
            }
        }
    }

    /// Drains the pipes of all workers.
    pub(super) fn hear_all(&mut self) {
        let ids: Vec<WorkerId> = self.workers.keys().copied().collect();
        for id in ids {
            self.read_rest(id);
        }
    }

    /// Drains a worker's pipe.
    pub(super) fn read_rest(&mut self, id: WorkerId) {
        let heard = |driver: &Self| driver.workers.get(&id).map_or(u64::MAX, |worker| worker.inbox.heard());
        let end = heard(self).saturating_add(LAST_BYTES);
        while heard(self) < end && self.read_once(id) == Some(StreamStatus::Open) {}
    }

    /// Reads once; `None` when there is nothing more at the moment.
    fn read_once(&mut self, id: WorkerId) -> Option<StreamStatus> {
        let worker = self.workers.get_mut(&id)?;
        if worker.stdout == StreamStatus::Closed {
            return Some(StreamStatus::Closed);
        }
        match worker.inbox.read_from(&worker.child.stdout) {
            Ok(Arrival::Full) => {
                self.handle_messages(id);
                Some(StreamStatus::Open)
            }
            Ok(Arrival::Rest) => {
                self.handle_messages(id);
                None
            }
            Ok(Arrival::End) | Err(_) => {
                self.handle_messages(id);
                self.workers.get_mut(&id)?.stdout = StreamStatus::Closed;
                self.expect_exit(id);
                Some(StreamStatus::Closed)
            }
        }
    }

    fn handle_messages(&mut self, id: WorkerId) {
        loop {
            let Some(worker) = self.workers.get_mut(&id) else { return };
            if worker.stdout == StreamStatus::Closed {
                // The worker violated the protocol: the rest is ignored.
                return;
            }
            let limit = if matches!(worker.phase, ProtocolState::Silent) { HELLO_LIMIT } else { PAYLOAD_LIMIT };
            match worker.inbox.next(limit) {
                Ok(Some((message, tails, payload))) => self.on_message(id, message, &tails, &payload),
                Ok(None) => return,
                Err(error @ WireError::Marker(_)) => return worker.broke_protocol(error),
                Err(error) => {
                    let head = show(worker.inbox.unread());
                    return worker.broke_protocol(format_args!("{error}: {head}"));
                }
            }
        }
    }

    /// Reads a worker's standard error.
    pub(super) fn read_stderr(&mut self, id: WorkerId) {
        self.read_stderr_times(id, READS);
    }

    pub(super) fn read_stderr_times(&mut self, id: WorkerId, times: usize) {
        for _ in 0..times {
            let Some(worker) = self.workers.get_mut(&id) else { return };
            let who = worker.who;
            let Some(bytes) = worker.read_stderr() else { return };
            self.observe(&Event::Stderr { worker: who, bytes });
        }
    }

    /// Writes to a worker what its pipe takes.
    pub(super) fn write(&mut self, id: WorkerId) {
        if self.workers.get_mut(&id).is_some_and(|worker| !worker.write()) {
            self.expect_exit(id);
        }
    }
}
