//! Statistics of repeated runs.
//!
//! Pure functions; times are seconds.

/// Statistics of repeated measurements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sample {
    /// Number of measurements.
    pub count: usize,
    /// Minimum.
    pub min: f64,
    /// Maximum.
    pub max: f64,
    /// Median: the middle value, or the mean of the two in the middle.
    pub median: f64,
    /// Mean.
    pub mean: f64,
    /// Standard deviation of the sample (n − 1); 0 for a single value.
    pub stdev: f64,
}

impl Sample {
    /// Computes the statistics; `None` without values, or if one is not finite.
    #[must_use]
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let mean = mean(&sorted);
        Some(Self {
            count: sorted.len(),
            min: sorted[0],
            max: sorted[sorted.len() - 1],
            median: median(&sorted),
            mean,
            stdev: stdev(&sorted, mean),
        })
    }
}

fn median(sorted: &[f64]) -> f64 {
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[middle] } else { f64::midpoint(sorted[middle - 1], sorted[middle]) }
}

#[expect(clippy::cast_precision_loss, reason = "nobody repeats a run 2^53 times")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[expect(clippy::cast_precision_loss, reason = "nobody repeats a run 2^53 times")]
fn stdev(values: &[f64], mean: f64) -> f64 {
    if values.len() < 2 {
        return 0.0;
    }
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (squares / (values.len() - 1) as f64).sqrt()
}

/// A value with at least this modified z-score is an outlier (Iglewicz and Hoaglin).
const FAR_OFF: f64 = 3.5;
/// A value that differs from the median by less than this share of the median is
/// never an outlier, even if all others agree to the microsecond.
const NEAR: f64 = 0.1;

/// Indices of outliers by the median absolute deviation: unlike the standard
/// deviation, it is not moved by one or two outliers. Fewer than four values have
/// no outliers.
#[must_use]
pub(crate) fn outliers(values: &[f64]) -> Vec<usize> {
    let Some(Sample { median, count: 4.., .. }) = Sample::of(values) else { return Vec::new() };
    let distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
    let usual = Sample::of(&distances).map_or(0.0, |sample| sample.median);
    // Of a normal distribution the median absolute deviation is 0.6745 σ.
    let far = |distance: f64| distance > NEAR * median.abs() && 0.6745 * distance > FAR_OFF * usual;
    (0..values.len()).filter(|&at| far(distances[at])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples() {
        let sample = Sample::of(&[4.0, 1.0, 3.0, 2.0]).unwrap();
        assert_eq!((sample.count, sample.min, sample.max), (4, 1.0, 4.0));
        assert_eq!((sample.median, sample.mean), (2.5, 2.5));
        assert!((sample.stdev - (5.0_f64 / 3.0).sqrt()).abs() < 1e-15);
        assert_eq!(Sample::of(&[9.0, 1.0, 2.0]).unwrap().median, 2.0);
    }

    #[test]
    fn a_single_run_has_no_spread() {
        let sample = Sample::of(&[1.5]).unwrap();
        assert_eq!((sample.min, sample.median, sample.max, sample.stdev), (1.5, 1.5, 1.5, 0.0));
        assert_eq!(Sample::of(&[]), None);
        assert_eq!(Sample::of(&[1.0, f64::NAN]), None);
    }

    #[test]
    fn outliers_are_found() {
        assert_eq!(outliers(&[1.0, 1.02, 1.01, 1.9, 0.99]), [3]);
        assert_eq!(outliers(&[1.0, 1.0, 1.0, 1.05]), [0; 0], "near enough");
        assert_eq!(outliers(&[1.0, 1.3, 1.1, 0.8, 1.2]), [0; 0], "all spread alike");
        assert_eq!(outliers(&[1.0, 1.0, 1.0, 1.2]), [3], "all others agree");
        assert_eq!(outliers(&[1.0, 1.0, 9.0]), [0; 0], "too few to say what is usual");
    }
}
