//! What failed items do to a run: nothing, or they end it.

use std::str::FromStr;

/// Shares are judged once this many items were written; that none may fail, at once.
const JUDGED_FROM: u64 = 100;

/// How many failures are too many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxFailures {
    /// The run ends with this one.
    Count(u64),
    /// The run ends when the share of failed items, in percent, is larger: of
    /// all items so far, once these are a hundred.
    Percent(f64),
}

/// What failed items do to a run. The default ends it at the first.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FailurePolicy {
    /// A failed item becomes a record in its place.
    pub keep_going: bool,
    /// The same, but only up to so many.
    pub max: Option<MaxFailures>,
}

impl FailurePolicy {
    /// Whether a run with so many failures among so many items has ended by them.
    pub(crate) fn ends_by(self, failures: u64, items: u64) -> bool {
        match self.max {
            None => !self.keep_going && failures > 0,
            Some(MaxFailures::Count(max)) => failures >= max,
            Some(MaxFailures::Percent(share)) => {
                (share == 0.0 || items >= JUDGED_FROM) && is_above(failures, share, items)
            }
        }
    }
}

/// Text that is no limit of failures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no limit: write a number from 1 (10) or a share from 0% to 100% (5%)")]
pub struct MaxFailuresError(String);

impl FromStr for MaxFailures {
    type Err = MaxFailuresError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let error = || MaxFailuresError(text.to_owned());
        if let Some(percent) = text.strip_suffix('%') {
            let share: f64 = percent.trim().parse().map_err(|_| error())?;
            return if (0.0..=100.0).contains(&share) { Ok(Self::Percent(share)) } else { Err(error()) };
        }
        match text.parse() {
            Ok(count) if count > 0 => Ok(Self::Count(count)),
            _ => Err(error()),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of so many items needs no more digits")]
pub(crate) fn is_above(failures: u64, share: f64, items: u64) -> bool {
    failures > 0 && failures as f64 * 100.0 > share * items as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read() {
        assert_eq!("3".parse(), Ok(MaxFailures::Count(3)));
        assert_eq!("2.5%".parse(), Ok(MaxFailures::Percent(2.5)));
        for bad in ["0", "-1", "x", "", "101%", "-1%", "nan%", "%"] {
            assert!(bad.parse::<MaxFailures>().is_err(), "{bad}");
        }
    }
}
