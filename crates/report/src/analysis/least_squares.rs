//! Weighted linear regression: a line through points of different noise.

/// A measured point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Observation {
    pub(crate) x: f64,
    pub(crate) y: f64,
    /// Standard error of `y`.
    pub(crate) noise: f64,
}

/// The line with the least squares, and its standard errors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct FittedLine {
    pub(crate) at_zero: f64,
    pub(crate) at_zero_noise: f64,
    pub(crate) slope: f64,
    pub(crate) slope_noise: f64,
}

impl FittedLine {
    /// Fits a line; `None` unless there are at least two different values of `x`.
    pub(crate) fn through(points: &[Observation]) -> Option<Self> {
        let first = points.first()?.x;
        if points.iter().all(|point| point.x == first) {
            return None;
        }
        let sum = |of: &dyn Fn(&Observation) -> f64| points.iter().map(|at| of(at) / at.noise.powi(2)).sum::<f64>();
        let (all, x, y) = (sum(&|_| 1.0), sum(&|at| at.x), sum(&|at| at.y));
        let (xx, xy) = (sum(&|at| at.x * at.x), sum(&|at| at.x * at.y));
        let spread = all * xx - x * x;
        let line = Self {
            at_zero: (xx * y - x * xy) / spread,
            at_zero_noise: (xx / spread).sqrt(),
            slope: (all * xy - x * y) / spread,
            slope_noise: (all / spread).sqrt(),
        };
        let parts = [line.at_zero, line.at_zero_noise, line.slope, line.slope_noise];
        parts.iter().all(|part| part.is_finite()).then_some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at((x, y, noise): (f64, f64, f64)) -> Observation {
        Observation { x, y, noise }
    }

    #[test]
    fn a_line_of_three_points_by_hand() {
        // Means 1 and 3, Σ(x−1)(y−3) = 4, Σ(x−1)² = 2.
        let line = FittedLine::through(&[(0.0, 1.0, 1.0), (1.0, 3.0, 1.0), (2.0, 5.0, 1.0)].map(at)).unwrap();
        assert_eq!((line.at_zero, line.slope), (1.0, 2.0));
        // Noise of the slope: 1/√Σ(x−1)²; at zero: √(Σx²/(n·Σ(x−1)²)).
        assert!((line.slope_noise - 0.5_f64.sqrt()).abs() < 1e-12);
        assert!((line.at_zero_noise - (5.0_f64 / 6.0).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn noisy_points_have_less_weight() {
        let line = FittedLine::through(&[(0.0, 1.0, 0.01), (1.0, 2.0, 0.01), (2.0, 30.0, 1000.0)].map(at)).unwrap();
        assert!((line.slope - 1.0).abs() < 1e-3, "{line:?}");
    }

    #[test]
    fn a_single_x_has_no_line() {
        assert_eq!(FittedLine::through(&[]), None);
        assert_eq!(FittedLine::through(&[(1.0, 1.0, 1.0), (1.0, 2.0, 1.0)].map(at)), None);
        assert_eq!(FittedLine::through(&[(1.0, f64::NAN, 1.0), (2.0, 2.0, 1.0)].map(at)), None);
    }
}
