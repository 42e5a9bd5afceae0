//! Compares the outputs of the runs of a study.

use super::run::RunReport;
use crate::input::Unit;
use procession::ChunkSize;
use procession_task::Configuration;
use std::collections::BTreeMap;

/// Outputs of one size that differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The size.
    pub size: Option<u64>,
    /// The numbers of the runs with each hash, the most frequent hash first.
    pub runs: Vec<(u128, Vec<usize>)>,
}

/// Sizes whose complete outputs differ. Runs with different block sizes are not
/// compared.
pub(super) fn compare(runs: &[RunReport], unit: Unit) -> Vec<Mismatch> {
    let mut groups: BTreeMap<_, BTreeMap<u128, Vec<usize>>> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.complete) {
        let Configuration { size, chunk, .. } = run.planned.configuration;
        if let Some(digest) = run.output.digest {
            let block = match unit.block(chunk) {
                Some(ChunkSize::Fixed(items)) => Some(items.get()),
                Some(ChunkSize::Auto) | None => None,
            };
            groups.entry((size, block)).or_default().entry(digest).or_default().push(run.planned.number);
        }
    }
    let differing = groups.into_iter().filter(|(_, digests)| digests.len() > 1);
    let sorted = |((size, _), digests): (_, BTreeMap<u128, Vec<usize>>)| {
        let mut runs: Vec<_> = digests.into_iter().collect();
        runs.sort_by_key(|(_, numbers)| (std::cmp::Reverse(numbers.len()), numbers[0]));
        Mismatch { size, runs }
    };
    differing.map(sorted).collect()
}
