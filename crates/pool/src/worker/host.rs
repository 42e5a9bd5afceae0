//! A running block's surroundings in a worker's process: the clock, which
//! stands still while the run is paused, and the pipe back, on which small
//! answers are gathered.

use super::input::Input;
use crate::phases::{WorkerPhase, WorkerWatch};
use procession_sys::{coarse_running_ns, peak_memory, running_ns};
use procession_task::{Answer, Host};
use procession_wire::{AnswerHead, Farewell, FromWorker, WireError, encode_from_worker};
use std::fs::File;
use std::io::{self, IoSlice, Write};

/// Finished results wait no longer than this for an item that is about to start.
const DUE_NS: u64 = 10_000_000;
/// After a chunk, finished results wait no longer than this for the next one.
const GATHER_NS: u64 = 200_000;
/// Gathered bytes are written beyond this.
const GATHER_BYTES: usize = 64 << 10;

pub(super) struct PipeHost {
    pipe: File,
    /// Frames that were not written yet.
    gathered: Vec<u8>,
    attempt: u64,
    epoch_ns: u64,
    /// When anything was last written, on the host's clock.
    written_ns: u64,
    /// What went wrong while a block was running.
    error: Option<io::Error>,
    watch: WorkerWatch,
}

impl PipeHost {
    pub(super) fn new(pipe: File) -> Self {
        Self {
            pipe,
            gathered: Vec::new(),
            attempt: 0,
            epoch_ns: 0,
            written_ns: running_ns(),
            error: None,
            watch: WorkerWatch::start(WorkerPhase::Transport),
        }
    }

    /// Puts a message on its way.
    pub(super) fn say(&mut self, message: &FromWorker, blocks: &[&[u8]]) -> io::Result<()> {
        encode_from_worker(&mut self.gathered, message, blocks).map_err(too_long)?;
        let bytes: usize = blocks.iter().map(|block| block.len()).sum();
        if self.gathered.len() + bytes > GATHER_BYTES {
            self.write(blocks)
        } else {
            blocks.iter().for_each(|block| self.gathered.extend_from_slice(block));
            Ok(())
        }
    }

    /// Writes what was gathered.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.gathered.is_empty() { Ok(()) } else { self.write(&[]) }
    }

    fn write(&mut self, blocks: &[&[u8]]) -> io::Result<()> {
        let before = self.watch.phase();
        self.watch.switch(WorkerPhase::Writing);
        let mut slices: Vec<IoSlice<'_>> = Vec::with_capacity(1 + blocks.len());
        slices.push(IoSlice::new(&self.gathered));
        slices.extend(blocks.iter().filter(|block| !block.is_empty()).map(|block| IoSlice::new(block)));
        let mut rest = slices.as_mut_slice();
        while !rest.is_empty() {
            match self.pipe.write_vectored(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => IoSlice::advance_slices(&mut rest, written),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        self.gathered.clear();
        self.written_ns = self.watch.switch(before);
        Ok(())
    }

    /// Waits for more input; `false` when the coordinator is gone.
    pub(super) fn wait(&mut self, input: &mut Input) -> io::Result<bool> {
        self.watch.switch(WorkerPhase::Waiting);
        let more = input.read();
        self.watch.switch(WorkerPhase::Transport);
        more
    }

    /// A chunk is about to run.
    pub(super) fn begin(&mut self, attempt: u64, epoch_ns: u64) {
        self.attempt = attempt;
        self.epoch_ns = epoch_ns;
        self.watch.switch(WorkerPhase::Busy);
    }

    /// A chunk has run: its last answer.
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
        let length = |block: &[u8]| u32::try_from(block.len()).unwrap_or(u32::MAX);
        let head = AnswerHead {
            attempt: self.attempt,
            items: answer.items,
            busy_ns: answer.busy_ns,
            failures: answer.failures.clone(),
            outputs_len: length(&answer.outputs),
            log_len: length(&answer.log),
            shown_len: length(&answer.shown),
        };
        self.say(&FromWorker::Answer(head), &[&answer.outputs, &answer.log, &answer.shown])
    }

    /// What this process used, for its last message.
    pub(super) fn farewell(&mut self) -> Farewell {
        Farewell { peak_memory: peak_memory(), times: self.watch.times() }
    }
}

impl Host for PipeHost {
    fn now_ns(&mut self) -> u64 {
        running_ns().saturating_sub(self.epoch_ns)
    }

    fn is_due(&mut self, now_ns: Option<u64>) -> bool {
        let now = now_ns.map_or_else(coarse_running_ns, |now_ns| self.epoch_ns + now_ns);
        now.saturating_sub(self.written_ns) > DUE_NS
    }

    fn item_starts(&mut self, _: u64) {}

    fn send(&mut self, answer: &Answer) {
        self.watch.sampled(answer.samples);
        self.watch.switch(WorkerPhase::Transport);
        let sent = self.answer(answer).and_then(|()| self.flush());
        self.watch.switch(WorkerPhase::Busy);
        if let Err(error) = sent {
            // The coordinator is gone, and this process with it at the latest
            // when the block is done.
            self.error.get_or_insert(error);
        }
    }
}

fn too_long(error: WireError) -> io::Error {
    io::Error::other(error)
}
