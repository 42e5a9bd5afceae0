//! Forwards a coprocess's standard error. A thread does so, because the program may
//! write while no other thread waits for its answer.

use crate::drain::{ReadOutcome, pass_on};
use procession_sys::{PollSet, WakeUp};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::JoinHandle;

/// The size of a read, in bytes: the usual capacity of a pipe.
pub(super) const READ_BYTES: usize = 64 * 1024;
/// The thread calls no deeply nested functions.
const STACK_BYTES: usize = 256 << 10;

/// The reader of a program's standard error.
#[derive(Debug)]
pub(super) enum StderrForwarder {
    /// A thread, until it is stopped.
    Forwarded { thread: JoinHandle<File>, stop: Arc<WakeUp> },
    /// The caller that drains the pipe; `None` if the thread has panicked.
    Drained(Option<File>),
}

impl StderrForwarder {
    /// Forwards everything from this non-blocking pipe.
    ///
    /// # Errors
    /// No thread could be created, or no file descriptor is left.
    pub(super) fn forward(pipe: File) -> io::Result<Self> {
        let stop = Arc::new(WakeUp::new()?);
        let until = Arc::clone(&stop);
        // Allocated here, because an allocation in the thread could be refused.
        let buffer = vec![0; READ_BYTES];
        // Who starts the program sits out a shortage of threads.
        let builder = std::thread::Builder::new().name("errors".to_owned()).stack_size(STACK_BYTES);
        let thread = builder.spawn(move || forward(pipe, &until, buffer))?;
        Ok(Self::Forwarded { thread, stop })
    }

    /// Stops the thread. From then on the caller reads [`Self::pipe`].
    pub(super) fn stop(&mut self) {
        if let Self::Forwarded { thread, stop } = std::mem::replace(self, Self::Drained(None)) {
            stop.wake();
            *self = Self::Drained(thread.join().ok());
        }
    }

    /// The pipe, unless a thread reads it.
    pub(super) fn pipe(&self) -> Option<&File> {
        match self {
            Self::Drained(pipe) => pipe.as_ref(),
            Self::Forwarded { .. } => None,
        }
    }
}

/// Reads once from the program's standard error and passes the bytes on; also
/// returns their number.
pub(super) fn read(pipe: &File, buffer: &mut [u8]) -> (ReadOutcome, usize) {
    // An unreadable pipe counts as ended.
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
