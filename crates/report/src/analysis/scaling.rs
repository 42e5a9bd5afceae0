//! Speedup, efficiency, and the serial fraction: of one count of workers, or fitted
//! to several counts.
//!
//! Pure functions; times are seconds.

use serde::Serialize;

/// Speedup relative to a base: T(base) / T. `None` if either time is not positive.
#[must_use]
pub(crate) fn speedup(base_s: f64, time_s: f64) -> Option<f64> {
    (base_s > 0.0 && time_s > 0.0).then(|| base_s / time_s)
}

/// Efficiency of `count` workers whose speedup is relative to `base_count`
/// workers: S · p0 / p, which is S / p for the usual base of one.
#[must_use]
pub(crate) fn efficiency(speedup: f64, base_count: u32, count: u32) -> Option<f64> {
    (count > 0).then(|| speedup * f64::from(base_count) / f64::from(count))
}

/// The serial fraction of a speedup by Karp and Flatt: e = (1/S − 1/p) / (1 − 1/p).
///
/// `None` where it has no meaning: it needs a base of one worker, more than one
/// worker, and no more workers than CPUs (`usable`).
#[must_use]
pub(crate) fn serial_fraction(speedup: f64, base_count: u32, count: u32, usable: u32) -> Option<f64> {
    if base_count != 1 || count < 2 || count > usable || speedup <= 0.0 {
        return None;
    }
    let share = 1.0 / f64::from(count);
    Some((1.0 / speedup - share) / (1.0 - share))
}

/// Amdahl's law, fitted to speedups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Amdahl {
    /// The serial fraction, from 0 to 1.
    pub serial_fraction: f64,
    /// The counts of workers that it was fitted to, ascending.
    pub counts: Vec<u32>,
}

/// Number of different counts that a fit needs.
const FITTED_COUNTS: usize = 3;

impl Amdahl {
    /// The least-squares fit of T(p)/T(1) = f + (1 − f)/p to speedups relative to one
    /// worker, at counts of no more workers than CPUs (`usable`).
    ///
    /// `None` if there are fewer than three such counts.
    #[must_use]
    pub(crate) fn fit(points: &[(u32, f64)], usable: u32) -> Option<Self> {
        let fair: Vec<_> = points.iter().filter(|(count, speedup)| *count <= usable && *speedup > 0.0).collect();
        let mut counts: Vec<u32> = fair.iter().map(|(count, _)| *count).collect();
        counts.sort_unstable();
        counts.dedup();
        if counts.len() < FITTED_COUNTS {
            return None;
        }
        // With x = 1/p the law is a line through (1, 1): T − x = f (1 − x).
        let (mut along, mut across) = (0.0, 0.0);
        for (count, speedup) in fair {
            let x = 1.0 / f64::from(*count);
            along += (1.0 / speedup - x) * (1.0 - x);
            across += (1.0 - x).powi(2);
        }
        Some(Self { serial_fraction: (along / across).clamp(0.0, 1.0), counts })
    }

    /// The expected speedup of `count` workers.
    #[must_use]
    pub(crate) fn speedup(&self, count: f64) -> f64 {
        1.0 / (self.serial_fraction + (1.0 - self.serial_fraction) / count)
    }

    /// The limit of the speedup for any count of workers; `None` if nothing is serial.
    #[must_use]
    pub(crate) fn limit(&self) -> Option<f64> {
        (self.serial_fraction > 0.0).then(|| 1.0 / self.serial_fraction)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_fit_finds_the_serial_fraction() {
        let law = Amdahl { serial_fraction: 0.1, counts: vec![] };
        let points: Vec<_> = [1, 2, 3, 4, 8].map(|count| (count, law.speedup(f64::from(count)))).to_vec();
        let fit = Amdahl::fit(&points, 4).unwrap();
        assert!((fit.serial_fraction - 0.1).abs() < 1e-12);
        assert_eq!(fit.counts, [1, 2, 3, 4], "not the one beyond the processors");
        assert!((fit.limit().unwrap() - 10.0).abs() < 1e-9);
    }

    #[test]
    fn speedups_of_the_prime_study() {
        // 34 primes on four cores: 43, 22, 16 and 13 seconds.
        let points = [(1, 1.0), (2, 43.0 / 22.0), (3, 43.0 / 16.0), (4, 43.0 / 13.0), (5, 43.0 / 13.0)];
        let fit = Amdahl::fit(&points, 4).unwrap();
        // By hand: y = 22/43, 16/43, 13/43; (y−x)(1−x) = 0.005814, 0.025840, 0.039244; (1−x)² = 0.25, 0.4444, 0.5625.
        assert!((fit.serial_fraction - 0.070_898 / 1.256_944).abs() < 1e-5, "{fit:?}");
    }

    #[test]
    fn two_counts_allow_no_fit() {
        assert_eq!(Amdahl::fit(&[(1, 1.0), (2, 1.9), (2, 1.8)], 8), None);
        assert_eq!(Amdahl::fit(&[(1, 1.0), (2, 1.9), (3, 1.9)], 2), None);
        let perfect = Amdahl::fit(&[(1, 1.0), (2, 2.1), (4, 4.2)], 4).unwrap();
        assert_eq!((perfect.serial_fraction, perfect.limit()), (0.0, None), "never below nothing");
    }
}
