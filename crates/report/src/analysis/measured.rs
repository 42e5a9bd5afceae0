//! The measurements of each configuration: times, speedup, efficiency.

use crate::analysis::coordinator_shares::CoordinatorShares;
use crate::analysis::max_speedup::MaxSpeedup;
use crate::analysis::scaling;
use crate::analysis::stats::Sample;
use crate::analysis::worker_shares::WorkerShares;
use crate::model::item_times::ItemTimes;
use crate::model::run_summary::RunSummary;
use crate::model::study::{Configuration, Executor, RunStatus};
use serde::{Serialize, Serializer};
use std::fmt;

/// The status of runs that are measured.
const COMPLETED: &str = RunStatus::Completed.as_str();
/// The relative noise that a single run is assumed to have.
const SINGLE_NOISE: f64 = 0.05;
/// The least relative noise of a time.
const LEAST_NOISE: f64 = 0.01;
/// The absolute noise of a time, in seconds.
const CLOCK_NOISE_S: f64 = 0.001;
/// Items that use a CPU for this share of their time only compute.
const ALWAYS: f64 = 0.9;

/// The measurements of one configuration.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measured {
    /// The configuration.
    #[serde(flatten)]
    pub configuration: Configuration,
    /// The numbers of its measured runs.
    pub runs: Vec<u32>,
    /// Number of completed runs: only these are measured. If none completed, times and
    /// shares are those of the other runs, and there is no speedup.
    pub completed: usize,
    /// Number of items in a run.
    pub items: u64,
    /// Wall times of the measured runs in seconds, in their order.
    pub walls_s: Vec<f64>,
    /// Median wall time in seconds.
    pub wall_s: Option<f64>,
    /// Minimum in seconds.
    pub min_s: Option<f64>,
    /// Maximum in seconds.
    pub max_s: Option<f64>,
    /// Mean in seconds.
    pub mean_s: Option<f64>,
    /// Standard deviation in seconds.
    pub stdev_s: Option<f64>,
    /// What the speedup is relative to; `None` if there is nothing to compare with.
    pub basis: Option<Basis>,
    /// Speedup relative to the basis.
    pub speedup: Option<f64>,
    /// Speedup per worker: S · p0 / p, with p0 the basis's count.
    pub efficiency: Option<f64>,
    /// The relative noise of the speedup: smaller differences say nothing.
    pub speedup_noise: Option<f64>,
    /// Karp and Flatt's serial fraction; see [`scaling::serial_fraction`]. `None` too if it is
    /// below the noise, or not a share.
    pub serial_fraction: Option<f64>,
    /// The maximum speedup that the items allow; known if the basis is one worker.
    #[serde(rename = "ceiling")]
    pub max_speedup: Option<MaxSpeedup>,
    /// How the workers spent their time.
    pub shares: Option<WorkerShares>,
    /// How busy the coordinator's threads were.
    pub coordinator: Option<CoordinatorShares>,
    /// Estimated seconds of the longest item, if it was long.
    pub longest_s: Option<f64>,
    /// Mean CPU seconds of a run's workers and of the programs that they ran.
    pub cpu_s: Option<f64>,
    /// Mean CPU seconds of other programs in a run.
    pub other_cpu_s: Option<f64>,
}

/// What speedups are relative to: the serial loop with the same size and chunk if
/// that was measured, else the smallest count of the same executor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The serial loop.
    Serial,
    /// A number of workers.
    Workers(Executor, u32),
}

impl Basis {
    fn of(configuration: &Configuration) -> Self {
        match configuration.executor {
            Executor::Serial => Self::Serial,
            executor => Self::Workers(executor, configuration.count),
        }
    }

    /// Number of workers.
    #[must_use]
    pub const fn count(self) -> u32 {
        match self {
            Self::Serial => 1,
            Self::Workers(_, count) => count,
        }
    }
}

impl fmt::Display for Basis {
    /// Writes what stands after `speedup vs`: `serial`, `1 process`, `2 threads`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Serial => f.write_str("serial"),
            Self::Workers(executor, count) => f.write_str(&executor.counted(*count)),
        }
    }
}

impl Serialize for Basis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Measured {
    /// The median time in seconds; `None` if no run completed.
    #[must_use]
    pub(crate) fn compared_s(&self) -> Option<f64> {
        self.wall_s.filter(|_| self.completed > 0)
    }

