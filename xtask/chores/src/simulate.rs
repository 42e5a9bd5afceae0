//! `cargo xtask simulate`: plays schedules of the scheduler through in virtual
//! time, on all processors, and measures what one dispatch costs as workers
//! grow.
//!
//! The simulator is a test of the scheduler's crate. Each schedule is drawn from
//! its seed alone, so that a seed that failed fails again.

use crate::cargo::{cargo, root, shown};
use anyhow::{Context as _, Result, bail, ensure};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// One processor takes so many seeds at a time: few enough that all have work
/// to the end.
const SHARE: u64 = 5_000;
/// The test that runs schedules of up to 16 workers, as they are drawn.
const SMALL: &str = "every_seed_passes";
/// The test that runs schedules of up to 10,000 workers.
const LARGE: &str = "runs_with_thousands_of_workers_pass";
/// By how much the cost of a dispatch may outgrow the logarithm of the number
/// of workers: caches are larger for few.
const LENIENCE: f64 = 2.0;

/// How many schedules.
#[derive(clap::Args)]
pub(crate) struct SimulateArgs {
    /// Schedules of up to 16 workers
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 0, value_name = "S")]
    first: u64,
    /// Schedules of up to 10,000 workers
    #[arg(long, default_value_t = 0, value_name = "K")]
    large: u64,
}

/// Runs what was asked for, then measures.
pub(crate) fn run(args: &SimulateArgs) -> Result<()> {
    let simulator = build_simulator()?;
    for (test, seeds, share) in [(SMALL, args.seeds, SHARE), (LARGE, args.large, 1)] {
        if seeds > 0 {
            let begun = Instant::now();
            run_all(&simulator, test, args.first, seeds, share)?;
            println!("== {test}: {seeds} seeds from {} on, in {:.0?}", args.first, begun.elapsed());
        }
    }
    judge_dispatch(&measure_dispatch()?)
}

/// The simulator's executable, in release.
fn build_simulator() -> Result<PathBuf> {
    let mut command = cargo();
    command.current_dir(root()).args(["test", "--release", "--no-run", "--package", "procession-scheduler"]);
    command.args(["--test", "simulator", "--message-format", "json-render-diagnostics"]);
    let output = command.stderr(Stdio::inherit()).output().context("can't run cargo")?;
    ensure!(output.status.success(), "{} failed", shown(&command));
    let built = crate::cargo::executables(&String::from_utf8_lossy(&output.stdout));
    let found = built.into_iter().find(|(name, _)| name == "simulator");
    Ok(found.context("cargo built no simulator")?.1)
}

/// A part of the seeds, under way.
struct Share {
    child: Child,
    first: u64,
    seeds: u64,
}

/// Runs all seeds, with a process for each processor.
fn run_all(simulator: &PathBuf, test: &str, first: u64, seeds: u64, share: u64) -> Result<()> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let (mut next, end) = (first, first + seeds);
    let mut under_way = std::collections::VecDeque::new();
    while next < end || !under_way.is_empty() {
        while next < end && under_way.len() < processors {
            let seeds = share.min(end - next);
            under_way.push_back(Share { child: start(simulator, test, next, seeds)?, first: next, seeds });
            next += seeds;
        }
        let Some(oldest) = under_way.pop_front() else { break };
        if let Err(error) = finish(oldest, test) {
            // One failure is enough: the other shares are ended.
            under_way
                .iter_mut()
                .for_each(|share: &mut Share| drop(share.child.kill().and_then(|()| share.child.wait())));
            return Err(error);
        }
    }
    Ok(())
}

fn start(simulator: &PathBuf, test: &str, first: u64, seeds: u64) -> Result<Child> {
    let mut command = Command::new(simulator);
    command.args(["--exact", test, "--include-ignored", "--nocapture"]).current_dir(root());
    command.env("SIMULATOR_FIRST", first.to_string()).env("SIMULATOR_SEEDS", seeds.to_string());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().with_context(|| format!("can't run {}", simulator.display()))
}

