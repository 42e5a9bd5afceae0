//! Signals that end a call, the first politely and the second not; and the one
//! that holds it (Ctrl-Z).
//!
//! A thread of its own hears them and holds nothing but the study's stopper.
//! A hang-up that was ignored when the program was started (`nohup`) stays
//! ignored, and so does Ctrl-Z.

use crate::exit::Status;
use crate::looks;
use procession_job::Stopper;
use procession_sys::{Signal, ignores, stop_self};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGTSTP};
use signal_hook::iterator::Signals;
use std::cell::OnceCell;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
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

/// The signal that ended the call, if one did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard(Arc<AtomicI32>);

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

impl Heard {
    /// The exit status it stands for.
    pub(crate) fn status(&self) -> Option<Status> {
        match self.0.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(Status::of_signal(signal)),
        }
    }
}

/// The ears of a call: open from the moment on at which there is something to
/// be ended. Until then a signal ends the program as it would any other.
#[derive(Default)]
pub(crate) struct Ears(OnceCell<(Stopper, Heard)>);

impl Ears {
    /// What is stopped, and what was heard; listens from now on.
    ///
    /// # Errors
    /// The handlers can't be installed, or there is no thread for them.
    pub(crate) fn open(&self) -> Result<(Stopper, Heard), String> {
        if let Some(open) = self.0.get() {
            return Ok(open.clone());
        }
        let stopper = Stopper::default();
        let heard = listen(&stopper).map_err(|error| format!("signals can't be handled: {error}"))?;
        Ok(self.0.get_or_init(|| (stopper, heard)).clone())
    }

    /// The status of a signal, if one was heard.
    pub(crate) fn status(&self) -> Option<Status> {
        self.0.get().and_then(|(_, heard)| heard.status())
    }
}

fn listen(stopper: &Stopper) -> io::Result<Heard> {
    let mut wanted = vec![SIGINT, SIGTERM];
    for (signal, number) in [(Signal::SIGHUP, SIGHUP), (Signal::SIGTSTP, SIGTSTP)] {
        if !ignores(signal) {
            wanted.push(number);
        }
    }
    let mut signals = Signals::new(wanted)?;
    let (tell, told) = channel();
    let heard = Heard::default();
    let (theirs, stopper) = (heard.clone(), stopper.clone());
    let listener = move || {
        let mut nth = 0;
        for signal in signals.forever() {
            if signal == SIGTSTP {
                hold(&stopper, &tell);
                continue;
            }
            let _ = theirs.0.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
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
                if left > IMPATIENCE && renewals < RENEWALS && looks::are_being_made() =>
            {
                renewals += 1;
                end
            }
            (Ok(Told::End(_)) | Err(RecvTimeoutError::Timeout), Some((signal, _))) => {
                procession_sys::remove_unfinished_files();
                std::process::exit(128 + signal)
            }
            (Err(_), _) => return,
        }
    }
}