    /// Whether the times of its items are used for the maximum speedup.
    pub(crate) fn is_base(&self) -> bool {
        self.is_own_basis() && self.basis.is_some_and(|basis| basis.count() == 1)
    }

    /// Whether speedups with this basis are relative to this row, of its size and chunk.
    pub(crate) fn is_basis(&self, basis: Basis) -> bool {
        Basis::of(&self.configuration) == basis && self.compared_s().is_some()
    }

    /// Seconds in which workers ran items, in a run.
    pub(crate) fn busy_s(&self) -> Option<f64> {
        let shares = self.shares?;
        let busy = shares.decoding + shares.running + shares.encoding;
        Some(busy * self.compared_s()? * f64::from(self.configuration.count))
    }

    /// CPUs that a worker uses while it does not wait for items. It may be above 1: programs
    /// can have several threads. Items that only compute have 1.
    pub(crate) fn cpu_share(&self) -> Option<f64> {
        let active_s = (1.0 - self.shares?.waiting) * self.compared_s()? * f64::from(self.configuration.count);
        let share = self.cpu_s.filter(|_| active_s > 0.0)? / active_s;
        Some(if (ALWAYS..=1.0 / ALWAYS).contains(&share) { 1.0 } else { share })
    }

    /// The relative noise of the median time: two standard errors. A single run is assumed
    /// to have 5 %.
    fn noise(&self) -> f64 {
        let Some(wall_s) = self.compared_s().filter(|wall_s| *wall_s > 0.0) else { return 1.0 };
        #[expect(clippy::cast_precision_loss, reason = "nobody repeats a run 2^53 times")]
        let runs = self.walls_s.len() as f64;
        let spread = match self.stdev_s {
            Some(stdev_s) if self.walls_s.len() > 1 => 2.0 * stdev_s / runs.sqrt() / wall_s,
            _ => SINGLE_NOISE,
        };
        spread.max(LEAST_NOISE) + CLOCK_NOISE_S / wall_s
    }

    /// The relative noise of a comparison with another row.
    fn noise_beside(&self, other: &Self) -> f64 {
        self.noise().hypot(other.noise())
    }

    /// Whether this row took less time than another, beyond the noise of both.
    pub(crate) fn is_faster_than(&self, other: &Self) -> bool {
        let times = self.compared_s().zip(other.compared_s());
        times.is_some_and(|(own_s, other_s)| other_s > own_s * (1.0 + self.noise_beside(other)))
    }

    /// Whether the speedup can't be told from 1.
    pub(crate) fn is_speedup_noise(&self) -> bool {
        let known = self.speedup.zip(self.speedup_noise).filter(|_| !self.is_own_basis());
        known.is_some_and(|(speedup, noise)| (speedup - 1.0).abs() <= noise)
    }

    fn is_own_basis(&self) -> bool {
        self.basis == Some(Basis::of(&self.configuration))
    }

    fn of(first: &RunSummary) -> Self {
        Self {
            configuration: *first.configuration(),
            runs: vec![first.run],
            completed: 0,
            items: 0,
            walls_s: Vec::new(),
            wall_s: None,
            min_s: None,
            max_s: None,
            mean_s: None,
            stdev_s: None,
            basis: None,
            speedup: None,
            efficiency: None,
            speedup_noise: None,
            serial_fraction: None,
            max_speedup: None,
            shares: None,
            coordinator: None,
            longest_s: None,
            cpu_s: None,
            other_cpu_s: None,
        }
    }

    fn time(&mut self, runs: &[RunSummary]) {
        let own = runs.iter().filter(|run| self.runs.contains(&run.run));
        let (completed, early): (Vec<_>, Vec<_>) = own.partition(|run| run.status == COMPLETED);
        self.completed = completed.len();
        let counted = if completed.is_empty() { early } else { completed };
        self.items = counted.iter().filter_map(|run| Some(run.result.as_ref()?.items)).max().unwrap_or(0);
        self.walls_s = counted.iter().filter_map(|run| run.wall_s()).collect();
        self.coordinator = CoordinatorShares::of(counted.iter().copied());
        self.longest_s = counted.iter().filter_map(|run| run.longest_s()).reduce(f64::max);
        self.cpu_s = mean(counted.iter().map(|run| run.cpu_s()));
        self.other_cpu_s = mean(counted.iter().map(|run| run.result.as_ref()?.other_cpu_s));
        self.shares = WorkerShares::of(counted);
        if let Some(sample) = Sample::of(&self.walls_s) {
            (self.wall_s, self.mean_s, self.stdev_s) = (Some(sample.median), Some(sample.mean), Some(sample.stdev));
            (self.min_s, self.max_s) = (Some(sample.min), Some(sample.max));
        }
    }

