//! From where on a pool pays: what it costs to start and end, what it costs for
//! each item, and how much work that is worth.
//!
//! A run on `p` workers is taken to last `F + (T + n·c) / q`: `T` is what the
//! serial loop takes for the same `n` items, `q` how many workers have a CPU, `F`
//! the pool's fixed cost, `c` its cost for an item, as a worker's time. All of it
//! is measured; nothing is taken from elsewhere.
//!
//! Two unknowns need two sizes. With one the fixed cost is what the workers told
//! of their start and their end, and the item's is what is left. What could have
//! other reasons counts as noise: a worker that is one message behind the others
//! when the work runs out, items that themselves took longer than in the loop,
//! and what other programs took.

use crate::analysis::least_squares::{Line, Observation};
use crate::analysis::measured::Measured;
use crate::model::run_summary::RunSummary;
use crate::model::study::{Configuration, Executor};
use serde::Serialize;

pub(crate) mod wording;

/// Times are never known better than to this share of them.
const LEAST_NOISE: f64 = 0.01;
/// What keeps a worker busy for longer than so many seconds is a single item.
const LONG_S: f64 = 0.02;

/// A cost, and by how much it may be wrong.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Cost {
    /// In seconds; never negative.
    pub seconds: f64,
    /// What it can't be told from, in seconds.
    pub noise_s: f64,
}

impl Cost {
    fn new(seconds: f64, noise_s: f64) -> Self {
        Self { seconds: seconds.max(0.0), noise_s }
    }

    /// Whether it is more than the noise.
    #[must_use]
    pub(crate) fn is_known(&self) -> bool {
        self.seconds > self.noise_s
    }

    /// What it may be at most.
    fn at_most(&self) -> f64 {
        if self.is_known() { self.seconds } else { self.noise_s }
    }
}

/// Where costs come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Origin {
    /// A line through the times of several sizes.
    Sizes,
    /// What the workers told of their start and their end: there is one size,
    /// or the fixed cost of several can't be told from the noise.
    Workers,
}

/// What so many workers cost, and from where on they beat the serial loop.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Crossover {
    /// On what it ran.
    pub executor: Executor,
    /// How many workers.
    pub count: u32,
    /// Items in a message.
    pub chunk: Option<u32>,
    /// How many of the workers have a CPU.
    pub parallel: u32,
    /// Where the costs come from.
    pub origin: Origin,
    /// To start and end.
    pub fixed: Cost,
    /// For each item, of a worker's time.
    pub item: Cost,
    /// What an item of the largest run takes in the loop, in seconds.
    pub item_s: f64,
    /// With such items the loop is faster below so many seconds of work; `None`
    /// if it always is, or that can't be told.
    pub pays_from_s: Option<f64>,
    /// With items of less than so many seconds the loop is always faster; `None`
    /// if that can't be told, or is so with any items.
    pub never_below_s: Option<f64>,
}

/// What is known of one size.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    items: f64,
    /// Of the pool and of the loop.
    wall_s: f64,
    serial_s: f64,
    /// The pool's start and end, as its workers knew them.
    fixed_s: f64,
    /// How many times as fast as one worker these items allow.
    ideal: f64,
    /// What the worker seconds below can't be told from.
    noise_s: f64,
}

impl Point {
    /// Worker seconds that neither the items nor the start and the end explain.
    fn extra_s(&self, fixed_s: f64) -> f64 {
        self.ideal * (self.wall_s - fixed_s) - self.serial_s
    }
}

