//! A short lack of processes, memory or file descriptors: what it refuses is tried
//! again at growing intervals, for a limited time.

use nix::errno::Errno;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// The first and the longest pause between two attempts; each is twice the one before.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_secs(1)];
/// A shortage that lasts through so many pauses in all is not temporary.
const LIMIT: Duration = Duration::from_secs(30);

/// Whether the system refused a request only for now: too many processes (`EAGAIN`),
/// too little memory (`ENOMEM`), too many open files (`EMFILE`, `ENFILE`), or a signal
/// that came between (`EINTR`).
#[must_use]
pub fn is_temporary(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw);
    matches!(code, Some(Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE | Errno::EINTR))
}

/// A shortage that is being sat out. Time in which this process does not run does not
/// count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shortage {
    paused: Duration,
    pause: Duration,
}

impl Shortage {
    pub(crate) fn begin() -> Self {
        Self { paused: Duration::ZERO, pause: PAUSES[0] }
    }

    /// Pauses before the next attempt, but no longer than `most`. Returns `false`
    /// without a pause if the pauses were 30 s in all.
    pub(crate) fn sit_out(&mut self, most: Duration) -> bool {
        if self.paused >= LIMIT {
            return false;
        }
        let pause = self.pause.min(most);
        // No event reports that the system has what it lacked.
        std::thread::sleep(pause);
        self.paused += pause;
        self.pause = (self.pause * 2).min(PAUSES[1]);
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
    let start = || {
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
    };
    retry_while_short(start, is_temporary, |_| ())
}

/// Attempts something again while it is refused only for now, at growing intervals,
/// until the pauses are 30 s in all. `on_shortage` is called before each pause.
///
/// # Errors
/// That of the last attempt.
pub fn retry_while_short<T, E>(
    mut attempt: impl FnMut() -> Result<T, E>,
    is_temporary: impl Fn(&E) -> bool,
    mut on_shortage: impl FnMut(&E),
) -> Result<T, E> {
    let mut shortage = Shortage::begin();
    loop {
        match attempt() {
            Err(error) if is_temporary(&error) => {
                on_shortage(&error);
                if !shortage.sit_out(Duration::MAX) {
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
    fn pauses_grow_to_a_second_and_last_for_30_seconds() {
        let mut shortage = Shortage::begin();
        assert!(shortage.sit_out(Duration::ZERO) && shortage.sit_out(Duration::ZERO));
        assert_eq!((shortage.pause, shortage.paused), (Duration::from_millis(4), Duration::ZERO));
        assert!((0..20).all(|_| shortage.sit_out(Duration::ZERO)));
        assert_eq!(shortage.pause, PAUSES[1]);
        shortage.paused = LIMIT;
        assert!(!shortage.sit_out(Duration::ZERO));
    }

    #[test]
    fn only_what_is_refused_for_now_is_attempted_again() {
        for last in [None, Some(Errno::EPERM)] {
            let mut refusals = [Errno::ENOMEM, Errno::EAGAIN, Errno::EMFILE, Errno::ENFILE].into_iter().chain(last);
            let mut told = 0;
            let attempt = || refusals.next().map_or(Ok(7), |errno| Err(refusal(errno)));
            let ended = retry_while_short(attempt, is_temporary, |_| told += 1);
            let code = ended.map_err(|error| error.raw_os_error());
            assert_eq!((code, told), (last.map_or(Ok(7), |last| Err(Some(last as i32))), 4));
        }
        assert!(!is_temporary(&io::Error::other("else")));
    }

    #[test]
    fn a_thread_has_its_name() {
        let named = start_thread("of its own", Some(64 << 10), || std::thread::current().name().map(str::to_owned));
        assert_eq!(named.unwrap().join().unwrap().as_deref(), Some("of its own"));
    }
}
