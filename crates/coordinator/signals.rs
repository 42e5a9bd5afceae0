//! Signals that end a call: the first asks politely, the second does not.
//!
//! A thread of its own hears them and holds nothing but the study's stopper.
//! A hang-up that was ignored when the program was started (`nohup`) stays
//! ignored.

use crate::exit::Status;
use procession_job::Stopper;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a call may take to end after a signal: the workers' grace, and
/// some time to write what is finished.
const PATIENCE: Duration = Duration::from_secs(4);
/// The same after a second signal.
const IMPATIENCE: Duration = Duration::from_millis(500);

/// The signal that ended the call, if one did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard(Arc<AtomicI32>);

impl Heard {
    /// The exit status it stands for.
    pub(crate) fn status(&self) -> Option<Status> {
        match self.0.load(Ordering::SeqCst) {
            0 => None,
            signal => Some(Status::of_signal(signal)),
        }
    }
}

/// Listens from now on.
///
/// # Errors
/// The handlers can't be installed, or there is no thread for them.
pub(crate) fn listen(stopper: &Stopper) -> io::Result<Heard> {
    let mut wanted = vec![SIGINT, SIGTERM];
    if !procession_sys::ignores_hangup() {
        wanted.push(SIGHUP);
    }
    let mut signals = Signals::new(wanted)?;
    let (tell, told) = channel();
    let heard = Heard::default();
    let (theirs, stopper) = (heard.clone(), stopper.clone());
    let listener = move || {
        for (nth, signal) in signals.forever().enumerate() {
            let _ = theirs.0.compare_exchange(0, signal, Ordering::SeqCst, Ordering::SeqCst);
            if nth == 0 {
                stopper.stop();
            } else {
                stopper.kill();
            }
            // Nobody receives any more only when the process is ending.
            let _ = tell.send(signal);
        }
    };
    std::thread::Builder::new().name("signals".to_owned()).spawn(listener)?;
    std::thread::Builder::new().name("deadline".to_owned()).spawn(move || end_in_time(&told))?;
    Ok(heard)
}

/// After a signal the call ends by itself, unless it waits for a reader that
/// does not read: then it is ended. A second signal shortens the wait.
fn end_in_time(told: &Receiver<i32>) {
    let Ok(signal) = told.recv() else { return };
    if told.recv_timeout(PATIENCE).is_ok() {
        let _ = told.recv_timeout(IMPATIENCE);
    }
    std::process::exit(128 + signal)
}
