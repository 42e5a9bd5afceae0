//! How results are written.

use crate::failure_policy::FailurePolicy;
use procession_task::Format;

/// Ends the work whose results are written; called at most once, on the
/// writing thread.
pub(crate) type Stop = Box<dyn FnOnce() + Send>;

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OutputOptions {
    /// The format, for its header.
    pub(crate) format: Format,
    /// What failed items do.
    pub(crate) policy: FailurePolicy,
    /// Whether to digest what is written; of use only if it is ordered.
    pub(crate) digest: bool,
    /// Whether a reader that goes away ends the work; else only the writing ends.
    pub(crate) stop_when_closed: bool,
}

impl OutputOptions {
    /// Written in this format; the first failed item ends it, as does a reader that goes away.
    #[must_use]
    pub(crate) fn new(format: Format) -> Self {
        Self { format, policy: FailurePolicy::default(), digest: false, stop_when_closed: true }
    }
}
