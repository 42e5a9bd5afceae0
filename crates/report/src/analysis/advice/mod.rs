//! Advice about the measurement: why its figures may mislead, and what to do
//! instead. Each piece of advice is based on measured evidence.

use crate::analysis::measured::Measured;
use crate::analysis::stats::{Sample, outliers};
use crate::model::run_summary::RunSummary;
use crate::model::study::RunStatus;
use crate::model::study_data::StudyData;
use serde::Serialize;

pub(crate) mod wording;

/// Shorter runs, in seconds, are too short for the kernel's clock ticks of 10 ms.
const SHORT_S: f64 = 0.1;
/// Share of the CPU time that other programs may use without a piece of advice.
const OTHERS: f64 = 0.1;
/// Items that use a CPU for less than this share of their time wait.
const WAITING: f64 = 0.5;
/// A first run is slow if its time is at least this multiple of the others' median.
const SLOW_FIRST: f64 = 1.15;

/// A piece of advice about a measurement.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "about", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Advice {
    /// Some workers had nothing to do.
    TooFewItems {
        /// Number of items.
        items: u64,
        /// Number of workers.
        workers: u32,
        /// Whether the items are blocks of lines, so that smaller blocks make more of them.
        are_blocks: bool,
    },
    /// Each configuration ran once, so that nothing tells how much times vary.
    SingleRuns {
        /// Number of configurations.
        configurations: usize,
    },
    /// More workers than CPUs.
    MoreWorkersThanCpus {
        /// The largest count.
        workers: u32,
        /// Number of CPUs that may be used.
        cpus: u32,
    },
    /// A quota or an affinity mask allows fewer CPUs than the machine has.
    FewerCpus {
        /// Number of CPUs that may be used.
        usable: u32,
        /// Number of CPUs of the machine.
        installed: u32,
        /// The quota in percent of one CPU, if a quota is the reason.
        quota_percent: Option<u32>,
    },
    /// Other programs used CPU time that the run needed.
    OtherPrograms {
        /// The run.
        run: u32,
        /// CPU seconds of other programs.
        other_s: f64,
        /// The run's time in seconds.
        wall_s: f64,
        /// Number of other runs with the same problem.
        more: usize,
    },
    /// The first run was slower than the others.
    SlowFirst {
        /// The run.
        run: u32,
        /// Its time in seconds.
        wall_s: f64,
        /// The median of the others in seconds.
        median_s: f64,
        /// Number of other configurations with the same problem.
        more: usize,
    },
    /// An outlier among the runs of a configuration.
    Outlier {
        /// The run.
        run: u32,
        /// Its time in seconds.
        wall_s: f64,
        /// The median in seconds.
        median_s: f64,
        /// Number of other outliers.
        more: usize,
    },
}

/// All advice about a call.
#[must_use]
pub fn advice(data: &StudyData) -> Vec<Advice> {
    let measured = data.measured();
    let is_study = measured.len() > 1;
    let mut found = Vec::new();
    found.extend(too_few(&measured, &data.study.task));
    found.extend(single(&measured));
    found.extend(too_many(&measured, data.usable_cores()));
    if is_study {
        found.extend(fewer(data, &measured));
    }
    found.extend(others(data));
    found.extend(strange(&measured, &data.runs));
    found
}

fn too_few(measured: &[Measured], task: &str) -> Option<Advice> {
    let idle = |row: &&Measured| row.completed > 0 && row.items > 0 && row.items < u64::from(row.configuration.count);
    let worst = measured.iter().filter(idle).max_by_key(|row| row.configuration.count)?;
    let (items, workers) = (worst.items, worst.configuration.count);
    Some(Advice::TooFewItems { items, workers, are_blocks: task == "pipe" })
}

/// A study of which no configuration was repeated.
fn single(measured: &[Measured]) -> Option<Advice> {
    let is_single = measured.iter().all(|row| row.runs.len() == 1);
    let compared = measured.iter().filter(|row| row.completed > 0 && row.speedup.is_some()).count();
    (is_single && compared > 1).then_some(Advice::SingleRuns { configurations: compared })
}

fn too_many(measured: &[Measured], cpus: u32) -> Option<Advice> {
    let workers = measured.iter().map(|row| row.configuration.count).max()?;
    (workers > cpus && !do_items_wait(measured)).then_some(Advice::MoreWorkersThanCpus { workers, cpus })
}

/// Whether items wait for most of their time, so that CPUs do not limit them. Judged with
/// the fewest workers, which have CPUs of their own.
fn do_items_wait(measured: &[Measured]) -> bool {
    let fewest = measured.iter().min_by_key(|row| row.configuration.count);
    fewest.and_then(Measured::cpu_share).is_some_and(|share| share < WAITING)
}

