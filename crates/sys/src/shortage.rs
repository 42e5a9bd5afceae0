//! A short lack of processes, memory or file descriptors: what it refuses is tried
//! again at growing intervals, for a limited time.

use nix::errno::Errno;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

/// The first and the longest pause between two attempts.
const PAUSES: std::ops::RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_millis(250);
/// A shortage that lasts this long is not temporary.
const LIMIT: Duration = Duration::from_secs(30);

/// Whether the system refused a request only for now: too many processes (`EAGAIN`),
/// too little memory (`ENOMEM`), or too many open files (`EMFILE`, `ENFILE`).
#[must_use]
pub fn is_temporary(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw);
    matches!(code, Some(Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE))
}

/// A shortage that is being sat out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shortage {
    since: Instant,
    pause: Duration,
}

impl Shortage {
    pub(crate) fn begin() -> Self {
        Self { since: Instant::now(), pause: *PAUSES.start() }
    }

    /// Pauses before the next attempt, but no longer than `most`. Returns `false`
    /// without a pause if the shortage has lasted for 30 s.
    pub(crate) fn sit_out(&mut self, most: Duration) -> bool {
        if self.since.elapsed() >= LIMIT {
            return false;
        }
        // No event reports that the system has what it lacked.
        std::thread::sleep(self.pause.min(most));
        self.pause = (self.pause * 2).min(*PAUSES.end());
        true
    }
}

/// Starts a thread with this name, and with a stack of so many bytes or the standard
/// library's default. While the system has no thread to give, it tries again for 30 s.
///
/// # Errors
/// The thread can't be started. The work is dropped.
pub fn start_thread<T: Send + 'static>(
    name: &str,
    stack_bytes: Option<usize>,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    // A refused closure is dropped: so the work itself waits outside of it.
    let work = Arc::new(Mutex::new(Some(work)));
    retry_while_short(|| {
        let taken = Arc::clone(&work);
        let builder = Builder::new().name(name.to_owned());
        let builder = match stack_bytes {
            Some(bytes) => builder.stack_size(bytes),
            None => builder,
        };
        builder.spawn(move || {
            let work = taken.lock().unwrap_or_else(PoisonError::into_inner).take();
            #[expect(clippy::expect_used, reason = "one thread is started, and nothing else takes the work")]
            work.expect("the work is there")()
        })
    })
}

/// Attempts something again while the system refuses it only for now, at growing
/// intervals, for 30 s.
///
/// # Errors
/// That of the last attempt.
pub fn retry_while_short<T>(mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    let mut shortage = None;
    loop {
        match attempt() {
            Err(error) if is_temporary(&error) => {
                if !shortage.get_or_insert_with(Shortage::begin).sit_out(Duration::MAX) {
                    return Err(error);
                }
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(errno: Errno) -> io::Error {
        errno.into()
    }

    #[test]
    fn a_shortage_is_sat_out_for_a_bounded_time() {
        let mut shortage = Shortage::begin();
        assert!(shortage.sit_out(Duration::ZERO) && shortage.sit_out(Duration::ZERO));
        assert_eq!(shortage.pause, Duration::from_millis(4));
        shortage.since = Instant::now().checked_sub(LIMIT).unwrap();
        assert!(!shortage.sit_out(Duration::ZERO));
    }

    #[test]
    fn only_what_is_refused_for_now_is_attempted_again() {
        let mut refusals = vec![Errno::ENOMEM, Errno::EAGAIN, Errno::EMFILE];
        assert_eq!(retry_while_short(|| refusals.pop().map_or(Ok(7), |errno| Err(refusal(errno)))).unwrap(), 7);
        let mut attempts = 0;
        let refused: io::Result<()> = retry_while_short(|| {
            attempts += 1;
            Err(refusal(Errno::EPERM))
        });
        assert_eq!((refused.unwrap_err().raw_os_error(), attempts), (Some(Errno::EPERM as i32), 1));
        assert!(!is_temporary(&io::Error::other("else")));
    }

    #[test]
    fn a_thread_has_its_name() {
        let named = start_thread("of its own", Some(64 << 10), || std::thread::current().name().map(str::to_owned));
        assert_eq!(named.unwrap().join().unwrap().as_deref(), Some("of its own"));
    }
}
