//! Durations of items.

use std::collections::BTreeMap;

/// Durations of items in bounded memory: sums, and a histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ItemTimes {
    /// Number of items.
    pub count: u64,
    /// Their total time in seconds.
    pub total_s: f64,
    /// The longest time in seconds.
    pub longest_s: f64,
    /// Count and sum of the items in each bucket, the shortest first.
    alike: BTreeMap<i16, (u64, f64)>,
}

impl ItemTimes {
    /// Adds an item.
    pub fn take(&mut self, seconds: f64) {
        let seconds = if seconds.is_finite() { seconds.max(0.0) } else { 0.0 };
        self.count += 1;
        self.total_s += seconds;
        self.longest_s = self.longest_s.max(seconds);
        let (count, sum) = self.alike.entry(length(seconds)).or_default();
        *count += 1;
        *sum += seconds;
    }

    /// The total time of the `count` shortest items, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "a bound for people")]
    pub(crate) fn of_shortest(&self, count: u64) -> f64 {
        let (mut left, mut seconds) = (count, 0.0);
        for &(here, sum) in self.alike.values() {
            let taken = here.min(left);
            seconds += sum * (taken as f64 / here as f64);
            left -= taken;
        }
        seconds
    }
}

/// The bucket of a time. Buckets are 4 % wide and begin at 1 ns.
#[expect(clippy::cast_possible_truncation, reason = "times have few orders of magnitude")]
fn length(seconds: f64) -> i16 {
    ((seconds * 1e9).max(1.0).log2() * 16.0) as i16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_bounded() {
        let mut times = ItemTimes::default();
        (0..100_000_u32).for_each(|at| times.take(f64::from(at) * 1e-5));
        assert!(times.alike.len() < 600, "{}", times.alike.len());
        assert!((times.of_shortest(50_000) - 12_500.0).abs() < 10.0, "{}", times.of_shortest(50_000));
    }
}