fn fewer(data: &StudyData, measured: &[Measured]) -> Option<Advice> {
    let machine = &data.study.machine;
    let (usable, installed) = (machine.usable_cores, machine.logical_cores);
    let quota_percent = machine.cpu_quota_percent.filter(|percent| u64::from(*percent) < 100 * u64::from(installed));
    let most = measured.iter().map(|row| row.configuration.count).max()?;
    let short = quota_percent.is_some_and(|percent| percent < 100 * most);
    let is_limit = most > 1 && !do_items_wait(measured);
    (usable > 0 && is_limit && (usable < installed && most >= usable || short)).then_some(Advice::FewerCpus {
        usable,
        installed,
        quota_percent,
    })
}

fn others(data: &StudyData) -> Option<Advice> {
    let cpus = data.study.machine.logical_cores.max(data.usable_cores());
    let disturbed: Vec<(&RunSummary, f64, f64)> = data.runs.iter().filter_map(|run| disturbed(run, cpus)).collect();
    let &(run, other_s, wall_s) = disturbed.iter().max_by(|a, b| (a.1 / a.2).total_cmp(&(b.1 / b.2)))?;
    Some(Advice::OtherPrograms { run: run.run, other_s, wall_s, more: disturbed.len() - 1 })
}

/// Other programs only disturb a run if they use more CPUs than the run leaves idle.
fn disturbed(run: &RunSummary, cpus: u32) -> Option<(&RunSummary, f64, f64)> {
    let result = run.result.as_ref()?;
    let other_s = result.other_cpu_s?;
    let needed = run.configuration().count.min(cpus);
    let free = f64::from(cpus - needed);
    let taken = other_s / result.wall_s - free;
    (!run.start.warmup && result.wall_s >= SHORT_S && taken > OTHERS * f64::from(needed)).then_some((
        run,
        other_s,
        result.wall_s,
    ))
}

/// A run that differs from the others of its configuration.
#[derive(Clone, Copy)]
struct Strange {
    run: u32,
    wall_s: f64,
    median_s: f64,
}

impl Strange {
    fn off(&self) -> f64 {
        (self.wall_s / self.median_s).ln().abs()
    }
}

/// The run that differs most, and the number of others.
fn strange(measured: &[Measured], runs: &[RunSummary]) -> Vec<Advice> {
    let worst = |all: &[Strange]| all.iter().copied().max_by(|a, b| a.off().total_cmp(&b.off()));
    let (mut firsts, mut outliers) = (Vec::new(), Vec::new());
    for row in measured {
        let first = slow_first(row, runs);
        outliers.extend(far_off(row, runs, usize::from(first.is_some())));
        firsts.extend(first);
    }
    let first = worst(&firsts).map(|Strange { run, wall_s, median_s }| {
        let more = firsts.len() - 1;
        Advice::SlowFirst { run, wall_s, median_s, more }
    });
    let outlier = worst(&outliers).map(|Strange { run, wall_s, median_s }| {
        let more = outliers.len() - 1;
        Advice::Outlier { run, wall_s, median_s, more }
    });
    first.into_iter().chain(outlier).collect()
}

/// The first run, if it is slower than the others beyond their spread.
fn slow_first(row: &Measured, runs: &[RunSummary]) -> Option<Strange> {
    let (&wall_s, rest) = row.walls_s.split_first()?;
    let rest = Sample::of(rest).filter(|rest| rest.count >= 2)?;
    let slow = wall_s > SLOW_FIRST * rest.median && wall_s - rest.max > rest.max - rest.min;
    let run = timed(row, runs).first()?.run;
    (slow && row.completed > 0 && !warmed(row, runs)).then_some(Strange { run, wall_s, median_s: rest.median })
}

/// The outliers, without the slow first runs in `known`.
fn far_off(row: &Measured, runs: &[RunSummary], known: usize) -> Vec<Strange> {
    let (timed, median_s) = (timed(row, runs), row.wall_s.unwrap_or_default());
    let far = outliers(&row.walls_s).into_iter().filter(|&at| row.completed > 0 && at >= known);
    far.filter_map(|at| Some(Strange { run: timed.get(at)?.run, wall_s: row.walls_s[at], median_s })).collect()
}

/// The measured runs of a row, in their order.
fn timed<'a>(row: &Measured, runs: &'a [RunSummary]) -> Vec<&'a RunSummary> {
    let completed = RunStatus::Completed.as_str();
    let is = |run: &&RunSummary| row.runs.contains(&run.run) && run.status == completed && run.wall_s().is_some();
    runs.iter().filter(is).collect()
}

fn warmed(row: &Measured, runs: &[RunSummary]) -> bool {
    runs.iter().any(|run| run.start.warmup && *run.configuration() == row.configuration)
}

#[cfg(test)]
mod tests;
