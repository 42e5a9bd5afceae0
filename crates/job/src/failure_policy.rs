//! Whether failed items end a run.

use std::str::FromStr;

/// Failure percentages are evaluated only from this many items on, except 0%:
/// then the first failure ends the run.
const JUDGED_FROM: u64 = 100;

/// The limit of failed items.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MaxFailures {
    /// The failed item of this number ends the run.
    Count(u64),
    /// The run ends when a larger percentage of the items so far has failed.
    /// Evaluated from 100 items on.
    Percent(f64),
}

/// What a failed item does to a run. By default the first one ends it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FailurePolicy {
    /// The run continues; the record of a failed item is written in its place.
    pub keep_going: bool,
    /// The run continues up to this limit.
    pub max: Option<MaxFailures>,
}

impl FailurePolicy {
    /// Whether a run with so many failures among so many items has ended
    /// because of them.
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

/// The text is not a limit of failures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a limit: write a number from 1 (10) or a percentage from 0% to 100% (5%)")]
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
