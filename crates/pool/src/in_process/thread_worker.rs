//! A thread that takes chunk after chunk, runs it and passes its results on. A
//! serial run has one such thread.

use super::observers::{Observers, since};
use super::work_queue::{FinishedPart, QueuedChunk, WorkQueue};
use crate::jobs::{Delivery, cost, failures};
use crate::observe::{Accepted, Event, WorkerPhase, WorkerRef, WorkerWatch};
use bytes::Bytes;
use procession_sys::{coarse_running_ns, running_ns};
use procession_task::{Again, Answer, Block, BlockTask, Host, Reply, Times, escape_terminal};
use std::time::Duration;

/// Finished results are sent before the next item starts if they have waited longer
/// than this.
const DUE_NS: u64 = 10_000_000;

/// What a thread did, as it measured it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ThreadUsage {
    pub(super) times: Times,
    /// When its times ended, on this process's clock; zero if it has not run.
    pub(super) until_ns: u64,
    pub(super) items: u64,
    pub(super) chunks: u64,
    pub(super) cpu: procession_sys::Usage,
}

impl ThreadUsage {
    /// The same usage, with a wait for the other threads until then.
    pub(super) fn waiting_until(mut self, at_ns: u64) -> Self {
        if self.until_ns > 0 {
            self.times.waiting_ns += at_ns.saturating_sub(self.until_ns);
            self.until_ns = at_ns.max(self.until_ns);
        }
        self
    }
}

pub(super) struct ThreadWorker<'a> {
    pub(super) queue: &'a WorkQueue,
    pub(super) observers: &'a Observers,
    pub(super) who: WorkerRef,
    pub(super) epoch_ns: u64,
    pub(super) max_result: usize,
    /// How often a failed item is run again.
    pub(super) again: Again,
}

impl ThreadWorker<'_> {
    /// Runs until the input ends or the work is stopped.
    pub(super) fn run(&self, task: &mut dyn BlockTask) -> Result<ThreadUsage, String> {
        let mut used = ThreadUsage::default();
        let mut answer = Answer::default();
        let mut watch = WorkerWatch::start(WorkerPhase::Waiting);
        while let Some(chunk) = self.queue.next() {
            watch.switch(WorkerPhase::Transport);
            used.items += self.run_chunk(&chunk, task, &mut answer, &mut watch)?;
            self.queue.finish(&chunk);
            used.chunks += 1;
            watch.switch(WorkerPhase::Waiting);
        }
        used.until_ns = watch.switch(WorkerPhase::Waiting);
        used.times = watch.times();
        Ok(used)
    }

    fn run_chunk(
        &self,
        chunk: &QueuedChunk,
        task: &mut dyn BlockTask,
        answer: &mut Answer,
        watch: &mut WorkerWatch,
    ) -> Result<u64, String> {
        let block = &chunk.block;
        let (first, items) = (block.first, block.items);
        let at = since(self.epoch_ns);
        self.observers.tell(&Event::ChunkSent { worker: self.who, chunk: chunk.number, first, items, attempt: 1, at });
        let log = self.queue.logs();
        let shown = Block { first, items, chunk: chunk.number, attempt: 1, log, bytes: &block.bytes };
        let sent_ns = watch.switch(WorkerPhase::Busy);
        let mut host = ThreadHost { thread: self, chunk, watch, next: first, sent_ns, error: None };
        let mut reply = Reply::new(&mut host, answer, false, self.max_result).trying(self.again);
        let ran = task.run(&shown, &mut reply);
        reply.finish();
        ran?;
        host.send(answer);
        let passed = host.next - first;
        host.error.map_or(Ok(passed), Err)
    }
}

/// The host of a running block on a thread.
struct ThreadHost<'a> {
    thread: &'a ThreadWorker<'a>,
    chunk: &'a QueuedChunk,
    watch: &'a mut WorkerWatch,
    /// Index of the first item that was not passed on.
    next: u64,
    sent_ns: u64,
    error: Option<String>,
}

impl ThreadHost<'_> {
    fn pass_on(&mut self, answer: &Answer) -> Result<(), String> {
        let ThreadWorker { queue, observers, who, epoch_ns, .. } = *self.thread;
        let outputs = Bytes::copy_from_slice(&answer.outputs);
        let block = &self.chunk.block;
        let failures = failures(answer.failures.clone(), self.next, answer.items, block, 0, outputs.len(), who.pid)?;
        let busy = Duration::from_nanos(answer.busy_ns);
        observers.tell(&Event::Accepted(Accepted {
            worker: who,
            chunk: self.chunk.number,
            first: self.next,
            items: answer.items,
            failed: u32::try_from(failures.len()).unwrap_or(u32::MAX),
            attempt: 1,
            busy,
            slowest: answer.slowest,
            log: Bytes::copy_from_slice(&answer.log),
            shown: Bytes::copy_from_slice(&answer.shown),
            at: since(epoch_ns),
        }));
        let bytes = cost(&outputs, &failures);
        let delivery = Delivery { first: self.next, items: answer.items, outputs, failures };
        self.next += u64::from(answer.items);
        queue.accept(FinishedPart { chunk: self.chunk.number, delivery, bytes, busy });
        Ok(())
    }
}

impl ThreadHost<'_> {
    fn tell_note(&self, text: &str, is_warning: bool) {
        let ThreadWorker { observers, who, epoch_ns, .. } = *self.thread;
        let text = escape_terminal(text.as_bytes());
        observers.tell(&Event::Note { worker: who, text, is_warning, at: since(epoch_ns) });
    }
}

impl Host for ThreadHost<'_> {
    fn now_ns(&mut self) -> u64 {
        running_ns().saturating_sub(self.thread.epoch_ns)
    }

    fn is_due(&mut self, now_ns: Option<u64>) -> bool {
        let now = now_ns.map_or_else(coarse_running_ns, |now_ns| self.thread.epoch_ns + now_ns);
        now.saturating_sub(self.sent_ns) > DUE_NS
    }

    fn item_starts(&mut self, _: u64) {}

    fn note(&mut self, text: &str) {
        self.tell_note(text, false);
    }

    fn warn(&mut self, text: &str) {
        self.tell_note(text, true);
    }

    fn item_type(&mut self, name: &str) {
        let ThreadWorker { observers, who, .. } = *self.thread;
        observers.tell(&Event::ItemType { worker: who, name: escape_terminal(name.as_bytes()) });
    }

    fn output_cut(&mut self, item: u64) {
        let ThreadWorker { observers, who, epoch_ns, .. } = *self.thread;
        observers.tell(&Event::OutputCut { worker: who, item, at: since(epoch_ns) });
    }

    fn send(&mut self, answer: &Answer) {
        self.watch.sampled(answer.samples);
        self.watch.switch(WorkerPhase::Writing);
        if answer.items > 0
            && let Err(error) = self.pass_on(answer)
        {
            self.error.get_or_insert(error);
        }
        self.sent_ns = self.watch.switch(WorkerPhase::Busy);
    }
}
