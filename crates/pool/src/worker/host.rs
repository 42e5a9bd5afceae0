//! The host of a running block in a worker's process: the clock, which excludes
//! pauses of the run, and the pipe to the coordinator, on which small answers are
//! gathered.

use super::frame_reader::FrameReader;
use super::frame_writer::FrameWriter;
use super::watchdog_state::{RunningChunk, WatchdogState};
use crate::observe::{WorkerPhase, WorkerWatch};
use procession_sys::{coarse_running_ns, peak_memory, running_ns};
use procession_task::{Answer, Host, ProcessEnd};
use procession_wire::{Farewell, FromWorker};
use std::io;
use std::sync::Arc;
use std::thread::Thread;
use std::time::Duration;

/// Finished results are sent before the next item starts if they have waited longer
/// than this.
const DUE_NS: u64 = 10_000_000;
/// After a chunk, finished results are sent if they have waited longer than this.
const GATHER_NS: u64 = 200_000;

pub(super) struct PipeHost {
    state: Arc<WatchdogState>,
    /// The thread to wake when an item with a time limit starts.
    watchdog: Option<Thread>,
    attempt: u64,
    epoch_ns: u64,
    /// When anything was last written, on the host's clock.
    written_ns: u64,
    /// The first error while a block was running.
    error: Option<io::Error>,
    watch: WorkerWatch,
    /// Whether it has had a chunk.
    begun: bool,
}

impl PipeHost {
    pub(super) fn new(state: Arc<WatchdogState>) -> Self {
        Self {
            state,
            watchdog: None,
            attempt: 0,
            epoch_ns: 0,
            written_ns: running_ns(),
            error: None,
            watch: WorkerWatch::start(WorkerPhase::Transport),
            begun: false,
        }
    }

    /// Starts the watchdog, unless it runs already.
    pub(super) fn watch(&mut self) -> io::Result<()> {
        if self.watchdog.is_none() {
            self.watchdog = Some(super::watchdog::start(&self.state)?);
        }
        Ok(())
    }

    /// Queues a message.
    pub(super) fn say(&mut self, message: &FromWorker) -> io::Result<()> {
        self.on_writer(|writer, watch| writer.say(message, &[], watch))
    }

    /// Writes the gathered bytes.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.on_writer(FrameWriter::flush)
    }

    fn on_writer(
        &mut self,
        write: impl FnOnce(&mut FrameWriter, &mut WorkerWatch) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut writer = self.state.writer();
        let written = write(&mut writer, &mut self.watch);
        self.written_ns = writer.written_ns;
        written
    }

    /// Waits for more input; `false` when the coordinator is gone.
    pub(super) fn wait(&mut self, input: &mut FrameReader) -> io::Result<bool> {
        self.watch.switch(WorkerPhase::Waiting);
        let more = input.read();
        self.watch.switch(WorkerPhase::Transport);
        more
    }

    /// A task is ready to run. The preparation of the first one, such as an import,
    /// belongs to the worker's start, whose time the worker does not report.
    pub(super) fn is_prepared(&mut self) {
        if !self.begun {
            self.watch = WorkerWatch::start(WorkerPhase::Transport);
        }
    }

    /// A chunk is about to run.
    pub(super) fn begin(&mut self, chunk: RunningChunk) {
        self.begun = true;
        self.attempt = chunk.attempt;
        self.epoch_ns = chunk.epoch_ns;
        let before = std::mem::replace(&mut *self.state.chunk(), chunk);
        if let (Some(watchdog), true) = (&self.watchdog, is_tighter(chunk.limits.timeout, before.limits.timeout)) {
            // The watchdog computed its sleep with the previous limit.
            watchdog.unpark();
        }
        self.watch.switch(WorkerPhase::Busy);
    }

    /// A chunk has run: queues its last answer.
    pub(super) fn end(&mut self, answer: &Answer) -> io::Result<()> {
        self.watch.sampled(answer.samples);
        let now = self.watch.switch(WorkerPhase::Transport);
        if answer.items > 0 {
            self.answer(answer)?;
        }
        if now.saturating_sub(self.written_ns) > GATHER_NS {
            self.flush()?;
        }
        self.error.take().map_or(Ok(()), Err)
    }

    fn answer(&mut self, answer: &Answer) -> io::Result<()> {
        let place = self.state.chunk().advance(answer.items);
        self.on_writer(|writer, watch| writer.answer(place, answer, watch))
    }

    /// Sends a message that does not wait for the next answer.
    fn say_at_once(&mut self, message: &FromWorker) {
        if let Err(error) = self.say(message).and_then(|()| self.flush()) {
            self.error.get_or_insert(error);
        }
    }

    /// What this process used, for its farewell.
    pub(super) fn farewell(&mut self) -> Farewell {
        Farewell { peak_memory: peak_memory(), times: self.watch.times() }
    }
}

