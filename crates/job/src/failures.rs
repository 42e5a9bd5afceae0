//! What failed items do to a run: which of them end it, and what is kept of
//! them for the summary.

use bytes::Bytes;
use procession::raw::ItemFailure;
use procession_task::FailureKind;
use std::collections::BTreeMap;
use std::str::FromStr;

/// How many failures are kept in full.
const KEPT: usize = 100;
/// How much is kept of a failed item's bytes.
const KEPT_BYTES: usize = 4096;
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

/// The failed items of a run.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    /// How many there were.
    pub total: u64,
    /// The first hundred, in the order of the output; a long item is cut.
    pub first: Vec<ItemFailure>,
    by_kind: [u64; FailureKind::ALL.len()],
}

impl Failures {
    /// How many were of this kind.
    #[must_use]
    pub fn of_kind(&self, kind: FailureKind) -> u64 {
        FailureKind::ALL.iter().position(|&known| known == kind).map_or(0, |at| self.by_kind[at])
    }

    /// How many there were of each kind that occurred.
    pub(crate) fn by_kind(&self) -> BTreeMap<FailureKind, u64> {
        FailureKind::ALL.into_iter().zip(self.by_kind).filter(|&(_, count)| count > 0).collect()
    }

    /// The same before the last one, which was of this kind.
    pub(crate) fn by_kind_before(&self, last: FailureKind) -> BTreeMap<FailureKind, u64> {
        let mut counts = self.by_kind();
        if let Some(count) = counts.get_mut(&last) {
            *count -= 1;
        }
        counts.retain(|_, &mut count| count > 0);
        counts
    }

    /// Those of an earlier run, of which no more is known than how many they were.
    pub(crate) fn counted(counts: &BTreeMap<FailureKind, u64>) -> Self {
        let by_kind = FailureKind::ALL.map(|kind| counts.get(&kind).copied().unwrap_or(0));
        Self { total: by_kind.iter().sum(), first: Vec::new(), by_kind }
    }

    fn add(&mut self, failure: &ItemFailure) {
        self.total += 1;
        if let Some(at) = FailureKind::ALL.iter().position(|&known| known == failure.failure.kind) {
            self.by_kind[at] += 1;
        }
        if self.first.len() < KEPT {
            // A copy: the item's block is not to be held for it.
            let input = Bytes::copy_from_slice(&failure.input[..failure.input.len().min(KEPT_BYTES)]);
            self.first.push(ItemFailure { input, ..failure.clone() });
        }
    }
}

/// What a failed item means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its record is written and the run goes on.
    GoOn,
    /// Its record is written and the run ends.
    EndWith,
    /// The run ends before its record.
    EndBefore,
}

/// Judges failed items, in the order of the output.
#[derive(Debug)]
pub(crate) struct Judge {
    policy: FailurePolicy,
    pub(crate) failures: Failures,
}

impl Judge {
    #[cfg(test)]
    pub(crate) fn new(policy: FailurePolicy) -> Self {
        Self::after(policy, Failures::default())
    }

    /// Judges what comes after these.
    pub(crate) fn after(policy: FailurePolicy, failures: Failures) -> Self {
        Self { policy, failures }
    }

    /// Another failed item; `items` were written before it.
    pub(crate) fn judge(&mut self, failure: &ItemFailure, items: u64) -> Verdict {
        self.failures.add(failure);
        match self.policy {
            FailurePolicy { keep_going: false, max: None } => Verdict::EndBefore,
            policy if policy.ends_by(self.failures.total, items + 1) => Verdict::EndWith,
            _ => Verdict::GoOn,
        }
    }

    /// Whether the run as a whole had too many failures: a share is judged at
    /// the end, however few items there were.
    pub(crate) fn is_exceeded(&self, items: u64) -> bool {
        match self.policy.max {
            Some(MaxFailures::Percent(share)) => is_above(self.failures.total, share, items),
            Some(MaxFailures::Count(max)) => self.failures.total >= max,
            None => self.failures.total > 0 && !self.policy.keep_going,
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of so many items needs no more digits")]
fn is_above(failures: u64, share: f64, items: u64) -> bool {
    failures > 0 && failures as f64 * 100.0 > share * items as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_task::Failure;

    fn failure(item: u64, kind: FailureKind) -> ItemFailure {
        let failure = Failure::new(kind, "no");
        ItemFailure { item, input: Bytes::from("x"), place: None, failure, record: 0..0, pid: 1, attempts: 1 }
    }

    fn judge(max: &str) -> Judge {
        Judge::new(FailurePolicy { keep_going: false, max: Some(max.parse().unwrap()) })
    }

    #[test]
    fn limits_are_read() {
        assert_eq!("3".parse(), Ok(MaxFailures::Count(3)));
        assert_eq!("2.5%".parse(), Ok(MaxFailures::Percent(2.5)));
        for bad in ["0", "-1", "x", "", "101%", "-1%", "nan%", "%"] {
            assert!(bad.parse::<MaxFailures>().is_err(), "{bad}");
        }
    }

    #[test]
    fn policies() {
        let first = failure(0, FailureKind::Failed);
        assert_eq!(Judge::new(FailurePolicy::default()).judge(&first, 7), Verdict::EndBefore);
        let keep = FailurePolicy { keep_going: true, max: None };
        assert_eq!(Judge::new(keep).judge(&first, 7), Verdict::GoOn);
        let mut three = judge("3");
        let verdicts: Vec<_> = (0..3).map(|item| three.judge(&first, item)).collect();
        assert_eq!(verdicts, [Verdict::GoOn, Verdict::GoOn, Verdict::EndWith]);
    }

    #[test]
    fn shares_are_judged_from_a_hundred_items_on_and_at_the_end() {
        let mut tenth = judge("10%");
        for item in 0..10 {
            assert_eq!(tenth.judge(&failure(item, FailureKind::Failed), item), Verdict::GoOn);
        }
        assert!(tenth.is_exceeded(99));
        assert!(!tenth.is_exceeded(100));
        assert_eq!(tenth.judge(&failure(98, FailureKind::Failed), 98), Verdict::GoOn);
        assert_eq!(tenth.judge(&failure(99, FailureKind::Failed), 99), Verdict::EndWith);
        let mut none = judge("0%");
        assert!(!none.is_exceeded(0));
        assert_eq!(none.judge(&failure(100, FailureKind::Failed), 100), Verdict::EndWith);
    }

    #[test]
    fn all_are_counted_and_some_are_kept() {
        let mut judge = Judge::new(FailurePolicy { keep_going: true, max: None });
        for item in 0..250 {
            judge.judge(&failure(item, if item % 2 == 0 { FailureKind::Crashed } else { FailureKind::Invalid }), item);
        }
        assert_eq!((judge.failures.total, judge.failures.first.len()), (250, KEPT));
        assert_eq!(judge.failures.of_kind(FailureKind::Crashed), 125);
        assert_eq!(judge.failures.of_kind(FailureKind::TimedOut), 0);
    }
}
