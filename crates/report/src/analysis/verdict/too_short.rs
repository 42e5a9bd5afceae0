//! Work that is too short to measure, and how to get a second of it.

use crate::analysis::measured::Measured;
use crate::model::study::StudyRecord;

/// Shorter runs, in seconds, measure start-up and ending more than the work.
const SHORT_S: f64 = 0.1;

/// Work that is estimated to take a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LongerWork {
    /// Items; a list may have to begin again.
    Items(u64),
    /// The side of a picture, or its most iterations, if they were given.
    Picture { side: u64, max_iterations: Option<u64> },
}

/// The time of a row that is too short to compare with, in seconds.
pub(super) fn wall_s(base: &Measured) -> Option<f64> {
    base.compared_s().filter(|wall_s| *wall_s < SHORT_S)
}

impl LongerWork {
    /// What takes a second if this row takes `wall_s`.
    #[expect(clippy::cast_precision_loss, reason = "sizes are far below 2^53")]
    pub(super) fn for_a_second(study: &StudyRecord, base: &Measured, wall_s: f64) -> Self {
        let times = 1.0 / wall_s.max(1e-6);
        let size = base.configuration.size.unwrap_or(base.items) as f64;
        if study.task != "mandelbrot" {
            return Self::Items(round_up(size * times));
        }
        let iterations = study.params.get("max-iterations").and_then(|text| text.parse::<f64>().ok());
        // A row of a picture is as long as there are rows.
        Self::Picture {
            side: round_up(size * times.sqrt()),
            max_iterations: iterations.map(|iterations| round_up(iterations * times)),
        }
    }
}

/// Rounds up to two significant digits.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size for people, not negative")]
fn round_up(size: f64) -> u64 {
    let step = 10_f64.powf((size.max(1.0).log10().floor() - 1.0).max(0.0));
    ((size / step).ceil() * step) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up() {
        assert_eq!([1.2, 99.5, 101.0, 12_345.0].map(round_up), [2, 100, 110, 13_000]);
    }
}
