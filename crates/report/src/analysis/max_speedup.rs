//! The best speedup that the work itself allows, whatever the pool does.
//!
//! Five items on four workers take two rounds: 2.5 times as fast at best. An
//! item that takes half of all the time holds any pool at 2. Beside such a
//! ceiling a low speedup is no riddle.

use crate::model::item_times::ItemTimes;
use serde::Serialize;
use std::fmt;

/// What holds the speedup down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limit {
    /// There are no more workers.
    Workers,
    /// There are no more processors than this.
    Cpus,
    /// There are too few items to share them out evenly.
    Items,
    /// One item takes so long.
    LongestItem,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Workers => "workers",
            Self::Cpus => "CPUs",
            Self::Items => "items",
            Self::LongestItem => "longest item",
        })
    }
}

/// The best speedup against one worker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Ceiling {
    /// How many times as fast.
    pub speedup: f64,
    /// What allows no more.
    pub limit: Limit,
}

impl Ceiling {
    /// Of `items` on `count` workers and `cpus` processors. Without the
    /// times of all of them they count as alike. `None` if there is nothing to do.
    #[must_use]
    pub fn of(items: u64, times: Option<&ItemTimes>, count: u32, cpus: u32) -> Option<Self> {
        if items == 0 || count == 0 || cpus == 0 {
            return None;
        }
        let times = times.filter(|times| times.count == items && times.longest_s > 0.0);
        let mut bounds = vec![
            (f64::from(count), Limit::Workers),
            (f64::from(cpus), Limit::Cpus),
            (shared(items, times, count), Limit::Items),
        ];
        if let Some(times) = times {
            bounds.push((times.total_s / times.longest_s, Limit::LongestItem));
        }
        // Of equals the first one is the simplest to understand.
        let less = |a: f64, b: f64| a < b * (1.0 - 1e-9);
        let lower = |least: (f64, Limit), next: (f64, Limit)| if less(next.0, least.0) { next } else { least };
        let (speedup, limit) = bounds.into_iter().reduce(lower)?;
        Some(Self { speedup, limit })
    }
}

/// Some worker gets at least ⌈n/p⌉ items: at best those that take the least time.
#[expect(clippy::cast_precision_loss, reason = "a bound for people")]
fn shared(items: u64, times: Option<&ItemTimes>, count: u32) -> f64 {
    let most = items.div_ceil(u64::from(count));
    let at_best = match times {
        Some(times) => times.total_s / times.of_shortest(most),
        _ => items as f64 / most as f64,
    };
    at_best.min(items as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(seconds: &[f64]) -> ItemTimes {
        let mut times = ItemTimes::default();
        seconds.iter().for_each(|&seconds| times.take(seconds));
        times
    }

    fn bound(items: u64, times: Option<&ItemTimes>, count: u32, cpus: u32) -> (f64, Limit) {
        let ceiling = Ceiling::of(items, times, count, cpus).unwrap();
        (ceiling.speedup, ceiling.limit)
    }

    #[test]
    fn items_that_count_as_alike() {
        assert_eq!(bound(10, None, 4, 4), (10.0 / 3.0, Limit::Items));
        assert_eq!(bound(12, None, 4, 4), (4.0, Limit::Workers));
        assert_eq!(bound(12, None, 6, 4), (4.0, Limit::Cpus));
        assert_eq!(bound(1, None, 4, 4), (1.0, Limit::Items));
        assert_eq!(Ceiling::of(0, None, 4, 4), None);
    }

    #[test]
    fn one_long_item_holds_all() {
        let times = times(&[4.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(bound(5, Some(&times), 4, 4), (2.0, Limit::LongestItem));
        assert_eq!(bound(5, Some(&times), 1, 4), (1.0, Limit::Workers));
    }

    #[test]
    fn unlike_items_can_be_shared_out_well() {
        // 1 and 1 on one worker, 2 on the other: twice as fast, not 1.5 times.
        assert_eq!(bound(3, Some(&times(&[1.0, 1.0, 2.0])), 2, 2), (2.0, Limit::Workers));
        let alike = times(&[1.0; 3]);
        assert_eq!(bound(3, Some(&alike), 2, 2), (1.5, Limit::Items));
    }
}
