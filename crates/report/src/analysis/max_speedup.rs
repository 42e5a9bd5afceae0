//! The maximum speedup that the items allow with any pool.
//!
//! Five items on four workers take two rounds: the maximum speedup is 2.5. If one
//! item takes half of the total time, it is 2. CPUs limit only the share of the time in
//! which items use them: items that wait can wait side by side.

use crate::model::item_times::ItemTimes;
use serde::Serialize;
use std::fmt;

/// What limits the speedup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpeedupLimit {
    /// The number of workers.
    Workers,
    /// The number of CPUs.
    Cpus,
    /// The items can't be divided evenly.
    Items,
    /// One item takes too large a share of the time.
    LongestItem,
}

impl fmt::Display for SpeedupLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Workers => "workers",
            Self::Cpus => "CPUs",
            Self::Items => "items",
            Self::LongestItem => "longest item",
        })
    }
}

/// The maximum speedup relative to one worker.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MaxSpeedup {
    /// The speedup.
    pub speedup: f64,
    /// What limits it.
    pub limit: SpeedupLimit,
}

impl MaxSpeedup {
    /// The maximum speedup of `items` on `count` workers and `cpus` CPUs, if one worker
    /// used a CPU for this share of its time. If `times` does not have all items, they
    /// are assumed to take equal times. `None` if a number is 0.
    #[must_use]
    pub fn of(items: u64, times: Option<&ItemTimes>, count: u32, cpus: u32, cpu_share: f64) -> Option<Self> {
        if items == 0 || count == 0 || cpus == 0 {
            return None;
        }
        let times = times.filter(|times| times.count == items && times.longest_s > 0.0);
        let mut bounds = vec![
            (f64::from(count), SpeedupLimit::Workers),
            (f64::from(cpus) / cpu_share.max(1e-6), SpeedupLimit::Cpus),
            (shared(items, times, count), SpeedupLimit::Items),
        ];
        if let Some(times) = times {
            bounds.push((times.total_s / times.longest_s, SpeedupLimit::LongestItem));
        }
        // Of equal bounds the first one is the simplest explanation.
        let less = |a: f64, b: f64| a < b * (1.0 - 1e-9);
        let lower =
            |least: (f64, SpeedupLimit), next: (f64, SpeedupLimit)| if less(next.0, least.0) { next } else { least };
        let (speedup, limit) = bounds.into_iter().reduce(lower)?;
        Some(Self { speedup, limit })
    }
}

/// The number of items that some worker gets at least: ⌈n/p⌉.
pub(crate) fn items_of_one(items: u64, count: u32) -> u64 {
    items.div_ceil(u64::from(count.max(1)))
}

/// One worker gets at least ⌈n/p⌉ items; at best these are the shortest ones.
#[expect(clippy::cast_precision_loss, reason = "a bound for people")]
fn shared(items: u64, times: Option<&ItemTimes>, count: u32) -> f64 {
    let most = items_of_one(items, count);
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

    fn bound(items: u64, times: Option<&ItemTimes>, count: u32, cpus: u32) -> (f64, SpeedupLimit) {
        let max_speedup = MaxSpeedup::of(items, times, count, cpus, 1.0).unwrap();
        (max_speedup.speedup, max_speedup.limit)
    }

    #[test]
    fn items_of_equal_times() {
        assert_eq!(bound(10, None, 4, 4), (10.0 / 3.0, SpeedupLimit::Items));
        assert_eq!(bound(12, None, 4, 4), (4.0, SpeedupLimit::Workers));
        assert_eq!(bound(12, None, 6, 4), (4.0, SpeedupLimit::Cpus));
        assert_eq!(bound(1, None, 4, 4), (1.0, SpeedupLimit::Items));
        assert_eq!(MaxSpeedup::of(0, None, 4, 4, 1.0), None);
    }

    #[test]
    fn cpus_limit_only_the_share_of_the_time_in_which_they_are_used() {
        let of = |cpu_share| MaxSpeedup::of(64, None, 16, 2, cpu_share).unwrap();
        assert_eq!((of(1.0).speedup, of(1.0).limit), (2.0, SpeedupLimit::Cpus));
        assert_eq!((of(0.5).speedup, of(0.5).limit), (4.0, SpeedupLimit::Cpus));
        assert_eq!((of(0.01).speedup, of(0.01).limit), (16.0, SpeedupLimit::Workers));
        assert_eq!(of(0.0).limit, SpeedupLimit::Workers);
    }

    #[test]
    fn one_long_item_limits_the_speedup() {
        let times = times(&[4.0, 1.0, 1.0, 1.0, 1.0]);
        assert_eq!(bound(5, Some(&times), 4, 4), (2.0, SpeedupLimit::LongestItem));
        assert_eq!(bound(5, Some(&times), 1, 4), (1.0, SpeedupLimit::Workers));
    }

    #[test]
    fn items_of_different_times_can_be_divided_evenly() {
        // 1 and 1 on one worker, 2 on the other: twice as fast, not 1.5 times.
        assert_eq!(bound(3, Some(&times(&[1.0, 1.0, 2.0])), 2, 2), (2.0, SpeedupLimit::Workers));
        let alike = times(&[1.0; 3]);
        assert_eq!(bound(3, Some(&alike), 2, 2), (1.5, SpeedupLimit::Items));
    }
}
