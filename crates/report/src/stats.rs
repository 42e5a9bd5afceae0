//! Statistics of repeated runs, and what they say about parallel speed.
//!
//! Pure functions; times are seconds.

/// What repeated measurements come to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// How many measurements there are.
    pub count: usize,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation (of a sample: n − 1); 0 for a single one.
    pub stdev: f64,
}

impl Sample {
    /// Of these values; `None` if there are none, or one is not finite.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
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

/// Speedup of a time against its base: T(base) / T. `None` if either is not positive.
#[must_use]
pub fn speedup(base_s: f64, time_s: f64) -> Option<f64> {
    (base_s > 0.0 && time_s > 0.0).then(|| base_s / time_s)
}

/// Efficiency of `count` workers whose speedup is relative to `base_count`
/// workers: S · p0 / p, which is S / p for the usual base of one.
#[must_use]
pub fn efficiency(speedup: f64, base_count: u32, count: u32) -> Option<f64> {
    (count > 0).then(|| speedup * f64::from(base_count) / f64::from(count))
}

/// The serial fraction that Karp and Flatt read from a speedup:
/// e = (1/S − 1/p) / (1 − 1/p).
///
/// `None` unless it says something: the base is one worker, there are more
/// than one, and no more than processors (`usable`) to run them.
#[must_use]
pub fn serial_fraction(speedup: f64, base_count: u32, count: u32, usable: u32) -> Option<f64> {
    if base_count != 1 || count < 2 || count > usable || speedup <= 0.0 {
        return None;
    }
    let share = 1.0 / f64::from(count);
    Some((1.0 / speedup - share) / (1.0 - share))
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
    fn speedups() {
        assert_eq!(speedup(8.0, 2.0), Some(4.0));
        assert_eq!(speedup(8.0, 0.0), None);
        assert_eq!(efficiency(4.0, 1, 4), Some(1.0));
        assert_eq!(efficiency(3.0, 2, 8), Some(0.75));
        assert_eq!(efficiency(3.0, 2, 0), None);
    }

    #[test]
    fn serial_fractions() {
        // Amdahl with a serial tenth on four processors: S = 1 / (0.1 + 0.9 / 4).
        let e = serial_fraction(1.0 / 0.325, 1, 4, 4).unwrap();
        assert!((e - 0.1).abs() < 1e-15);
        assert_eq!(serial_fraction(4.0, 1, 4, 8), Some(0.0));
        assert_eq!(serial_fraction(1.0, 1, 2, 2), Some(1.0));
        assert_eq!(serial_fraction(1.0, 1, 1, 4), None, "one worker");
        assert_eq!(serial_fraction(1.5, 2, 4, 4), None, "another base");
        assert_eq!(serial_fraction(1.5, 1, 4, 2), None, "more workers than processors");
    }
}
