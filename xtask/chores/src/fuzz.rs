//! `cargo xtask fuzz`: runs fuzz targets for a while each. What they find stays
//! in `fuzz/corpus` (not checked in) and `fuzz/artifacts`; the seeds they begin
//! with stand in `fuzz/seeds`, and the ordinary tests replay those.

use crate::cargo::{root, shown};
use anyhow::{Context as _, Result, bail, ensure};
use std::fs;
use std::process::{Command, Stdio};

/// An input that takes longer than this is a finding.
const SLOWEST_SECONDS: u32 = 10;
/// More memory than this is a finding.
const MOST_MEMORY_MB: u32 = 2048;

/// What is run, and for how long.
#[derive(clap::Args)]
pub(crate) struct FuzzArgs {
    /// How long each target runs; fractions are fine
    #[arg(long, default_value_t = 1.0, value_name = "M")]
    minutes: f64,
    /// Which targets; all if none is named
    #[arg(value_name = "TARGET")]
    targets: Vec<String>,
}

/// Runs each target, all of them even if one fails, and names the failed ones.
pub(crate) fn run(args: &FuzzArgs) -> Result<()> {
    ensure!(args.minutes > 0.0, "--minutes must be more than 0");
    let known = targets()?;
    if let Some(unknown) = args.targets.iter().find(|target| !known.contains(target)) {
        bail!("there is no target '{unknown}', only {}", known.join(", "));
    }
    let compiler = Compiler::find()?;
    let wanted = if args.targets.is_empty() { &known } else { &args.targets };
    let mut failed = Vec::new();
    for target in wanted {
        println!("== {target}");
        if !run_one(compiler, target, args.minutes)? {
            failed.push(target.as_str());
        }
    }
    ensure!(failed.is_empty(), "found something: {} (what, and how to see it again, stands above)", failed.join(", "));
    println!("== {} targets found nothing in {} min each", wanted.len(), args.minutes);
    Ok(())
}

/// The targets: the folders of their seeds.
fn targets() -> Result<Vec<String>> {
    let seeds = root().join("fuzz/seeds");
    let entries = fs::read_dir(&seeds).with_context(|| format!("can't read {}", seeds.display()))?;
    let mut names: Vec<String> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
    names.sort_unstable();
    Ok(names)
}

/// Whether the target found nothing.
fn run_one(compiler: Compiler, target: &str, minutes: f64) -> Result<bool> {
    let corpus = root().join("fuzz/corpus").join(target);
    fs::create_dir_all(&corpus).with_context(|| format!("can't create {}", corpus.display()))?;
    let seconds = (minutes * 60.0).ceil();
    let mut fuzz = compiler.cargo_fuzz();
    fuzz.args(["run", target]).arg(&corpus).arg(root().join("fuzz/seeds").join(target));
    fuzz.arg("--").arg(format!("-max_total_time={seconds}")).arg("-print_final_stats=1");
    fuzz.arg(format!("-timeout={SLOWEST_SECONDS}")).arg(format!("-rss_limit_mb={MOST_MEMORY_MB}"));
    let status = fuzz.status().with_context(|| format!("can't run {}", shown(&fuzz)))?;
    Ok(status.success())
}

/// Fuzzing needs what only a nightly compiler allows, or one that is told to.
#[derive(Clone, Copy)]
enum Compiler {
    Nightly,
    Told,
}

impl Compiler {
    /// The one that is there, with cargo-fuzz.
    fn find() -> Result<Self> {
        let works = |mut command: Command| {
            command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        let mut nightly = Command::new("rustc");
        nightly.args(["+nightly", "--version"]);
        let compiler = if works(nightly) { Self::Nightly } else { Self::Told };
        let mut version = compiler.cargo_fuzz();
        version.arg("--version");
        ensure!(works(version), "cargo-fuzz is missing: install it by 'cargo install cargo-fuzz'");
        Ok(compiler)
    }

    /// `cargo fuzz` with this compiler. Not the cargo that runs us: that one
    /// is of one toolchain and takes no other.
    fn cargo_fuzz(self) -> Command {
        let mut command = Command::new("cargo");
        command.current_dir(root());
        match self {
            Self::Nightly => command.args(["+nightly", "fuzz"]),
            Self::Told => command.arg("fuzz").env("RUSTC_BOOTSTRAP", "1"),
        };
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds_and_a_file() {
        let targets = targets().unwrap();
        assert!(targets.len() >= 6, "{targets:?}");
        for target in targets {
            assert!(root().join("fuzz/fuzz_targets").join(format!("{target}.rs")).exists(), "{target}");
        }
    }
}
