//! The role of this process: a program that may have pools of processes, or a
//! worker of such a pool, which is the same program started again.

use crate::jobs::PoolError;
use std::sync::OnceLock;

/// The role of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProcessRole {
    /// It has called [`crate::init`], and was not started as a worker.
    Program,
    /// It was started as a worker.
    Worker,
}

static ROLE: OnceLock<ProcessRole> = OnceLock::new();

/// Notes that this process was not started as a worker.
pub(crate) fn become_program() {
    ROLE.get_or_init(|| ProcessRole::Program);
}

/// Notes that this process is a worker, which can't have pools of processes. A
/// panic in an item is recorded before the previous panic hook runs.
pub(crate) fn become_worker() {
    ROLE.get_or_init(|| ProcessRole::Worker);
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        procession_task::note_panic(info);
        before(info);
    }));
}

/// Whether this process may have a pool of processes.
pub(crate) fn check() -> Result<(), PoolError> {
    match ROLE.get() {
        Some(ProcessRole::Program) => Ok(()),
        Some(ProcessRole::Worker) => Err(PoolError::InsideWorker),
        None => Err(PoolError::NotInitialized),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_init_there_is_no_pool_of_processes() {
        assert_eq!(check(), Err(PoolError::NotInitialized));
    }
}
