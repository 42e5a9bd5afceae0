//! Signals that end a call, the first politely and the second not; and the one
//! that holds it (Ctrl-Z).
//!
//! A thread of its own hears them and holds nothing but the study's stopper.
//! A hang-up that was ignored when the program was started (`nohup`) stays
//! ignored, and so does Ctrl-Z.

use crate::exit::Status;
use procession_job::Stopper;
use procession_sys::{Signal, ignores, stop_self};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

/// How long a call may take to end after a signal: the workers' grace, and
/// some time to write what is finished.
const PATIENCE: Duration = Duration::from_secs(4);
/// How often that is granted again while a call makes files of what it
/// measured: nobody's fault, and what was asked for.
const RENEWALS: u32 = 10;
/// How long a call may take after a second signal.
const IMPATIENCE: Duration = Duration::from_millis(500);
/// A thread that wakes up later than this did not run meanwhile: it was stopped.
const OVERSLEPT: Duration = Duration::from_millis(500);

/// Whether files are being written that were asked for.
static WRITING: AtomicBool = AtomicBool::new(false);

/// As long as it lives, a call that was asked to end is given more time: it
/// writes files of what it measured.
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

/// What the thread that keeps the deadline is told.
#[derive(Clone, Copy, Debug)]
enum Told {
    /// The call was asked to end.
    End(i32),
    /// The process stops itself; time does not count until it goes on.
    Stops,
    /// It goes on.
    GoesOn,
}

/// Listens for the signals that end or hold a call. Without one a signal ends
/// the program as it would any other.
#[derive(Debug)]
pub(crate) struct SignalListener {
    stopper: Stopper,
    /// The number of the first signal that ends the call; 0: none.
    heard: Arc<AtomicI32>,
}

impl SignalListener {
    /// Listens from now on.
    ///
    /// # Errors
    /// The handlers can't be installed, or there is no thread for them.
    pub(crate) fn start() -> Result<Self, String> {
        let stopper = Stopper::default();
        let heard = listen(&stopper).map_err(|error| format!("signals can't be handled: {error}"))?;
        Ok(Self { stopper, heard })
    }

    /// What a signal stops.
    pub(crate) fn stopper(&self) -> &Stopper {
        &self.stopper
    }

    /// The exit status of the signal, if one was heard.
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
    let (tell, told) = channel();
    let heard = Arc::new(AtomicI32::new(0));
    let (theirs, stopper) = (Arc::clone(&heard), stopper.clone());
    let listener = move || {
        let mut nth = 0;
        for signal in signals.forever() {
            if signal == SIGTSTP {
                hold(&stopper, &tell);
                continue;
            }
            let _ = theirs.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
            if nth == 0 {
                stopper.stop();
            } else {
                stopper.kill();
            }
            nth += 1;
            // Nobody receives any more only when the process is ending.
            let _ = tell.send(Told::End(signal));
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listener)?;
    std::thread::Builder::new().name("deadline".to_owned()).spawn(move || end_in_time(&told))?;
    Ok(heard)
}

/// Holds the workers, whose groups a terminal does not know, then this process,
/// so that the shell sees it stopped; when it goes on, so do they.
fn hold(stopper: &Stopper, tell: &Sender<Told>) {
    stopper.pause();
    let _ = tell.send(Told::Stops);
    // Where the system lets nobody be stopped, this returns at once.
    let _ = stop_self();
    let _ = tell.send(Told::GoesOn);
    stopper.resume();
}

/// After a signal the call ends by itself, unless it waits for a reader that
/// does not read: then it is ended. A second signal shortens the wait, a third
/// ends it.
fn end_in_time(told: &Receiver<Told>) {
    let mut end: Option<(i32, Duration)> = None;
    let mut renewals = 0;
    loop {
        let begun = Instant::now();
        let heard = match end {
            None => told.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some((_, left)) => told.recv_timeout(left),
        };
        end = match (heard, end) {
            (Ok(Told::End(signal)), None) => Some((signal, PATIENCE)),
            (Ok(Told::End(_)), Some((signal, left))) if left > IMPATIENCE => Some((signal, IMPATIENCE)),
            (Ok(Told::Stops), end) => {
                if told.recv().is_err() {
                    return;
                }
                end
            }
            (Ok(Told::GoesOn), end) => end,
            (Err(RecvTimeoutError::Timeout), Some((_, left))) if begun.elapsed() > left + OVERSLEPT => end,
            (Err(RecvTimeoutError::Timeout), Some((_, left)))
                if left > IMPATIENCE && renewals < RENEWALS && WRITING.load(Ordering::Relaxed) =>
            {
                renewals += 1;
                end
            }
            (Ok(Told::End(_)) | Err(RecvTimeoutError::Timeout), Some((signal, _))) => {
                procession_job::abandon();
                std::process::exit(128 + signal)
            }
            (Err(_), _) => return,
        }
    }
}