/// For every count of threads and processes that was measured beside the loop.
#[must_use]
pub(crate) fn crossovers(rows: &[Measured], runs: &[RunSummary], usable_cores: u32) -> Vec<Crossover> {
    let mut found: Vec<Crossover> = Vec::new();
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
        found.push(Crossover {
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

/// The total work from which on the pool is faster, with items like these, and
/// the items with which it never is.
fn thresholds(fixed: &Cost, item: &Cost, item_s: f64, parallel: u32) -> (Option<f64>, Option<f64>) {
    let parallel = f64::from(parallel);
    let gain = parallel - 1.0;
    if gain <= 0.0 || item_s <= 0.0 {
        return (None, None);
    }
    // F + (T + n·c)/q < T, with T = n·w. Where the noise decides, nothing is said.
    let left = gain - item.seconds / item_s;
    let pays_from_s = (gain > item.at_most() / item_s).then(|| parallel * fixed.seconds / left);
    (pays_from_s, item.is_known().then(|| item.seconds / gain))
}

/// The fixed cost and the cost per item: with several sizes by least squares,
/// with one by what the workers said of their start and end.
fn costs(points: &[Point]) -> (Origin, Cost, Cost) {
    let fitted = Line::through(&points.iter().map(observation).collect::<Vec<_>>());
    if let Some(line) = fitted {
        let parallel = mean(points.iter().map(|point| point.ideal));
        let fixed = Cost::new(line.at_zero, line.at_zero_noise);
        if fixed.is_known() {
            return (Origin::Sizes, fixed, Cost::new(line.slope * parallel, line.slope_noise * parallel));
        }
    }
    // One size, or the fit can't tell: the workers can.
    let fixed_s = mean(points.iter().map(|point| point.fixed_s));
    let weigh = |of: &dyn Fn(&Point) -> f64| points.iter().map(|point| of(point) / point.noise_s.powi(2)).sum::<f64>();
    let squares = weigh(&|point| point.items.powi(2));
    let item_s = weigh(&|point| point.items * point.extra_s(fixed_s)) / squares;
    (Origin::Workers, Cost::new(fixed_s, LEAST_NOISE * fixed_s), Cost::new(item_s, squares.sqrt().recip()))
}

/// What a run took more than its share of the loop's time grows with the items.
fn observation(point: &Point) -> Observation {
    let above_s = point.wall_s - point.serial_s / point.ideal;
    Observation { x: point.items, y: above_s, noise: point.noise_s / point.ideal }
}

#[expect(clippy::cast_precision_loss, reason = "a handful of sizes")]
fn mean(values: impl Iterator<Item = f64> + Clone) -> f64 {
    values.clone().sum::<f64>() / (values.count().max(1) as f64)
}

/// A row beside the loop's on the same work; `None` if either is missing.
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
    let ideal = row.ceiling.map_or(at_best, |ceiling| ceiling.speedup.min(at_best));
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

/// By how much a worker may be behind the others when the work runs out: one
/// message, which ends with one item unless its length is fixed.
#[expect(clippy::cast_precision_loss, reason = "counts of items are far below 2^53")]
fn message_s(row: &Measured, serial_s: f64) -> f64 {
    let items = row.items as f64;
    let message = row.configuration.chunk.map_or(1.0, f64::from).min(items);
    // Shorter than that it may be many items, which were dealt out to the last.
    let long_s = row.longest_s.filter(|seconds| *seconds > LONG_S).unwrap_or(0.0);
    f64::max(message * serial_s / items, long_s.min(serial_s))
}

/// Worker seconds that the items themselves took longer (or shorter) than in the
/// loop, as far as workers told: caches and other programs do that.
fn slowed_s(row: &Measured, serial: &Measured) -> f64 {
    let running = |row: &Measured| Some(row.shares?.running * f64::from(row.configuration.count) * row.compared_s()?);
    running(row).zip(running(serial)).map_or(0.0, |(pool_s, loop_s)| (pool_s - loop_s).abs())
}

/// By how much a median may be off.
#[expect(clippy::cast_precision_loss, reason = "nobody repeats a run 2^53 times")]
fn spread(row: &Measured) -> f64 {
    row.stdev_s.unwrap_or(0.0) / (row.walls_s.len().max(1) as f64).sqrt()
}

/// Worker seconds that other programs took, on the mean of a row's runs; the
/// CPUs that a run leaves free are theirs.
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
