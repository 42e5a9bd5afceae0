//! What limits a run, in words, from where its time went.

use crate::analysis::measured::Measured;
use crate::model::study::Executor;
use serde::Serialize;

pub(crate) mod wording;

/// A part is worth a word from this share on.
const MUCH: f64 = 0.3;
/// A thread that is at work for this share of a run is what the others wait for.
const FULL: f64 = 0.7;
/// As good as it gets.
const NEARLY_ALL: f64 = 0.75;
/// The share of a run that one item may take before it is the reason.
const ONE_ITEM: f64 = 0.35;
/// An item that takes so many seconds hides any message's cost.
const DEAR_S: f64 = 1e-3;
/// Items that take so many times as long as in one worker are not alone on their CPUs.
const SLOWED: f64 = 1.25;
/// A run that is shorter, in seconds, says nothing about items.
const SHORTEST_S: f64 = 0.01;

/// What limits a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "limit", rename_all = "kebab-case")]
#[non_exhaustive]
pub(crate) enum Bottleneck {
    /// Starting and ending.
    StartAndEnd {
        /// The share of it.
        share: f64,
        /// Of so many seconds.
        wall_s: f64,
        /// What one worker would need for the items, in seconds.
        alone_s: f64,
    },
    /// One item, in seconds, of so many seconds.
    LongestItem {
        /// What it took.
        item_s: f64,
        /// What the run took.
        wall_s: f64,
    },
    /// The thread that reads the input, at work for this share of the run.
    Input {
        /// The share.
        share: f64,
    },
    /// The thread that writes the output, at work for this share of the run.
    Output {
        /// The share.
        share: f64,
    },
    /// Items that cost less than to hand them over.
    SmallItems {
        /// The share of the workers' time that goes into handing over and waiting.
        share: f64,
        /// Most of it is waiting.
        is_waiting: bool,
        /// What an item takes, in seconds.
        item_s: f64,
        /// What it would have to take for so many workers to beat a loop, if they can.
        enough_s: Option<f64>,
        /// On what it ran.
        executor: Executor,
        /// How many workers.
        count: u32,
    },
    /// Workers that wait, though items are dear.
    Waiting {
        /// The share of the workers' time.
        share: f64,
        /// How many items there were.
        items: u64,
        /// How many workers.
        count: u32,
    },
    /// Items take longer than in one worker: memory, caches or other programs.
    Slowed {
        /// The share of the workers' time that they run.
        share: f64,
        /// How many times as long.
        times: f64,
    },
    /// Nothing but the items themselves.
    Running {
        /// The share of the workers' time.
        share: f64,
        /// How many workers.
        count: u32,
        /// How many CPUs there are for them.
        cpus: u32,
    },
}

/// What limits this configuration; `None` if nothing stands out, or it is not known.
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

/// Whether it is handing items over, or waiting for some.
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
        // A loop takes item_s; what is handed over must be less than what the others bring.
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
    // An efficiency says how much of the time one worker alone would have needed.
    let alone = row.basis.is_some_and(|basis| basis.count() == 1) && count > 1 && count <= cpus;
    let times = row.efficiency.filter(|efficiency| alone && *efficiency > 0.0).map(|efficiency| share / efficiency);
    if let Some(times) = times.filter(|times| *times > SLOWED) {
        return Some(Bottleneck::Slowed { share, times });
    }
    Some(Bottleneck::Running { share, count, cpus })
}

#[cfg(test)]
mod tests;
