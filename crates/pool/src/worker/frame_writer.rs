//! Writes messages to the coordinator. Small messages are gathered until they are
//! worth a system call.

use crate::observe::{WorkerPhase, WorkerWatch};
use procession_sys::running_ns;
use procession_task::Answer;
use procession_wire::{AnswerHead, FromWorker, WireError, encode_from_worker};
use std::fs::File;
use std::io::{self, IoSlice, Write};

/// Gathered bytes are written when they are more than this.
const GATHER_BYTES: usize = 64 << 10;

pub(super) struct FrameWriter {
    pipe: File,
    /// Frames that were not written yet.
    gathered: Vec<u8>,
    /// When anything was last written, on the host's clock.
    pub(super) written_ns: u64,
}

impl FrameWriter {
    pub(super) fn new(pipe: File) -> Self {
        Self { pipe, gathered: Vec::new(), written_ns: running_ns() }
    }

    /// Queues a message, and writes if enough is gathered.
    pub(super) fn say(&mut self, message: &FromWorker, blocks: &[&[u8]], watch: &mut WorkerWatch) -> io::Result<()> {
        encode_from_worker(&mut self.gathered, message, blocks).map_err(too_long)?;
        let bytes: usize = blocks.iter().map(|block| block.len()).sum();
        if self.gathered.len() + bytes > GATHER_BYTES {
            self.write(blocks, watch)
        } else {
            blocks.iter().for_each(|block| self.gathered.extend_from_slice(block));
            Ok(())
        }
    }

    /// Queues the answer to an attempt's items from `first` on, and writes if enough is
    /// gathered.
    pub(super) fn answer(
        &mut self,
        (attempt, first): (u64, u64),
        answer: &Answer,
        watch: &mut WorkerWatch,
    ) -> io::Result<()> {
        let length = |block: &[u8]| u32::try_from(block.len()).unwrap_or(u32::MAX);
        let head = AnswerHead {
            attempt,
            first,
            items: answer.items,
            busy_ns: answer.busy_ns,
            slowest: answer.slowest,
            failures: answer.failures.clone(),
            outputs_len: length(&answer.outputs),
            log_len: length(&answer.log),
            shown_len: length(&answer.shown),
        };
        self.say(&FromWorker::Answer(head), &[&answer.outputs, &answer.log, &answer.shown], watch)
    }

    /// Writes the gathered bytes.
    pub(super) fn flush(&mut self, watch: &mut WorkerWatch) -> io::Result<()> {
        if self.gathered.is_empty() { Ok(()) } else { self.write(&[], watch) }
    }

    fn write(&mut self, blocks: &[&[u8]], watch: &mut WorkerWatch) -> io::Result<()> {
        let before = watch.phase();
        watch.switch(WorkerPhase::Writing);
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
        self.written_ns = watch.switch(before);
        Ok(())
    }
}

fn too_long(error: WireError) -> io::Error {
    io::Error::other(error)
}
