//! How results are written.

use crate::failure_policy::FailurePolicy;
use procession_task::Format;

/// Ends the work whose results are written; called at most once, on the output
/// thread.
pub(crate) type Stop = Box<dyn FnOnce() + Send>;

/// How results are written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct OutputOptions {
    /// The output format, for its header.
    pub(crate) format: Format,
    /// The failure policy.
    pub(crate) policy: FailurePolicy,
    /// Whether to hash the output; useful only if it is ordered.
    pub(crate) digest: bool,
    /// Whether the work ends when the reader closes the output. Otherwise only
    /// the writing ends.
    pub(crate) stop_when_closed: bool,
}

impl OutputOptions {
    /// Options for this format. The first failed item ends the work, as does a
    /// reader that closes the output.
    #[must_use]
    pub(crate) fn new(format: Format) -> Self {
        Self { format, policy: FailurePolicy::default(), digest: false, stop_when_closed: true }
    }
}
