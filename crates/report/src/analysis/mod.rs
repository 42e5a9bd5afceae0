//! Conclusions from a study: statistics, speedups, break-even points,
//! verdicts, advice.

pub(crate) mod advice;
pub(crate) mod break_even;
pub(crate) mod coordinator_shares;
pub(crate) mod amdahl_fits;
pub(crate) mod least_squares;
pub(crate) mod load;
pub(crate) mod max_speedup;
pub(crate) mod measured;
pub(crate) mod scaling;
pub(crate) mod worker_shares;
pub(crate) mod stats;
pub(crate) mod study_data;
pub(crate) mod verdict;
