//! Handles signals. The first SIGINT, SIGTERM or SIGHUP stops the run in order,
//! the second kills the workers. SIGTSTP (Ctrl-Z) suspends the workers too.
//!
//! A thread receives the signals; it holds nothing but the study's stopper.
//! SIGHUP (`nohup`) and SIGTSTP stay ignored if they were ignored when the
//! program started.

use crate::exit::Status;
use procession::raw::Request;
use procession_job::Stopper;
use procession_sys::{Signal, ignores, start_thread, stop_self};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How long a call may take to end after a signal: the grace period of the
/// workers, and time to write finished results.
const GRACE: Duration = Duration::from_secs(4);
/// How many times [`GRACE`] is granted again while the call writes its report
/// files, which may take long.
const RENEWALS: u32 = 10;
/// How long a call may take to end after a second signal.
const SHORT_GRACE: Duration = Duration::from_millis(500);
/// If a wait takes this much longer than asked for, the process was suspended
/// meanwhile.
const SUSPENDED: Duration = Duration::from_millis(500);

/// Whether report files are being written.
static WRITING: AtomicBool = AtomicBool::new(false);

/// While it lives, report files are being written: a call that was asked to end
/// has more time.
pub(crate) struct WritingFiles(());

impl WritingFiles {
    pub(crate) fn begin() -> Self {
        WRITING.store(true, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for WritingFiles {
    fn drop(&mut self) {
        WRITING.store(false, Ordering::Relaxed);
    }
}

/// A message to the thread that enforces the deadline.
#[derive(Clone, Copy, Debug)]
enum DeadlineEvent {
    /// The call was asked to end.
    End(i32),
    /// The process suspends itself; the time until it continues does not count.
    Suspended,
    /// It continues.
    Continued,
}

/// Listens for the signals that end or suspend a call. Without a listener they
/// have their default effect.
#[derive(Debug)]
pub(crate) struct SignalListener {
    stopper: Stopper,
    /// The number of the first signal that ends the call; 0: none.
    heard: Arc<AtomicI32>,
}

impl SignalListener {
    /// Starts to listen.
    ///
    /// # Errors
    /// The handlers can't be installed, or no thread can be started.
    pub(crate) fn start() -> Result<Self, String> {
        let stopper = Stopper::default();
        let heard = listen(&stopper).map_err(|error| format!("can't handle signals: {error}"))?;
        Ok(Self { stopper, heard })
    }

    /// What a signal stops: to be given to whatever runs.
    pub(crate) fn stopper(&self) -> &Stopper {
        &self.stopper
    }

    /// The exit status of the first signal, if one was received.
    pub(crate) fn status(&self) -> Option<Status> {
        match self.heard.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(Status::of_signal(signal)),
        }
    }
}

fn listen(stopper: &Stopper) -> io::Result<Arc<AtomicI32>> {
    let mut wanted = vec![SIGINT, SIGTERM];
    for (signal, number) in [(Signal::SIGHUP, SIGHUP), (Signal::SIGTSTP, SIGTSTP)] {
        if !ignores(signal) {
            wanted.push(number);
        }
    }
    let mut signals = Signals::new(wanted)?;
    let (events_out, events) = channel();
    let heard = Arc::new(AtomicI32::new(0));
    let (theirs, stopper) = (Arc::clone(&heard), stopper.clone());
    let listener = move || {
        let mut nth = 0;
        for signal in signals.forever() {
            if signal == SIGTSTP {
                suspend(&stopper, &events_out);
                continue;
            }
            let _ = theirs.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
            if nth == 0 {
                stopper.ask(Request::Stop);
            } else {
                stopper.ask(Request::Kill);
            }
            nth += 1;
            // It fails only when the process is ending.
            let _ = events_out.send(DeadlineEvent::End(signal));
        }
    };
    start_thread("signals", None, listener)?;
    start_thread("deadline", None, move || end_in_time(&events))?;
    Ok(heard)
}

/// Suspends the workers, then this process, so that the shell sees it stopped.
/// The terminal does not signal the workers: they are in process groups of
/// their own. When this process continues, the workers continue.
fn suspend(stopper: &Stopper, events_out: &Sender<DeadlineEvent>) {
    stopper.ask(Request::Pause);
    let _ = events_out.send(DeadlineEvent::Suspended);
    // If the process can't be stopped, this returns at once.
    let _ = stop_self();
    let _ = events_out.send(DeadlineEvent::Continued);
    stopper.ask(Request::Resume);
}

/// Exits if the call has not ended some time after a signal, for instance
/// because nobody reads its output. A second signal shortens that time, a third
/// exits at once.
fn end_in_time(events: &Receiver<DeadlineEvent>) {
    let mut end: Option<(i32, Duration)> = None;
    let mut renewals = 0;
    loop {
        let begun = Instant::now();
        let heard = match end {
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some((_, left)) => events.recv_timeout(left),
        };
        end = match (heard, end) {
            (Ok(DeadlineEvent::End(signal)), None) => Some((signal, GRACE)),
            (Ok(DeadlineEvent::End(_)), Some((signal, left))) if left > SHORT_GRACE => Some((signal, SHORT_GRACE)),
            (Ok(DeadlineEvent::Suspended), end) => {
                if events.recv().is_err() {
                    return;
                }
                end
            }
            (Ok(DeadlineEvent::Continued), end) => end,
            (Err(RecvTimeoutError::Timeout), Some((_, left))) if begun.elapsed() > left + SUSPENDED => end,
            (Err(RecvTimeoutError::Timeout), Some((_, left)))
                if left > SHORT_GRACE && renewals < RENEWALS && WRITING.load(Ordering::Relaxed) =>
            {
                renewals += 1;
                end
            }
            (Ok(DeadlineEvent::End(_)) | Err(RecvTimeoutError::Timeout), Some((signal, _))) => {
                procession_sys::remove_unfinished_files();
                procession_sys::end_programs();
                std::process::exit(128 + signal)
            }
            (Err(_), _) => return,
        }
    }
}
