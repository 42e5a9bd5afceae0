//! Which hints a call prints.

use crate::plan::RunPlan;
use procession_report::Advice;

/// Which hints a call prints.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Hints {
    /// All: the call measures.
    All,
    /// Only that some of the workers that were asked for had no items.
    Idle,
    /// None.
    No,
}

impl Hints {
    pub(super) fn of(plan: &RunPlan) -> Self {
        match (plan.look.quiet, plan.is_measuring, plan.executors.are_counted) {
            (true, _, _) | (_, false, false) => Self::No,
            (_, true, _) => Self::All,
            (_, false, true) => Self::Idle,
        }
    }

    pub(super) fn include(self, advice: &Advice) -> bool {
        match self {
            Self::All => true,
            Self::Idle => matches!(advice, Advice::TooFewItems { .. }),
            Self::No => false,
        }
    }
}