/// Waits for a share; a failure says which seed it was and how to see it again.
fn finish(share: Share, test: &str) -> Result<()> {
    let output = share.child.wait_with_output().context("can't wait for the simulator")?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    let seed = failed_seed(&said);
    let (first, seeds) = seed.map_or((share.first, share.seeds), |seed| (seed, 1));
    bail!(
        "{}; again:\n  SIMULATOR_FIRST={first} SIMULATOR_SEEDS={seeds} cargo test --release -p procession-scheduler \
         --test simulator -- --include-ignored --exact {test}",
        seed.map_or_else(|| format!("{test} failed"), |seed| format!("{test}: seed {seed} failed")),
    )
}

/// The seed that the simulator names.
fn failed_seed(said: &str) -> Option<u64> {
    let lines = said.lines().filter_map(|line| line.strip_prefix("seed "));
    lines.filter_map(|rest| rest.split(':').next()?.parse().ok()).next()
}

/// What a dispatch costs: workers, items, and nanoseconds.
#[derive(Debug, PartialEq)]
struct Cost {
    workers: f64,
    items: String,
    nanoseconds: f64,
}

fn measure_dispatch() -> Result<Vec<Cost>> {
    println!("== what one dispatch costs");
    let mut command = cargo();
    command.current_dir(root()).args(["run", "--quiet", "--release", "--package", "procession-scheduler"]);
    command.args(["--example", "dispatch_cost"]);
    let output = command.stderr(Stdio::inherit()).output().context("can't run cargo")?;
    ensure!(output.status.success(), "{} failed", shown(&command));
    let said = String::from_utf8_lossy(&output.stdout);
    print!("{said}");
    Ok(said.lines().filter_map(read_cost).collect())
}

/// Reads `W workers, KIND items, … in flight: [NS, …] ns a chunk, …`.
fn read_cost(line: &str) -> Option<Cost> {
    let (workers, rest) = line.split_once(" workers, ")?;
    let (items, rest) = rest.split_once(" items, ")?;
    let costs = rest.split_once('[')?.1.split_once(']')?.0;
    let least = costs.split(", ").filter_map(|cost| cost.parse::<f64>().ok()).min_by(f64::total_cmp)?;
    let workers = workers.trim().parse().ok()?;
    Some(Cost { workers, items: items.trim().to_owned(), nanoseconds: least })
}

/// Fails if the cost of a dispatch grows faster than the logarithm of the count of workers.
fn judge_dispatch(costs: &[Cost]) -> Result<()> {
    let mut too_dear = Vec::new();
    ensure!(!costs.is_empty(), "nothing was measured");
    for cost in costs {
        let Some(base) = costs.iter().find(|base| base.items == cost.items) else { continue };
        if base.workers < cost.workers {
            let grown = cost.nanoseconds / base.nanoseconds.max(1.0);
            let may = LENIENCE * (cost.workers.log2() + 1.0) / (base.workers.log2() + 1.0);
            let verdict = if grown <= may { "no faster than log N" } else { "FASTER than log N" };
            println!("{:>6} workers, {} items: {grown:.1} times the cost, {verdict}", cost.workers, cost.items);
            if grown > may {
                too_dear.push(format!("{} workers, {} items", cost.workers, cost.items));
            }
        }
    }
    ensure!(too_dear.is_empty(), "a dispatch grows faster than log N: {}", too_dear.join("; "));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(workers: f64, nanoseconds: f64) -> Cost {
        Cost { workers, items: "null".into(), nanoseconds }
    }

    #[test]
    fn costs_are_read_from_the_example() {
        let line = " 10000 workers,   null items,   20000 in flight: [310, 300, 305] ns a chunk, two million at a time";
        assert_eq!(read_cost(line), Some(cost(10_000.0, 300.0)));
        assert_eq!(read_cost("other"), None);
    }

    #[test]
    fn growth_is_held_against_the_logarithm() {
        assert!(judge_dispatch(&[cost(2.0, 100.0), cost(10_000.0, 900.0)]).is_ok());
        assert!(judge_dispatch(&[cost(2.0, 100.0), cost(10_000.0, 5_000.0)]).is_err());
        assert!(judge_dispatch(&[]).is_err());
    }

    #[test]
    fn the_failed_seed_is_found() {
        let said = "thread 'x' panicked at main.rs:1:\nseed 17: stands still\nConfig {\nseed 17: stands still\n";
        assert_eq!(failed_seed(said), Some(17));
        assert_eq!(failed_seed("thread 'x' panicked"), None);
    }
}
