//! Points in time. The scheduler has no clock: the time is an argument of every
//! call.
//!
//! A point in time is a duration since the start of the run, on the run's own
//! clock. The driver may pause that clock (the machine was suspended, the user
//! pressed Ctrl-Z), so no deadline passes while nothing could run.

use std::ops::Add;
use std::time::Duration;

/// Time since the start of the run, on the run's own pausable clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RunTime(Duration);

impl RunTime {
    /// The start of the run.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// This many nanoseconds after the start.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(Duration::from_nanos(nanos))
    }

    /// This many milliseconds after the start.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// The time since the start of the run.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// The time since `earlier`; zero if `earlier` is later than this.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl From<Duration> for RunTime {
    fn from(since_start: Duration) -> Self {
        Self(since_start)
    }
}

impl Add<Duration> for RunTime {
    type Output = Self;

    /// Saturates: a deadline beyond the largest time is never reached.
    fn add(self, later: Duration) -> Self {
        Self(self.0.saturating_add(later))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds_and_subtracts_without_overflow() {
        let second = RunTime::from_millis(1000);
        assert_eq!(second, RunTime::ZERO + Duration::from_secs(1));
        assert_eq!(second.saturating_since(RunTime::ZERO), Duration::from_secs(1));
        assert_eq!(RunTime::ZERO.saturating_since(second), Duration::ZERO);
        assert_eq!((second + Duration::MAX).since_start(), Duration::MAX);
        assert!(RunTime::from_nanos(1) > RunTime::ZERO);
    }
}
