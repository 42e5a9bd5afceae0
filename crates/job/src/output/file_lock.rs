//! Locks an output, so that only one run writes it at a time. The lock is on
//! the file itself: other names and links lead to the same lock, and it ends
//! with the process.

use procession_sys::start_thread;
use std::fs::{File, TryLockError};
use std::io;
use std::sync::mpsc;
use std::time::Duration;

/// How long to wait for a lock. A run that was killed while it started a worker
/// still holds the lock in that worker's process until the program is loaded.
const PATIENCE: Duration = Duration::from_millis(200);

/// The result of locking.
#[derive(Debug)]
pub(crate) enum LockResult {
    /// Locked until the last duplicate of the file descriptor is closed.
    Yes,
    /// Another run holds the lock.
    InUse,
    /// The file system has no locks.
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

/// Waits for a process that is just ending, on a thread that can be abandoned.
fn wait(file: &File) -> LockResult {
    let Ok(duplicate) = file.try_clone() else { return LockResult::InUse };
    let (sender, receiver) = mpsc::channel();
    let work = move || {
        let _ = sender.send(duplicate.lock().is_ok());
    };
    if start_thread("lock", None, work).is_err() {
        return LockResult::InUse;
    }
    if receiver.recv_timeout(PATIENCE) == Ok(true) { LockResult::Yes } else { LockResult::InUse }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_excludes_others_until_it_is_released() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let holder = file.reopen().unwrap();
        assert!(matches!(lock(&holder), LockResult::Yes));
        assert!(matches!(lock(&file.reopen().unwrap()), LockResult::InUse));
        let copy = holder.try_clone().unwrap();
        drop(holder);
        assert!(matches!(lock(&file.reopen().unwrap()), LockResult::InUse), "a copy holds it too");
        drop(copy);
        // Threads that gave up may hold the lock for a moment before they end.
        while !matches!(lock(&file.reopen().unwrap()), LockResult::Yes) {}
    }
}