    fn compare(&mut self, base: &Self, times: Option<&ItemTimes>, usable: u32) {
        let (Some(wall_s), Some(base_s)) = (self.compared_s(), base.compared_s()) else { return };
        let basis = Basis::of(&base.configuration);
        let count = self.configuration.count;
        self.basis = Some(basis);
        self.speedup = scaling::speedup(base_s, wall_s);
        let Some(speedup) = self.speedup else { return };
        self.efficiency = scaling::efficiency(speedup, basis.count(), count);
        let noise = self.noise_beside(base);
        self.speedup_noise = Some(noise);
        let fraction = scaling::serial_fraction(speedup, basis.count(), count, usable);
        let fraction_noise = noise / speedup / (1.0 - 1.0 / f64::from(count.max(2)));
        self.serial_fraction = fraction.filter(|fraction| (0.0..=1.0).contains(fraction) && *fraction > fraction_noise);
        let cpu_share = base.cpu_share().unwrap_or(1.0);
        let max_speedup = MaxSpeedup::of(self.items, times, count, usable, cpu_share).filter(|_| basis.count() == 1);
        // Without the times of single items, equal times are assumed. A measured speedup
        // above that maximum shows that the assumption is wrong.
        self.max_speedup = max_speedup.filter(|max_speedup| times.is_some() || speedup <= max_speedup.speedup * 1.02);
    }
}

/// One row per configuration, in the order of first runs. Warm-ups are omitted, and
/// so are runs that did not complete if others did.
#[must_use]
pub(crate) fn measure(runs: &[RunSummary], usable_cores: u32) -> Vec<Measured> {
    let mut rows: Vec<Measured> = Vec::new();
    for run in runs.iter().filter(|run| !run.start.warmup) {
        match rows.iter_mut().find(|row| row.configuration == *run.configuration()) {
            Some(row) => row.runs.push(run.run),
            None => rows.push(Measured::of(run)),
        }
    }
    rows.iter_mut().for_each(|row| row.time(runs));
    let bases: Vec<Option<usize>> = rows.iter().map(|row| base(&rows, row)).collect();
    let based: Vec<Option<Measured>> = bases.iter().map(|base| base.map(|at| rows[at].clone())).collect();
    let times: Vec<_> = bases.iter().map(|base| base.and_then(|at| times(runs, &rows[at]))).collect();
    for ((row, base), times) in rows.iter_mut().zip(based).zip(times) {
        if let Some(base) = base {
            row.compare(&base, times, usable_cores);
        }
    }
    rows
}

/// The mean; `None` if a value is missing or there is none.
fn mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.collect::<Option<_>>()?;
    Sample::of(&values).map(|sample| sample.mean)
}

/// The times of all items, from a run of this configuration that has them.
fn times<'a>(runs: &'a [RunSummary], row: &Measured) -> Option<&'a ItemTimes> {
    let of = |run: &'a RunSummary| (row.runs.contains(&run.run) && row.items > 0).then_some(&run.spans.items);
    runs.iter().filter_map(of).find(|times| times.count == row.items)
}

