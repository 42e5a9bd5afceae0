//! The break-even point of a pool: what it costs to start and end, what it costs
//! per item, and with how much work it is faster than the serial loop.
//!
//! The model of a run's time is `F + (T + n·c) / q`. `T` is the time of the serial
//! loop for the same `n` items, `q` the number of workers with a CPU, `F` the
//! pool's fixed cost, `c` its cost per item in worker seconds. All values are
//! measured.
//!
//! Two unknowns need two sizes. With one size, the fixed cost is the start-up and
//! ending that workers reported, and the cost per item is the rest. Time with
//! another explanation counts as noise: a worker that is one message behind the
//! others at the end of the work, items that took longer than in the loop, and
//! other programs.

use crate::analysis::least_squares::{FittedLine, Observation};
use crate::analysis::measured::Measured;
use crate::model::run_summary::RunSummary;
use crate::model::study::{Configuration, Executor};
use procession::ChunkSize;
use procession_task::chunk_size;
use serde::Serialize;

pub(crate) mod wording;

/// Least relative noise of a time.
const LEAST_NOISE: f64 = 0.01;
/// A worker that is busy longer than this for one reply, in seconds, ran a single item.
const LONG_S: f64 = 0.02;

/// A cost with its noise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct CostEstimate {
    /// Seconds; never negative.
    pub seconds: f64,
    /// The noise of this value in seconds.
    pub noise_s: f64,
}

impl CostEstimate {
    fn new(seconds: f64, noise_s: f64) -> Self {
        Self { seconds: seconds.max(0.0), noise_s }
    }

    /// Whether the cost is above the noise.
    #[must_use]
    pub(crate) fn is_known(&self) -> bool {
        self.seconds > self.noise_s
    }

    /// Upper bound of the cost.
    fn at_most(&self) -> f64 {
        if self.is_known() { self.seconds } else { self.noise_s }
    }
}

/// Where costs come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CostSource {
    /// A line through the times of several sizes.
    Sizes,
    /// The start-up and ending that workers reported: there is only one size, or the
    /// fitted fixed cost is below the noise.
    Workers,
}

/// The costs of a number of workers, and with how much work they are faster than
/// the serial loop.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct BreakEven {
    /// The executor.
    pub executor: Executor,
    /// Number of workers.
    pub count: u32,
    /// Items in a message; `None` if that adapts.
    #[serde(serialize_with = "chunk_size::serialize")]
    pub chunk: ChunkSize,
    /// Number of workers with a CPU.
    pub parallel: u32,
    /// Where the costs come from.
    pub origin: CostSource,
    /// Cost of starting and ending the pool.
    pub fixed: CostEstimate,
    /// Cost per item, in worker seconds.
    pub item: CostEstimate,
    /// Seconds that an item of the largest run takes in the serial loop.
    pub item_s: f64,
    /// Seconds of work with such items below which the serial loop is faster; `None` if
    /// it is always faster, or if that is below the noise.
    pub pays_from_s: Option<f64>,
    /// Seconds per item below which the serial loop is always faster; `None` if that is
    /// below the noise, or true for all items.
    pub never_below_s: Option<f64>,
}

/// The measurements of one size.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    items: f64,
    /// Times of the pool and of the serial loop.
    wall_s: f64,
    serial_s: f64,
    /// The pool's start-up and ending, as its workers reported them.
    fixed_s: f64,
    /// The best speedup that these items allow.
    ideal: f64,
    /// Noise in worker seconds.
    noise_s: f64,
}

impl Point {
    /// Worker seconds that are neither items nor start-up and ending.
    fn extra_s(&self, fixed_s: f64) -> f64 {
        self.ideal * (self.wall_s - fixed_s) - self.serial_s
    }
}

/// The break-even point of each count of threads and processes whose items were
/// also measured in the serial loop.
#[must_use]
pub(crate) fn break_evens(rows: &[Measured], runs: &[RunSummary], usable_cores: u32) -> Vec<BreakEven> {
    let mut found: Vec<BreakEven> = Vec::new();
    for row in rows.iter().filter(|row| row.configuration.executor != Executor::Serial) {
        let Configuration { executor, count, chunk, .. } = row.configuration;
        if found.iter().any(|known| (known.executor, known.count, known.chunk) == (executor, count, chunk)) {
            continue;
        }
        let parallel = count.min(usable_cores).max(1);
        let alike = rows.iter().filter(|other| {
            let of = &other.configuration;
            (of.executor, of.count, of.chunk) == (executor, count, chunk)
        });
        let points: Vec<Point> = alike.filter_map(|row| point(row, rows, runs, usable_cores)).collect();
        let Some(largest) = points.iter().max_by(|a, b| a.items.total_cmp(&b.items)) else { continue };
        let (origin, fixed, item) = costs(&points);
        let item_s = largest.serial_s / largest.items;
        let (pays_from_s, never_below_s) = thresholds(&fixed, &item, item_s, parallel);
        found.push(BreakEven {
            executor,
            count,
            chunk,
            parallel,
            origin,
            fixed,
            item,
            item_s,
            pays_from_s,
            never_below_s,
        });
    }
    found
}

