//! Applies the failure policy, and collects failed items for the summary.

use crate::failure_policy::{FailurePolicy, MaxFailures, is_above};
use bytes::Bytes;
use procession::raw::ItemFailure;
use procession_task::FailureKind;
use std::collections::BTreeMap;

/// How many failed items are kept in full.
const KEPT: usize = 100;
/// How many bytes of a failed item are kept.
const KEPT_BYTES: usize = 4096;
/// The failed items of a run.
#[derive(Clone, Debug, Default)]
pub struct FailedItems {
    /// How many items failed.
    pub total: u64,
    /// The first hundred, in the order of the output; a long item is truncated.
    pub first: Vec<ItemFailure>,
    by_kind: [u64; FailureKind::ALL.len()],
}

impl FailedItems {
    /// How many were of this kind.
    #[must_use]
    pub fn of_kind(&self, kind: FailureKind) -> u64 {
        FailureKind::ALL.iter().position(|&known| known == kind).map_or(0, |at| self.by_kind[at])
    }

    /// How many there were of each kind that occurred.
    pub(crate) fn by_kind(&self) -> BTreeMap<FailureKind, u64> {
        FailureKind::ALL.into_iter().zip(self.by_kind).filter(|&(_, count)| count > 0).collect()
    }

    /// The same without the last one, which was of this kind.
    pub(crate) fn by_kind_before(&self, last: FailureKind) -> BTreeMap<FailureKind, u64> {
        let mut counts = self.by_kind();
        if let Some(count) = counts.get_mut(&last) {
            *count -= 1;
        }
        counts.retain(|_, &mut count| count > 0);
        counts
    }

    /// The failed items of an earlier run, of which only the numbers are known.
    pub(crate) fn counted(counts: &BTreeMap<FailureKind, u64>) -> Self {
        let by_kind = FailureKind::ALL.map(|kind| counts.get(&kind).copied().unwrap_or(0));
        Self { total: by_kind.iter().sum(), first: Vec::new(), by_kind }
    }

    pub(crate) fn add(&mut self, failure: &ItemFailure) {
        self.total += 1;
        if let Some(at) = FailureKind::ALL.iter().position(|&known| known == failure.failure.kind) {
            self.by_kind[at] += 1;
        }
        if self.first.len() < KEPT {
            // A copy, so that the item's block can be freed.
            let input = Bytes::copy_from_slice(&failure.input[..failure.input.len().min(KEPT_BYTES)]);
            self.first.push(ItemFailure { input, ..failure.clone() });
        }
    }
}

/// What a failed item does to the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureAction {
    /// Its record is written and the run continues.
    GoOn,
    /// Its record is written and the run ends.
    EndWith,
    /// The run ends before its record.
    EndBefore,
}

/// Decides what each failed item does, in the order of the output.
#[derive(Debug)]
pub(crate) struct FailureJudge {
    policy: FailurePolicy,
    pub(crate) failures: FailedItems,
}

impl FailureJudge {
    #[cfg(test)]
    pub(crate) fn new(policy: FailurePolicy) -> Self {
        Self::after(policy, FailedItems::default())
    }

    /// Continues after these failed items.
    pub(crate) fn after(policy: FailurePolicy, failures: FailedItems) -> Self {
        Self { policy, failures }
    }

    /// Adds a failed item; `items` were written before it.
    pub(crate) fn judge(&mut self, failure: &ItemFailure, items: u64) -> FailureAction {
        self.failures.add(failure);
        match self.policy {
            FailurePolicy { keep_going: false, max: None } => FailureAction::EndBefore,
            policy if policy.ends_by(self.failures.total, items + 1) => FailureAction::EndWith,
            _ => FailureAction::GoOn,
        }
    }

    /// Whether the whole run had too many failures. Unlike during the run, a
    /// percentage is evaluated however few items there were.
    pub(crate) fn is_exceeded(&self, items: u64) -> bool {
        match self.policy.max {
            Some(MaxFailures::Percent(share)) => is_above(self.failures.total, share, items),
            Some(MaxFailures::Count(max)) => self.failures.total >= max,
            None => self.failures.total > 0 && !self.policy.keep_going,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use procession_task::Failure;

    fn failure(item: u64, kind: FailureKind) -> ItemFailure {
        let failure = Failure::new(kind, "no");
        ItemFailure { item, input: Bytes::from("x"), place: None, failure, record: 0..0, pid: 1, attempts: 1 }
    }

    fn judge(max: &str) -> FailureJudge {
        FailureJudge::new(FailurePolicy { keep_going: false, max: Some(max.parse().unwrap()) })
    }

    #[test]
    fn policies() {
        let first = failure(0, FailureKind::Failed);
        assert_eq!(FailureJudge::new(FailurePolicy::default()).judge(&first, 7), FailureAction::EndBefore);
        let keep = FailurePolicy { keep_going: true, max: None };
        assert_eq!(FailureJudge::new(keep).judge(&first, 7), FailureAction::GoOn);
        let mut three = judge("3");
        let verdicts: Vec<_> = (0..3).map(|item| three.judge(&first, item)).collect();
        assert_eq!(verdicts, [FailureAction::GoOn, FailureAction::GoOn, FailureAction::EndWith]);
    }

    #[test]
    fn percentages_are_evaluated_from_100_items_on_and_at_the_end() {
        let mut tenth = judge("10%");
        for item in 0..10 {
            assert_eq!(tenth.judge(&failure(item, FailureKind::Failed), item), FailureAction::GoOn);
        }
        assert!(tenth.is_exceeded(99));
        assert!(!tenth.is_exceeded(100));
        assert_eq!(tenth.judge(&failure(98, FailureKind::Failed), 98), FailureAction::GoOn);
        assert_eq!(tenth.judge(&failure(99, FailureKind::Failed), 99), FailureAction::EndWith);
        let mut none = judge("0%");
        assert!(!none.is_exceeded(0));
        assert_eq!(none.judge(&failure(100, FailureKind::Failed), 100), FailureAction::EndWith);
    }

    #[test]
    fn all_failures_are_counted_and_the_first_kept() {
        let mut judge = FailureJudge::new(FailurePolicy { keep_going: true, max: None });
        for item in 0..250 {
            judge.judge(&failure(item, if item % 2 == 0 { FailureKind::Crashed } else { FailureKind::Invalid }), item);
        }
        assert_eq!((judge.failures.total, judge.failures.first.len()), (250, KEPT));
        assert_eq!(judge.failures.of_kind(FailureKind::Crashed), 125);
        assert_eq!(judge.failures.of_kind(FailureKind::TimedOut), 0);
    }
}
