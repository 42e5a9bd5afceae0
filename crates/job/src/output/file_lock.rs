//! One run at a time on an output: a lock on the file itself, so that no name,
//! link or folder leads around it, and nothing is left when a run is killed.

use std::fs::{File, TryLockError};
use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// A run that was killed while it started a worker lives on for a moment in
/// that worker's process, until the program is loaded.
const PATIENCE: Duration = Duration::from_millis(200);

/// What came of asking for a lock.
#[derive(Debug)]
pub(crate) enum LockResult {
    /// It is held until the last copy of the descriptor is closed.
    Yes,
    /// Another run holds it.
    InUse,
    /// This file system has no locks.
    Unsupported(io::Error),
}

/// Locks a file against other runs. Worker processes don't inherit the descriptor.
pub(crate) fn lock(file: &File) -> LockResult {
    match file.try_lock() {
        Ok(()) => LockResult::Yes,
        Err(TryLockError::Error(error)) => LockResult::Unsupported(error),
        Err(TryLockError::WouldBlock) => wait(file),
    }
}

/// Waits for somebody who is just ending, on a thread that can be left behind.
fn wait(file: &File) -> LockResult {
    let Ok(theirs) = file.try_clone() else { return LockResult::InUse };
    let (tell, told) = mpsc::channel();
    let work = move || {
        let _ = tell.send(theirs.lock().is_ok());
    };
    if thread::Builder::new().name("lock".to_owned()).spawn(work).is_err() {
        return LockResult::InUse;
    }
    if told.recv_timeout(PATIENCE) == Ok(true) { LockResult::Yes } else { LockResult::InUse }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holds_it_and_whoever_waits_gets_it_when_it_is_free() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let holder = file.reopen().unwrap();
        assert!(matches!(lock(&holder), LockResult::Yes));
        assert!(matches!(lock(&file.reopen().unwrap()), LockResult::InUse));
        let copy = holder.try_clone().unwrap();
        drop(holder);
        assert!(matches!(lock(&file.reopen().unwrap()), LockResult::InUse), "a copy holds it too");
        drop(copy);
        // Those who gave up may hold it for the moment that they take to end.
        while !matches!(lock(&file.reopen().unwrap()), LockResult::Yes) {}
    }
}