/// The row that a row is compared with.
fn base(rows: &[Measured], row: &Measured) -> Option<usize> {
    let of = &row.configuration;
    let alike = |other: &Measured| {
        other.configuration.size == of.size && other.configuration.chunk == of.chunk && other.compared_s().is_some()
    };
    let alike: Vec<usize> = (0..rows.len()).filter(|&at| alike(&rows[at])).collect();
    let executor = |at: usize| rows[at].configuration.executor;
    if let Some(serial) = alike.iter().copied().find(|&at| executor(at) == Executor::Serial) {
        return (alike.len() > 1).then_some(serial);
    }
    let own: Vec<usize> = alike.into_iter().filter(|&at| executor(at) == of.executor).collect();
    if own.len() < 2 {
        return None;
    }
    own.into_iter().min_by_key(|&at| rows[at].configuration.count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::max_speedup::SpeedupLimit;
    use crate::samples::{prime_study, run};

    #[test]
    fn a_table_of_the_prime_study() {
        let rows = measure(&prime_study(), 4);
        assert_eq!(rows.len(), 15);
        let of = |count, size| {
            let is = |row: &&Measured| row.configuration.count == count && row.configuration.size == Some(size);
            rows.iter().find(is).unwrap()
        };
        let row = of(4, 34);
        assert_eq!(row.speedup, Some(43.0 / 13.0), "3.3");
        assert_eq!(row.efficiency, Some(43.0 / 13.0 / 4.0));
        // (13/43 − 1/4) / (1 − 1/4)
        assert!((row.serial_fraction.unwrap() - 0.069_767_4).abs() < 1e-6);
        assert_eq!(row.basis.unwrap().to_string(), "1 process");
        let max_speedup = row.max_speedup.unwrap();
        assert_eq!((max_speedup.speedup, max_speedup.limit), (34.0 / 9.0, SpeedupLimit::Items));
        assert_eq!(of(4, 10).max_speedup.unwrap().speedup, 10.0 / 3.0);
        assert_eq!(of(5, 34).max_speedup.unwrap().limit, SpeedupLimit::Cpus);
        assert_eq!(of(5, 34).serial_fraction, None, "five processes on four cores");
        assert_eq!(of(1, 34).speedup, Some(1.0));
    }

    #[test]
    fn a_higher_measured_speedup_refutes_equal_times() {
        let mut runs = vec![run(1, 1, 4.0, vec![]), run(2, 2, 2.0, vec![])];
        runs.iter_mut().for_each(|run| run.result.as_mut().unwrap().items = 3);
        assert_eq!(measure(&runs, 2)[1].max_speedup, None);
        [1.0, 1.0, 2.0].into_iter().for_each(|seconds| runs[0].spans.items.take(seconds));
        assert_eq!(measure(&runs, 2)[1].max_speedup.unwrap().speedup, 2.0);
    }

    #[test]
    fn serial_is_the_basis_of_all_executors() {
        let mut runs = vec![run(1, 1, 4.0, vec![]), run(2, 1, 4.4, vec![]), run(3, 2, 2.0, vec![])];
        runs[0].start.configuration.executor = Executor::Serial;
        runs[1].start.configuration.executor = Executor::Threads;
        let rows = measure(&runs, 8);
        assert!(rows.iter().all(|row| row.basis == Some(Basis::Serial)));
        assert_eq!([rows[1].speedup, rows[2].speedup], [Some(4.0 / 4.4), Some(2.0)]);
    }

    #[test]
    fn serial_fractions_that_mean_nothing_are_omitted() {
        let fraction =
            |wall_s, cpus| measure(&[run(1, 1, 4.0, vec![]), run(2, 2, wall_s, vec![])], cpus)[1].serial_fraction;
        assert!((fraction(2.6, 2).unwrap() - 0.3).abs() < 1e-12);
        assert_eq!(fraction(2.6, 1), None, "more workers than CPUs");
        assert_eq!(fraction(2.1, 2), None, "below the noise of single runs");
        assert_eq!([fraction(1.8, 2), fraction(4.4, 2)], [None, None], "no shares");
        let exact: Vec<RunSummary> = [(1, 4.0), (1, 4.0), (2, 2.1), (2, 2.1)]
            .iter()
            .zip(1..)
            .map(|(&(count, wall_s), number)| run(number, count, wall_s, vec![]))
            .collect();
        assert!(measure(&exact, 2)[1].serial_fraction.is_some(), "repeats show that the noise is smaller");
    }

    #[test]
    fn a_speedup_within_the_noise_is_none() {
        let row = |wall_s| measure(&[run(1, 1, 4.0, vec![]), run(2, 2, wall_s, vec![])], 2).remove(1);
        assert!(row(3.8).is_speedup_noise() && row(4.2).is_speedup_noise());
        assert!(!row(3.6).is_speedup_noise() && !row(4.5).is_speedup_noise());
        assert!(row(3.6).is_faster_than(&row(4.0)) && !row(3.8).is_faster_than(&row(4.0)));
    }

    #[test]
    fn spread_of_repeats() {
        let mut runs = vec![run(1, 1, 1.0, vec![]), run(2, 1, 3.0, vec![]), run(3, 1, 2.5, vec![])];
        runs[1].start.repeat = 2;
        let row = &measure(&runs, 1)[0];
        assert_eq!((row.wall_s, row.min_s, row.max_s), (Some(2.5), Some(1.0), Some(3.0)));
        assert_eq!((row.mean_s, row.walls_s.len(), row.runs.len()), (Some(6.5 / 3.0), 3, 3));
        assert_eq!(row.basis, None, "nothing to compare with");
    }
}
