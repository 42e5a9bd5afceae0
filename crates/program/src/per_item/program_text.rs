//! What a program has written so far. The thread that ends a worker because of a time
//! limit may ask for it while the program runs.

use super::output_tail::OutputTail;
use crate::drain::pass_on;
use procession_task::LastLines;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What the program of the running item has written.
#[derive(Default)]
pub(crate) struct ProgramText(Mutex<WrittenText>);

#[derive(Default)]
struct WrittenText {
    output: Vec<u8>,
    errors: OutputTail,
}

impl ProgramText {
    fn lock(&self) -> MutexGuard<'_, WrittenText> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets everything, for the next program.
    pub(crate) fn clear(&self) {
        *self.lock() = WrittenText::default();
    }

    /// Appends standard output; returns its length.
    pub(crate) fn push_output(&self, bytes: &[u8]) -> usize {
        let mut text = self.lock();
        text.output.extend_from_slice(bytes);
        text.output.len()
    }

    /// Appends standard error, of which only the end is kept.
    pub(crate) fn push_errors(&self, bytes: &[u8]) {
        self.lock().errors.push(bytes);
    }

    /// The whole standard output.
    pub(crate) fn take_output(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock().output)
    }
}

impl LastLines for ProgramText {
    /// The last lines of standard error, or else of standard output, which is no result
    /// and goes to the log: standard error is there already.
    fn take(&self) -> String {
        let text = self.lock();
        pass_on(&text.output);
        let errors = text.errors.to_string();
        if errors.is_empty() { OutputTail::of(&text.output).to_string() } else { errors }
    }
}