/// Whether a limit is smaller than the one before.
fn is_tighter(limit: Option<Duration>, before: Option<Duration>) -> bool {
    limit.is_some_and(|limit| before.is_some_and(|before| limit < before))
}

impl Host for PipeHost {
    fn now_ns(&mut self) -> u64 {
        running_ns().saturating_sub(self.epoch_ns)
    }

    fn is_due(&mut self, now_ns: Option<u64>) -> bool {
        let now = now_ns.map_or_else(coarse_running_ns, |now_ns| self.epoch_ns + now_ns);
        // A time that was read before the clock knew of a pause lies in the clock's
        // future afterwards. Without this correction nothing would be sent for the
        // length of the pause.
        self.written_ns = self.written_ns.min(now);
        now - self.written_ns > DUE_NS
    }

    fn item_starts(&mut self, _: u64) {
        if let Some(watchdog) = self.watchdog.as_ref().filter(|_| self.state.wakes_watchdog()) {
            watchdog.unpark();
        }
    }

    fn item_starts_again(&mut self) {
        // At most as often as results are sent. Without this message the
        // coordinator would time all runs of the item as one, and take this process
        // for a hung one.
        if self.is_due(None) {
            self.say_at_once(&FromWorker::Again { attempt: self.attempt });
        }
    }

    fn note(&mut self, text: &str) {
        self.say_at_once(&FromWorker::Note { text: text.to_owned() });
    }

    fn warn(&mut self, text: &str) {
        self.say_at_once(&FromWorker::Warning { text: text.to_owned() });
    }

    fn item_type(&mut self, name: &str) {
        self.say_at_once(&FromWorker::ItemType { name: name.to_owned() });
    }

    fn output_cut(&mut self, item: u64) {
        // Sent with the next answer.
        if let Err(error) = self.say(&FromWorker::OutputCut { attempt: self.attempt, item }) {
            self.error.get_or_insert(error);
        }
    }

    fn die(&mut self, answer: &Answer, end: ProcessEnd) {
        if answer.items > 0 {
            self.send(answer);
        } else if let Err(error) = self.flush() {
            self.error.get_or_insert(error);
        }
        match end {
            ProcessEnd::Status(status) => procession_sys::end_now(status),
            ProcessEnd::Signal(signal) => procession_sys::end_by(signal),
        }
    }

    fn send(&mut self, answer: &Answer) {
        self.watch.sampled(answer.samples);
        self.watch.switch(WorkerPhase::Transport);
        let sent = self.answer(answer).and_then(|()| self.flush());
        self.watch.switch(WorkerPhase::Busy);
        if let Err(error) = sent {
            // The coordinator is gone. This process ends at the latest when the
            // block is done.
            self.error.get_or_insert(error);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_task::JobLimits;

    fn host() -> PipeHost {
        let null = std::fs::File::options().write(true).open("/dev/null").unwrap();
        PipeHost::new(Arc::new(WatchdogState::new(FrameWriter::new(null))))
    }

    #[test]
    fn the_watchdog_is_woken_for_a_tighter_limit() {
        let mut host = host();
        // This thread plays the watchdog: once woken it does not sleep.
        host.watchdog = Some(std::thread::current());
        let begun = std::time::Instant::now();
        for timeout_ns in [2, 1] {
            let limits = JobLimits { timeout: Some(Duration::from_nanos(timeout_ns)), memory_limit: None };
            host.begin(RunningChunk { limits, ..RunningChunk::default() });
        }
        std::thread::park_timeout(Duration::from_secs(60));
        assert!(begun.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn what_seems_to_be_written_in_the_future_was_written_now() {
        let mut host = host();
        host.epoch_ns = running_ns();
        // The clock stepped back by an hour when it learned of a pause.
        host.written_ns = host.epoch_ns + 3_600_000_000_000;
        assert!(!host.is_due(Some(0)));
        assert!(!host.is_due(Some(DUE_NS)));
        assert!(host.is_due(Some(DUE_NS + 1)));
    }
}
