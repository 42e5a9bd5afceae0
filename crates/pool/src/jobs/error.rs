//! Why a pool could not do its work.

/// The pool failed, for a reason other than an item or its task.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Workers can't be started, or die before they are ready.
    #[error("workers can't be started ({failures} failures in a row): {why}")]
    CannotStart {
        /// How many starts failed in a row.
        failures: u32,
        /// What the last of these workers wrote, or the system's error.
        why: String,
    },
    /// The workers can't run this job.
    #[error("the worker refused the job: {0}")]
    Refused(String),
    /// The system refused something that the pool needs.
    #[error("{what}: {why}")]
    System {
        /// What the pool tried.
        what: &'static str,
        /// The system's error.
        why: String,
    },
    /// A pool of processes was asked for in a program that has not called
    /// [`crate::init`].
    #[error(
        "a pool of processes starts this program again, which must know that it is a worker: call procession::init() \
         first in main; where there is no main of your own, as in tests, use .threads(n) or .serial() instead"
    )]
    NotInitialized,
    /// A pool of processes was asked for in a worker of another pool.
    #[error("a task can't have a pool of processes of its own, only .threads(n) or .serial()")]
    InsideWorker,
    /// A function, a task or an argument that can't be sent to a worker.
    #[error("the work can't be sent to a worker: {0}")]
    NotSendable(String),
    /// The pool has ended already.
    #[error("the pool has ended")]
    Ended,
}

impl PoolError {
    pub(crate) fn system(what: &'static str, error: &std::io::Error) -> Self {
        Self::System { what, why: error.to_string() }
    }
}
