//! What a kept program writes to its standard error: passed on as it comes by a
//! thread, as the program may write while nobody waits for an answer of it.

use crate::drain::{ReadOutcome, pass_on};
use procession_sys::{PollSet, WakeUp};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::JoinHandle;

/// How much is read at a time: what a pipe usually holds.
pub(super) const READ_BYTES: usize = 64 * 1024;
/// The thread calls nothing that is deep.
const STACK_BYTES: usize = 256 << 10;

/// Who reads a program's standard error.
#[derive(Debug)]
pub(super) enum StderrForwarder {
    /// A thread, until it is stopped.
    Forwarded { thread: JoinHandle<File>, stop: Arc<WakeUp> },
    /// Whoever drains it; nobody if the thread is lost.
    Drained(Option<File>),
}

impl StderrForwarder {
    /// Passes on what comes from this non-blocking pipe.
    ///
    /// # Errors
    /// No thread, or no descriptors, left.
    pub(super) fn forward(pipe: File) -> io::Result<Self> {
        let stop = Arc::new(WakeUp::new()?);
        let until = Arc::clone(&stop);
        // The memory that it needs is not asked for where it could be refused.
        let buffer = vec![0; READ_BYTES];
        let builder = std::thread::Builder::new().name("errors".to_owned()).stack_size(STACK_BYTES);
        let thread = builder.spawn(move || forward(pipe, &until, buffer))?;
        Ok(Self::Forwarded { thread, stop })
    }

    /// Stops the thread: from now on [`Self::pipe`] is read by the caller.
    pub(super) fn stop(&mut self) {
        if let Self::Forwarded { thread, stop } = std::mem::replace(self, Self::Drained(None)) {
            stop.wake();
            *self = Self::Drained(thread.join().ok());
        }
    }

    /// The pipe, if no thread reads it.
    pub(super) fn pipe(&self) -> Option<&File> {
        match self {
            Self::Drained(pipe) => pipe.as_ref(),
            Self::Forwarded { .. } => None,
        }
    }
}

/// Reads once what the program has to say to people, and passes that on; returns
/// how many bytes that were, too.
pub(super) fn read(pipe: &File, buffer: &mut [u8]) -> (ReadOutcome, usize) {
    // Nothing can be read from a pipe that can't be read.
    let (end, bytes) = ReadOutcome::of(pipe, buffer).unwrap_or((ReadOutcome::End, 0));
    pass_on(&buffer[..bytes]);
    (end, bytes)
}

fn forward(pipe: File, stop: &WakeUp, mut buffer: Vec<u8>) -> File {
    const PIPE: u64 = 0;
    const STOP: u64 = 1;
    let mut set = PollSet::default();
    loop {
        set.clear();
        set.add(pipe.as_fd(), PIPE, false);
        set.add(stop.as_fd(), STOP, false);
        if set.wait(None).is_err() {
            return pipe;
        }
        let is_ready = |key| set.ready().any(|ready| ready.key == key);
        if is_ready(STOP) || (is_ready(PIPE) && read(&pipe, &mut buffer).0 == ReadOutcome::End) {
            return pipe;
        }
    }
}
