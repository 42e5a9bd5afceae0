//! Why a pool could not do its work.

/// The pool failed; items and their tasks are not to blame.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PoolError {
    /// Workers can't be started, or die before they are ready.
    #[error("workers can't be started ({failures} failures in a row): {why}")]
    CannotStart {
        /// How many starts failed in a row.
        failures: u32,
        /// What the last of them, or the system, said.
        why: String,
    },
    /// The workers don't do this job.
    #[error("the worker refused the job: {0}")]
    Refused(String),
    /// The system refused something the pool can't do without.
    #[error("{what}: {why}")]
    System {
        /// What was tried.
        what: &'static str,
        /// What the system said.
        why: String,
    },
    /// The pool has ended already.
    #[error("the pool has ended")]
    Ended,
}

impl PoolError {
    pub(crate) fn system(what: &'static str, error: &std::io::Error) -> Self {
        Self::System { what, why: error.to_string() }
    }
}
