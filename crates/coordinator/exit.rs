//! The exit statuses, which scripts rely on, and their precedence.

use std::process::ExitCode;

/// Every item succeeded.
pub(crate) const SUCCESS: Status = Status(0);
/// An item failed, or outputs that must be equal differ.
pub(crate) const ITEM_FAILED: Status = Status(1);
/// The command line or the input can't be used.
pub(crate) const USAGE: Status = Status(2);
/// The pool failed: workers can't start, or use another protocol version.
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
/// The order of statuses is their precedence: if several apply, the call exits
/// with the greatest, `a.max(b)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Status(u8);

/// Why a call ended before its first run.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// The flags are wrong. Help and version are errors of this kind too, with
    /// status 0.
    Flags(clap::Error),
    /// The call can't begin.
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

    /// The output can't be written.
    pub(crate) fn output(why: impl ToString) -> Self {
        Self::Call { status: OUTPUT_FAILED, why: why.to_string() }
    }

    /// No worker can be started.
    pub(crate) fn pool(why: impl ToString) -> Self {
        Self::Call { status: POOL_FAILED, why: why.to_string() }
    }
}

impl Status {
    /// The status of a call that this signal ended.
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
    fn statuses_are_as_documented() {
        let all = [SUCCESS, ITEM_FAILED, USAGE, POOL_FAILED, OUTPUT_FAILED, HANGUP, INTERRUPTED, TERMINATED]
            .map(Status::number);
        assert_eq!(all, [0, 1, 2, 3, 4, 129, 130, 143]);
    }

    #[test]
    fn precedence_is_signal_output_pool_usage_items() {
        let order = [SUCCESS, ITEM_FAILED, USAGE, POOL_FAILED, OUTPUT_FAILED, INTERRUPTED];
        assert!(order.is_sorted());
        assert_eq!(ITEM_FAILED.max(OUTPUT_FAILED), OUTPUT_FAILED);
        assert_eq!(OUTPUT_FAILED.max(HANGUP), HANGUP);
    }

    #[test]
    fn a_signal_is_128_and_its_number() {
        assert_eq!([1, 2, 15].map(Status::of_signal), [HANGUP, INTERRUPTED, TERMINATED]);
        assert_eq!(Status::of_signal(9).number(), 137);
    }
}
