//! A writer behind a queue that stops at its first error. A full disk ends the
//! log, but never the run.

use crate::background::queue::Consume;
use std::io;

/// Writes the items of a queue.
pub(crate) trait Recorder<T> {
    /// Writes the next item.
    fn record(&mut self, item: &T) -> io::Result<()>;
    /// Flushes buffered data to the file.
    fn flush(&mut self) -> io::Result<()>;
    /// Handles the first error; nothing is written after it.
    fn give_up(&mut self, error: &io::Error);
}

/// Writes items until the first error, and drops the items after it.
pub(crate) struct UntilError<R> {
    recorder: R,
    has_ended: bool,
}

impl<R> UntilError<R> {
    pub(crate) fn new(recorder: R) -> Self {
        Self { recorder, has_ended: false }
    }

    fn check<T>(&mut self, result: io::Result<()>)
    where
        R: Recorder<T>,
    {
        if let Err(error) = result {
            self.has_ended = true;
            self.recorder.give_up(&error);
        }
    }
}

impl<T, R: Recorder<T>> Consume<T> for UntilError<R> {
    fn take(&mut self, item: T) {
        if !self.has_ended {
            let result = self.recorder.record(&item);
            self.check(result);
        }
    }

    fn idle(&mut self) {
        if !self.has_ended {
            let result = self.recorder.flush();
            self.check(result);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails to write a 3, and to flush a 5.
    #[derive(Default)]
    struct Picky(Vec<u32>, Vec<String>);

    impl Recorder<u32> for Picky {
        fn record(&mut self, item: &u32) -> io::Result<()> {
            self.0.push(*item);
            if *item == 3 { Err(io::Error::other("a 3")) } else { Ok(()) }
        }
        fn flush(&mut self) -> io::Result<()> {
            if self.0.contains(&5) { Err(io::Error::other("a 5")) } else { Ok(()) }
        }
        fn give_up(&mut self, error: &io::Error) {
            self.1.push(error.to_string());
        }
    }

    #[test]
    fn the_first_error_is_reported_and_nothing_is_written_after_it() {
        for (items, written, told) in [([1, 3, 5], &[1, 3][..], "a 3"), ([5, 3, 1], &[5], "a 5")] {
            let mut until = UntilError::new(Picky::default());
            for item in items {
                until.take(item);
                until.idle();
            }
            assert_eq!((&until.recorder.0[..], &until.recorder.1[..]), (written, &[told.to_owned()][..]));
        }
    }
}
