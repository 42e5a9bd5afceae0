//! The exit statuses, in one place: what a script that calls us may rely on.

use std::process::ExitCode;

/// Every item succeeded.
pub(crate) const SUCCESS: Status = Status(0);
/// An item failed, or outputs that should be equal differed.
pub(crate) const ITEM_FAILED: Status = Status(1);
/// The command line or the input can't be used.
pub(crate) const USAGE: Status = Status(2);
/// The pool failed: workers can't start or speak another protocol.
pub(crate) const POOL_FAILED: Status = Status(3);
/// The output can't be written.
pub(crate) const OUTPUT_FAILED: Status = Status(4);
/// Ended by SIGHUP.
pub(crate) const HANGUP: Status = Status(129);
/// Ended by SIGINT.
pub(crate) const INTERRUPTED: Status = Status(130);
/// Ended by SIGTERM.
pub(crate) const TERMINATED: Status = Status(143);

/// How a call ended.
///
/// Its order is the order of precedence: where several apply, the greatest is
/// the one to exit with, so `a.max(b)` is all that callers need.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Status(u8);

/// Why a call ended before its first run.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The flags don't make a call, with the usage to print. Help and version
    /// come this way too, with status 0.
    Flags(clap::Error),
    /// The call can't be carried out.
    Call {
        /// The status to exit with.
        status: Status,
        /// What is wrong, and what to do.
        why: String,
    },
}

impl Refusal {
    /// The command line or the input can't be used.
    pub(crate) fn usage(why: impl ToString) -> Self {
        Self::Call { status: USAGE, why: why.to_string() }
    }

    /// No worker can be started.
    pub(crate) fn pool(why: impl ToString) -> Self {
        Self::Call { status: POOL_FAILED, why: why.to_string() }
    }
}

impl Status {
    /// The status for a call that was ended by this signal.
    pub(crate) fn of_signal(signal: i32) -> Self {
        match signal {
            1 => HANGUP,
            2 => INTERRUPTED,
            15 => TERMINATED,
            other => Self(u8::try_from(128 + other).unwrap_or(TERMINATED.0)),
        }
    }

    /// The number that a shell sees.
    #[cfg(test)]
    fn number(self) -> u8 {
        self.0
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_the_documented_ones() {
        let all = [SUCCESS, ITEM_FAILED, USAGE, POOL_FAILED, OUTPUT_FAILED, HANGUP, INTERRUPTED, TERMINATED]
            .map(Status::number);
        assert_eq!(all, [0, 1, 2, 3, 4, 129, 130, 143]);
    }

    #[test]
    fn a_signal_comes_first_then_output_pool_usage_and_items() {
        let order = [SUCCESS, ITEM_FAILED, USAGE, POOL_FAILED, OUTPUT_FAILED, INTERRUPTED];
        assert!(order.is_sorted());
        assert_eq!(ITEM_FAILED.max(OUTPUT_FAILED), OUTPUT_FAILED);
        assert_eq!(OUTPUT_FAILED.max(HANGUP), HANGUP);
    }

    #[test]
    fn signals_have_their_statuses() {
        assert_eq!([1, 2, 15].map(Status::of_signal), [HANGUP, INTERRUPTED, TERMINATED]);
        assert_eq!(Status::of_signal(9).number(), 137);
    }
}
