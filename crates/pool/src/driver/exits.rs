//! How a worker's process ends: what is read before it is reaped, and what
//! becomes of one that closed its pipes and does not end.

use super::actions::failure;
use super::event_loop::Driver;
use super::process::{Death, ProtocolState, exit, is_out_of_memory};
use super::start_failure::{StartFailure, start_error};
use crate::observe::{Event, WorkerExit};
use procession_scheduler::{Fault, SchedulerEvent, WorkerId};
use std::time::Duration;

/// Reads of a worker's standard error after its exit, at most: more than the pipe
/// holds.
const LAST_STDERR_READS: usize = 64;
/// How long a worker that has closed a pipe may take to exit.
const LAST_WORDS_TIME: Duration = Duration::from_secs(1);

/// The peak memory of a worker and its programs, in bytes: what it has told, or what
/// the system tells of it and of all that it has waited for. That begins with this
/// process's own peak, and is known only where it is larger.
fn peak_memory(told: Option<u64>, reaped: u64) -> Option<u64> {
    let is_known = || reaped > procession_sys::own_peak_memory();
    match told {
        Some(told) if reaped <= told || !is_known() => Some(told),
        None if !is_known() => None,
        _ => Some(reaped),
    }
}

impl Driver {
    /// Reaps a worker that has exited: reads what it still wrote, then reports its
    /// exit.
    pub(super) fn reap(&mut self, id: WorkerId) {
        let Some(worker) = self.workers.get_mut(&id) else { return };
        let Some((ended, usage)) = worker.child.try_reap() else { return };
        self.read_rest(id);
        self.closing.remove(&id);
        self.read_stderr_times(id, LAST_STDERR_READS);
        let Some(worker) = self.workers.remove(&id) else { return };
        let at = self.now();
        let exit = exit(ended);
        let (farewell, told_at) = match worker.phase {
            ProtocolState::Done(farewell, at) => (Some(farewell), Some(at)),
            ProtocolState::Silent | ProtocolState::Ready => (None, None),
        };
        let cause = worker.cause(exit);
        if matches!(worker.phase, ProtocolState::Silent) {
            let why = format!("{} {}", self.settings.program.display(), start_error(&worker, &cause));
            self.note_start_failure(StartFailure::Process { worker: worker.who, why });
        }
        self.observe(&Event::WorkerExited(WorkerExit {
            worker: worker.who,
            exit,
            asked: worker.assigned.asked || self.ending,
            cpu_user: usage.user,
            cpu_system: usage.system,
            peak_memory: peak_memory(farewell.map(|f| f.peak_memory), usage.peak_memory),
            times: farewell.map(|f| f.times),
            told_at,
            items: worker.items,
            chunks: worker.chunks,
            at,
        }));
        let limits = worker.assigned.limits;
        let fault = if is_out_of_memory(limits, exit) { Fault::OutOfMemory } else { Fault::Crashed };
        let (attempts, named, last_lines) = (worker.assigned.attempts, worker.named, worker.last_lines);
        let who = worker.who;
        self.death = Some((id, Death { who, cause, last_lines, exit, fault, attempts, named, charged: None }));
        self.handle(SchedulerEvent::WorkerEnded { worker: id, fault });
    }

    /// Tells observers of the attempt that a dead worker was in, if its items are sent
    /// again. What else it had been sent was not begun.
    pub(super) fn tell_lost_attempt(&mut self) {
        let Some((_, death)) = self.death.take() else { return };
        let Some(attempt) = death.attempts.front().filter(|_| !self.ending) else { return };
        let Some(held) = self.jobs.get(&attempt.job) else { return };
        let rest = attempt.next..attempt.next + u64::from(attempt.left);
        let named = death.named.filter(|named| rest.contains(&named.index));
        let (first, items) = match named {
            Some(named) => (named.index, 1),
            None if attempt.each => (attempt.next, 1),
            None => (attempt.next, attempt.left),
        };
        // The one that was charged has an outcome.
        if death.charged.is_some() || items == 0 {
            return;
        }
        let fault = named.map_or(death.fault, |named| named.fault);
        let failure = failure(fault, death.cause, &death.last_lines, &held.job.spec.limits);
        self.observe(&Event::AttemptLost {
            worker: death.who,
            chunk: attempt.chunk.0,
            first,
            items,
            attempt: attempt.tries,
            failure: failure.because(Some(death.exit.into())),
            sent_at: attempt.sent_at,
            at: self.now(),
        });
    }

    /// A worker has closed one of its pipes: it is about to exit, or has to be
    /// killed after a deadline.
    pub(super) fn expect_exit(&mut self, id: WorkerId) {
        let deadline = self.deadline_now().since_start() + LAST_WORDS_TIME;
        self.closing.entry(id).or_insert(deadline);
    }

    /// Kills workers that closed a pipe and did not exit in time.
    pub(super) fn end_closing(&mut self, now: Duration) {
        for (id, _) in self.closing.extract_if(.., |_, deadline| *deadline <= now).collect::<Vec<_>>() {
            if let Some(worker) = self.workers.get_mut(&id) {
                worker.end("its process closed its pipes and did not end");
            }
        }
    }
}
