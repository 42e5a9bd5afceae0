//! Order statistics for comparisons: a single slow run on a shared machine does
//! not change a median.

use serde::Serialize;

/// How measurements are spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub(crate) struct Spread {
    pub(crate) min: f64,
    pub(crate) lower_quartile: f64,
    pub(crate) median: f64,
    pub(crate) upper_quartile: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// The spread of these; `None` of nothing.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let at = |share: f64| quantile(&sorted, share);
        Some(Self { min, lower_quartile: at(0.25), median: at(0.5), upper_quartile: at(0.75), max })
    }
}

/// The value below which this share of a sorted list lies, by linear interpolation.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - place.floor())
}

/// The ratio of each pair, first to second: what drifts between pairs cancels out.
pub(crate) fn ratios(pairs: &[(f64, f64)]) -> Vec<f64> {
    pairs.iter().map(|(first, second)| first / second).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_statistics() {
        let spread = Spread::of(&[5.0, 1.0, 3.0, 2.0, 4.0]).unwrap();
        let expected = Spread { min: 1.0, lower_quartile: 2.0, median: 3.0, upper_quartile: 4.0, max: 5.0 };
        assert_eq!(spread, expected);
        assert_eq!(Spread::of(&[1.0, 2.0]).unwrap().median, 1.5);
        assert_eq!(Spread::of(&[7.0]).unwrap().upper_quartile, 7.0);
        assert_eq!(Spread::of(&[]), None);
    }

    #[test]
    fn ratios_are_taken_pair_by_pair() {
        // The machine gets twice as slow half-way: the ratio does not change.
        let pairs = [(1.1, 1.0), (2.2, 2.0), (2.2, 2.0)];
        assert!(ratios(&pairs).iter().all(|ratio| (ratio - 1.1).abs() < 1e-12));
    }
}
