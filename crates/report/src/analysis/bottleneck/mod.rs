//! Finds the bottleneck of a run from how its time was spent.

use crate::analysis::measured::Measured;
use crate::model::study::Executor;
use serde::Serialize;

pub(crate) mod wording;

/// A phase with more than this share of the time can be the bottleneck.
const MUCH: f64 = 0.3;
/// A thread that is busy for more than this share of a run is the bottleneck.
const FULL: f64 = 0.7;
/// Workers that run items for at least this share of the time are well used.
const NEARLY_ALL: f64 = 0.75;
/// An item that takes more than this share of a run is the bottleneck.
const ONE_ITEM: f64 = 0.35;
/// The cost of a message is negligible for items of at least this many seconds.
const DEAR_S: f64 = 1e-3;
/// Items that take this many times as long as with one worker are slowed down.
const SLOWED: f64 = 1.25;
/// Shorter runs, in seconds, tell nothing about items.
const SHORTEST_S: f64 = 0.01;

/// The bottleneck of a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "limit", rename_all = "kebab-case")]
#[non_exhaustive]
pub(crate) enum Bottleneck {
    /// Starting and ending the pool.
    StartAndEnd {
        /// Its share of the workers' time.
        share: f64,
        /// The run's time in seconds.
        wall_s: f64,
        /// Estimated seconds of one worker for all items.
        alone_s: f64,
    },
    /// One long item.
    LongestItem {
        /// The item's time in seconds.
        item_s: f64,
        /// The run's time in seconds.
        wall_s: f64,
    },
    /// The thread that reads the input.
    Input {
        /// The share of the run in which it was busy.
        share: f64,
    },
    /// The thread that writes the output.
    Output {
        /// The share of the run in which it was busy.
        share: f64,
    },
    /// Items that take less time than their transport.
    SmallItems {
        /// The share of transport and waiting in the workers' time.
        share: f64,
        /// Whether most of that is waiting.
        is_waiting: bool,
        /// The time of an item in seconds.
        item_s: f64,
        /// Seconds per item above which these workers are faster than a loop, if they can be.
        enough_s: Option<f64>,
        /// The executor.
        executor: Executor,
        /// Number of workers.
        count: u32,
    },
    /// Workers that wait, although items take long.
    Waiting {
        /// The share of the workers' time.
        share: f64,
        /// Number of items.
        items: u64,
        /// Number of workers.
        count: u32,
    },
    /// Items take longer than with one worker, because of memory, caches or other
    /// programs.
    Slowed {
        /// The share of running items in the workers' time.
        share: f64,
        /// By which factor items take longer.
        times: f64,
    },
    /// The items themselves.
    Running {
        /// The share of the workers' time.
        share: f64,
        /// Number of workers.
        count: u32,
        /// Number of CPUs.
        cpus: u32,
    },
}

/// The bottleneck of a configuration; `None` if there is no clear one, or if the
/// times are not known.
#[must_use]
pub(crate) fn bottleneck(row: &Measured, cpus: u32) -> Option<Bottleneck> {
    let (wall_s, shares, count) = (row.compared_s()?, row.shares?, row.configuration.count);
    let executor = row.configuration.executor;
    if row.items == 0 || wall_s <= 0.0 {
        return None;
    }
    let share = shares.start_up + shares.ending;
    let busy = shares.decoding + shares.running + shares.encoding;
    if executor != Executor::Serial && share > MUCH && share > busy {
        let alone_s = busy * wall_s * f64::from(count);
        return Some(Bottleneck::StartAndEnd { share, wall_s, alone_s });
    }
    if wall_s < SHORTEST_S {
        return None;
    }
    if let Some(item_s) = row.longest_s.filter(|item_s| count > 1 && *item_s > ONE_ITEM * wall_s && busy < NEARLY_ALL) {
        return Some(Bottleneck::LongestItem { item_s: item_s.min(wall_s), wall_s });
    }
    if let Some(coordinator) = row.coordinator.filter(|_| shares.waiting + shares.writing > MUCH) {
        let threads = [(coordinator.writing, false), (coordinator.reading, true)];
        match threads.into_iter().max_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((share, true)) if share > FULL => return Some(Bottleneck::Input { share }),
            Some((share, false)) if share > FULL => return Some(Bottleneck::Output { share }),
            _ => {}
        }
    }
    handing_over(row, wall_s).or_else(|| running(row, busy, cpus))
}

/// Checks for transport and waiting.
fn handing_over(row: &Measured, wall_s: f64) -> Option<Bottleneck> {
    let (shares, count, executor) = (row.shares?, row.configuration.count, row.configuration.executor);
    let share = shares.waiting + shares.transport + shares.writing;
    if share <= MUCH {
        return None;
    }
    let (worker_s, items) = (wall_s * f64::from(count), row.items);
    #[expect(clippy::cast_precision_loss, reason = "counts of items are far below 2^53")]
    let per_item = |share: f64| share * worker_s / items as f64;
    let item_s = per_item(shares.decoding + shares.running + shares.encoding);
    if item_s < DEAR_S && executor != Executor::Serial {
        // A loop takes item_s per item. The transport must cost less than the other workers save.
        let enough_s = (count > 1).then(|| per_item(share) / f64::from(count - 1));
        let is_waiting = shares.waiting > share / 2.0;
        return Some(Bottleneck::SmallItems { share, is_waiting, item_s, enough_s, executor, count });
    }
    (shares.waiting > MUCH && count > 1).then_some(Bottleneck::Waiting { share: shares.waiting, items, count })
}

fn running(row: &Measured, share: f64, cpus: u32) -> Option<Bottleneck> {
    let count = row.configuration.count;
    if share < NEARLY_ALL || row.configuration.executor == Executor::Serial {
        return None;
    }
    // The efficiency is the share of the time that one worker alone would have needed.
    let alone = row.basis.is_some_and(|basis| basis.count() == 1) && count > 1 && count <= cpus;
    let times = row.efficiency.filter(|efficiency| alone && *efficiency > 0.0).map(|efficiency| share / efficiency);
    if let Some(times) = times.filter(|times| *times > SLOWED) {
        return Some(Bottleneck::Slowed { share, times });
    }
    Some(Bottleneck::Running { share, count, cpus })
}

#[cfg(test)]
mod tests;
