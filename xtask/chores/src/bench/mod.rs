//! `cargo xtask bench`: compares this project with its peers in alternating runs,
//! so that the load of the machine affects both.

mod catalog;
mod data;
mod memory;
mod report;
mod scenario;
mod side;
mod stats;

use crate::cargo;
use anyhow::{Context as _, Result, bail, ensure};
use catalog::Programs;
use data::Data;
use report::{Failed, MemoryOutcome, Report};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Pairs of a comparison whose runs take seconds.
const SLOW_PAIRS: usize = 5;
/// Pairs of any comparison with `--quick`.
const QUICK_PAIRS: usize = 3;
/// The name of the measurement of memory, for `--only`.
const MEMORY: &str = "memory";
/// Length of the stream under which memory must stay flat.
const STREAM_BYTES: u64 = 10_000_000_000;

/// What is measured.
#[derive(clap::Args)]
pub(crate) struct BenchArgs {
    /// Few pairs, and no 10 GB stream: a first impression
    #[arg(long)]
    quick: bool,
    /// Only this measurement; repeat it for several
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Pairs of runs for each comparison
    #[arg(long, default_value_t = 15, value_name = "N")]
    pairs: usize,
    /// Where the figures go [default: target/bench/bench.json]
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure this coordinator, for instance of an older version, instead of building one
    #[arg(long, value_name = "PATH")]
    coordinator: Option<PathBuf>,
    /// Compare with this older coordinator in place of the peers; a program `library` beside it
    /// takes part in the measurements of the library
    #[arg(long, value_name = "PATH")]
    baseline: Option<PathBuf>,
}

/// Measures, shows and keeps the figures. A missed target is a result. A
/// measurement that can't be made is a failure.
pub(crate) fn run(args: &BenchArgs) -> Result<()> {
    ensure!(args.pairs > 0, "--pairs must be at least 1");
    let known = catalog::names().into_iter().chain([MEMORY]).collect::<Vec<_>>();
    if let Some(unknown) = args.only.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("there is no measurement '{unknown}'; there are {}", known.join(", "));
    }
    let programs = programs(args.coordinator.as_deref())?;
    let folder = cargo::root().join("target/bench");
    let data = Data::at(&folder);
    data.provide()?;
    data.clear_scratch()?;
    let json = args.json.clone().unwrap_or_else(|| folder.join("bench.json"));
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    let mut report = Report { cpus, ..Report::default() };
    compare(args, &programs, &data, &mut report, &json)?;
    if args.is_wanted(MEMORY) {
        measure_memory(args, &programs, &data, &mut report);
    }
    report.write(&json)?;
    data.clear_scratch()?;
    println!("figures: {}", json.display());
    ensure!(report.failed.is_empty(), "{} could not be measured", report.failed.len());
    Ok(())
}

impl BenchArgs {
    fn is_wanted(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == name)
    }

    fn pairs_for(&self, is_slow: bool) -> usize {
        let most = if is_slow { SLOW_PAIRS } else { usize::MAX };
        self.pairs.min(most).min(if self.quick { QUICK_PAIRS } else { usize::MAX })
    }
}

/// Builds everything that takes part, in release.
fn programs(coordinator: Option<&Path>) -> Result<Programs> {
    let peers = cargo::build("chores", &["peer", "empty", "library"])?;
    let [peer, empty, library] = &peers[..] else { bail!("three programs were to be built") };
    let coordinator = match coordinator {
        Some(given) => given.canonicalize().with_context(|| format!("there is no {}", given.display()))?,
        None => cargo::build("procession-cli", &["coordinator", "worker"])?.swap_remove(0),
    };
    let (peer, empty, library) = (peer.clone(), empty.clone(), library.clone());
    Ok(Programs { coordinator, library, peer, empty, scripts: cargo::root().join("scripts") })
}

fn compare(args: &BenchArgs, programs: &Programs, data: &Data, report: &mut Report, json: &Path) -> Result<()> {
    let messages = data.scratch("messages");
    let scenarios = match &args.baseline {
        Some(coordinator) => catalog::against_baseline(programs, coordinator, data),
        None => catalog::scenarios(programs, data),
    };
    for scenario in scenarios.iter().filter(|scenario| args.is_wanted(scenario.name)) {
        match scenario.measure(args.pairs_for(scenario.is_slow), &messages) {
            Ok(outcome) => {
                println!("{}", outcome.shown());
                report.comparisons.push(outcome);
            }
            Err(error) => report.fail(scenario.name, &error),
        }
        report.write(json)?;
    }
    Ok(())
}

fn measure_memory(args: &BenchArgs, programs: &Programs, data: &Data, report: &mut Report) {
    let streams = [("memory: 79 MB", None), ("memory: a stream of 10 GB", Some(STREAM_BYTES))];
    for (name, bytes) in streams.into_iter().filter(|(_, bytes)| bytes.is_none() || !args.quick) {
        match peaks(programs, data, bytes) {
            Ok(peaks) => {
                let outcome = MemoryOutcome::new(name, peaks);
                println!("{}", outcome.shown());
                report.memory.push(outcome);
            }
            Err(error) => report.fail(name, &error),
        }
    }
}

/// Lines through two workers to nowhere: a file's, or a stream of so many bytes.
fn peaks(programs: &Programs, data: &Data, stream: Option<u64>) -> Result<memory::Peaks> {
    let mut command = Command::new(&programs.coordinator);
    command.args(["--quiet", "--task", "null", "--format", "lines", "--procs", "2", "--log", "off", "--input"]);
    command.stdout(Stdio::null());
    let Some(bytes) = stream else { return memory::watch(command.arg(&data.lines)) };
    let mut source = Command::new(&programs.peer);
    let mut source = source.arg("lines").arg(bytes.to_string()).stdout(Stdio::piped()).spawn()?;
    let lines = source.stdout.take().context("the source has no output")?;
    let peaks = memory::watch(command.arg("-").stdin(lines));
    source.wait()?;
    peaks
}

impl Report {
    fn fail(&mut self, name: &str, error: &anyhow::Error) {
        println!("{name}: FAILED: {error:#}\n");
        self.failed.push(Failed { name: name.to_owned(), why: format!("{error:#}") });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(quick: bool, only: &[&str], pairs: usize) -> BenchArgs {
        let only = only.iter().map(|&name| name.to_owned()).collect();
        BenchArgs { quick, only, pairs, json: None, coordinator: None, baseline: None }
    }

    #[test]
    fn slow_and_quick_ones_have_fewer_pairs() {
        assert_eq!((args(false, &[], 15).pairs_for(false), args(false, &[], 15).pairs_for(true)), (15, SLOW_PAIRS));
        assert_eq!((args(true, &[], 15).pairs_for(false), args(true, &[], 2).pairs_for(true)), (QUICK_PAIRS, 2));
    }

    #[test]
    fn everything_is_wanted_unless_some_are_named() {
        assert!(args(false, &[], 15).is_wanted("transport"));
        let some = args(false, &["sqrt", "memory"], 15);
        assert!(some.is_wanted("memory") && !some.is_wanted("transport"));
    }

    #[test]
    fn unknown_names_are_refused_before_anything_is_built() {
        let error = run(&args(false, &["speed"], 15)).unwrap_err().to_string();
        assert!(error.contains("transport") && error.contains("memory"), "{error}");
    }
}