/// The total work above which the pool is faster, with items like these, and the
/// time per item below which it never is.
fn thresholds(fixed: &CostEstimate, item: &CostEstimate, item_s: f64, parallel: u32) -> (Option<f64>, Option<f64>) {
    let parallel = f64::from(parallel);
    let gain = parallel - 1.0;
    if gain <= 0.0 || item_s <= 0.0 {
        return (None, None);
    }
    // F + (T + n·c)/q < T, with T = n·w. `None` where the noise would decide.
    let left = gain - item.seconds / item_s;
    let pays_from_s = (gain > item.at_most() / item_s).then(|| parallel * fixed.seconds / left);
    (pays_from_s, item.is_known().then(|| item.seconds / gain))
}

/// The fixed cost and the cost per item: by least squares with several sizes, from
/// the times that workers reported with one size.
fn costs(points: &[Point]) -> (CostSource, CostEstimate, CostEstimate) {
    let fitted = FittedLine::through(&points.iter().map(observation).collect::<Vec<_>>());
    if let Some(line) = fitted {
        let parallel = mean(points.iter().map(|point| point.ideal));
        let fixed = CostEstimate::new(line.at_zero, line.at_zero_noise);
        if fixed.is_known() {
            return (CostSource::Sizes, fixed, CostEstimate::new(line.slope * parallel, line.slope_noise * parallel));
        }
    }
    // There is one size, or the fitted cost is below the noise: use the workers' times.
    let fixed_s = mean(points.iter().map(|point| point.fixed_s));
    let weigh = |of: &dyn Fn(&Point) -> f64| points.iter().map(|point| of(point) / point.noise_s.powi(2)).sum::<f64>();
    let squares = weigh(&|point| point.items.powi(2));
    let item_s = weigh(&|point| point.items * point.extra_s(fixed_s)) / squares;
    (
        CostSource::Workers,
        CostEstimate::new(fixed_s, LEAST_NOISE * fixed_s),
        CostEstimate::new(item_s, squares.sqrt().recip()),
    )
}

/// The time above the ideal one, which grows with the number of items.
fn observation(point: &Point) -> Observation {
    let above_s = point.wall_s - point.serial_s / point.ideal;
    Observation { x: point.items, y: above_s, noise: point.noise_s / point.ideal }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of sizes")]
fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().sum::<f64>() / (values.count().max(1) as f64)
}

/// Compares a row with the serial loop on the same work; `None` if either is missing.
#[expect(clippy::cast_precision_loss, reason = "counts of items are far below 2^53")]
fn point(row: &Measured, rows: &[Measured], runs: &[RunSummary], cpus: u32) -> Option<Point> {
    let of = &row.configuration;
    let serial = rows.iter().find(|other| {
        let theirs = &other.configuration;
        (theirs.executor, theirs.size, theirs.chunk) == (Executor::Serial, of.size, of.chunk)
    })?;
    let (wall_s, serial_s) = (row.compared_s()?, serial.compared_s()?);
    let (shares, items) = (row.shares?, row.items);
    if items == 0 || items != serial.items || wall_s <= 0.0 || serial_s <= 0.0 {
        return None;
    }
    let at_best = f64::from(of.count.min(cpus).max(1));
    let ideal = row.max_speedup.map_or(at_best, |max_speedup| max_speedup.speedup.min(at_best));
    let measuring_s = ideal * spread(row) + spread(serial) + taken(row, runs, cpus) + taken(serial, runs, cpus);
    let noise_s = measuring_s + ideal * message_s(row, serial_s) + slowed_s(row, serial);
    Some(Point {
        items: items as f64,
        wall_s,
        serial_s,
        fixed_s: (shares.start_up + shares.ending) * wall_s,
        ideal,
        noise_s: noise_s.max(LEAST_NOISE * (ideal * wall_s + serial_s)),
    })
}

/// How far a worker may be behind the others at the end of the work, in seconds:
/// one message. That has a single item at the end, unless its length is fixed.
#[expect(clippy::cast_precision_loss, reason = "counts of items are far below 2^53")]
fn message_s(row: &Measured, serial_s: f64) -> f64 {
    let items = row.items as f64;
    let message = row.configuration.chunk.fixed().map_or(1.0, f64::from).min(items);
    // A shorter reply may be for many items.
    let long_s = row.longest_s.filter(|seconds| *seconds > LONG_S).unwrap_or(0.0);
    f64::max(message * serial_s / items, long_s.min(serial_s))
}

/// Worker seconds by which running the items differs from the serial loop, because
/// of caches and other programs.
fn slowed_s(row: &Measured, serial: &Measured) -> f64 {
    let running = |row: &Measured| Some(row.shares?.running * f64::from(row.configuration.count) * row.compared_s()?);
    running(row).zip(running(serial)).map_or(0.0, |(pool_s, loop_s)| (pool_s - loop_s).abs())
}

/// Standard error of a median, in seconds.
#[expect(clippy::cast_precision_loss, reason = "nobody repeats a run 2^53 times")]
fn spread(row: &Measured) -> f64 {
    row.stdev_s.unwrap_or(0.0) / (row.walls_s.len().max(1) as f64).sqrt()
}

/// Mean CPU seconds that other programs took from the runs of a row. CPUs that a run
/// leaves idle are free for them.
fn taken(row: &Measured, runs: &[RunSummary], cpus: u32) -> f64 {
    let free = f64::from(cpus.saturating_sub(row.configuration.count));
    let of = |run: &RunSummary| {
        let result = run.result.as_ref()?;
        Some((result.other_cpu_s? - free * result.wall_s).max(0.0))
    };
    mean(runs.iter().filter(|run| row.runs.contains(&run.run)).filter_map(of).collect::<Vec<_>>().into_iter())
}

#[cfg(test)]
mod tests;
