//! A writer behind a queue that ends at its first error: a disk that is full
//! costs the log, never the run.

use crate::queue::Consume;
use std::io;

/// Writes what a queue carries.
pub(crate) trait Recorder<T> {
    /// Writes the next one.
    fn record(&mut self, item: &T) -> io::Result<()>;
    /// Brings out what was written.
    fn flush(&mut self) -> io::Result<()>;
    /// Something can't be written, and nothing more will be.
    fn give_up(&mut self, error: &io::Error);
}

/// Records until something can't be written; what comes after that is dropped.
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

    /// Can't write a 3, nor bring out a 5.
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
    fn the_first_error_is_told_and_is_the_last_thing_done() {
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
