//! Fits Amdahl's law to each series of counts with enough of them.

use crate::analysis::measured::Measured;
use crate::analysis::scaling::Amdahl;
use crate::model::study::{Configuration, Executor};
use procession::ChunkSize;
use procession_task::chunk_size;
use serde::Serialize;

/// A law fitted to the counts of one executor, size and chunk.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct AmdahlFit {
    /// The executor.
    pub executor: Executor,
    /// The size of the workload, if one was given.
    pub size: Option<u64>,
    /// Items in a message; `None` if that adapts.
    #[serde(serialize_with = "chunk_size::serialize")]
    pub chunk: ChunkSize,
    /// The fitted law.
    #[serde(flatten)]
    pub law: Amdahl,
}

/// Fits Amdahl's law to each series with at least three counts.
#[must_use]
pub(crate) fn amdahl_fits(rows: &[Measured], usable_cores: u32) -> Vec<AmdahlFit> {
    let mut fits: Vec<AmdahlFit> = Vec::new();
    let mut seen = Vec::new();
    for Configuration { executor, size, chunk, .. } in rows.iter().map(|row| &row.configuration) {
        let series = (*executor, *size, *chunk);
        if seen.contains(&series) {
            continue;
        }
        seen.push(series);
        let own = rows.iter().filter(|row| {
            let of = &row.configuration;
            (of.executor, of.size, of.chunk) == series && row.basis.is_some_and(|basis| basis.count() == 1)
        });
        let points: Vec<(u32, f64)> = own.filter_map(|row| Some((row.configuration.count, row.speedup?))).collect();
        let law = Amdahl::fit(&points, usable_cores);
        fits.extend(law.map(|law| AmdahlFit { executor: *executor, size: *size, chunk: *chunk, law }));
    }
    fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::measured::measure;
    use crate::samples::{prime_study, run};

    #[test]
    fn fits_of_each_size() {
        let fits = amdahl_fits(&measure(&prime_study(), 4), 4);
        assert_eq!(fits.iter().map(|fit| fit.size).collect::<Vec<_>>(), [Some(10), Some(17), Some(34)]);
        assert!((fits[2].law.serial_fraction - 0.056_405).abs() < 1e-5, "{fits:?}");
    }

    #[test]
    fn two_counts_have_no_fit() {
        let rows = measure(&[run(1, 1, 2.0, vec![]), run(2, 2, 1.0, vec![])], 8);
        assert!(amdahl_fits(&rows, 8).is_empty());
    }
}
