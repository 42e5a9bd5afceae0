//! `cargo xtask run -- ARGS` builds both programs and runs the coordinator. Every
//! other chore is handed to the package `chores`.
//!
//! This package has no dependencies, so that the first command in a fresh clone
//! builds only what it runs. `chores` has many: benchmarks with their peers,
//! chaos, fuzzing.

#![forbid(unsafe_code)]

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The Cargo profile of a first look: quick to build.
const PROFILE: &str = "first";

/// A chore that can't be started.
enum ChoreError {
    /// A program can't be executed.
    Start(&'static str, io::Error),
    /// The build failed; Cargo has said why.
    Build,
}

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let failed = match coordinator_args(&args) {
        Some(args) => run(args),
        None => chores(&args),
    };
    if let ChoreError::Start(program, error) = failed {
        eprintln!("error: can't run {program}: {error}");
    }
    ExitCode::FAILURE
}

/// The coordinator's arguments, if the chore is `run`: what follows `run` and an
/// optional `--`.
fn coordinator_args(args: &[OsString]) -> Option<&[OsString]> {
    match args {
        [run, dashes, args @ ..] if run == "run" && dashes == "--" => Some(args),
        [run, args @ ..] if run == "run" => Some(args),
        _ => None,
    }
}

/// Builds both programs and becomes the coordinator: its exit status, its
/// signals and its current folder are the caller's own, with nothing between.
fn run(args: &[OsString]) -> ChoreError {
    let mut build = cargo("build");
    build.args(["--profile", PROFILE, "--package", "procession-cli", "--bins", "--no-default-features"]);
    match build.status() {
        Ok(status) if !status.success() => return ChoreError::Build,
        Err(error) => return ChoreError::Start("cargo", error),
        Ok(_) => {}
    }
    match std::env::current_exe() {
        Ok(own) => ChoreError::Start("coordinator", Command::new(coordinator(&own)).args(args).exec()),
        Err(error) => ChoreError::Start("coordinator", error),
    }
}

/// Where Cargo puts the coordinator, given where it put this program: each
/// profile has a folder of its own beside the others.
fn coordinator(own: &Path) -> PathBuf {
    let profiles = own.parent().and_then(Path::parent).unwrap_or(Path::new("target"));
    profiles.join(PROFILE).join("coordinator")
}

/// Becomes the program of the other chores.
fn chores(args: &[OsString]) -> ChoreError {
    let mut command = cargo("run");
    command.args(["--quiet", "--package", "chores", "--bin", "chores", "--"]).args(args);
    ChoreError::Start("cargo", command.exec())
}

/// The Cargo that runs this program, else the one in PATH, for this repository
/// wherever the caller stands.
fn cargo(subcommand: &str) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    let manifest: &OsStr = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml").as_ref();
    command.arg(subcommand).arg("--manifest-path").arg(manifest);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_coordinator_gets_what_follows_run() {
        assert_eq!(coordinator_args(&words("run -- demo --quiet")), Some(&words("demo --quiet")[..]));
        assert_eq!(coordinator_args(&words("run demo -- a")), Some(&words("demo -- a")[..]));
        assert_eq!(coordinator_args(&words("run -- -- a")), Some(&words("-- a")[..]));
        assert_eq!(coordinator_args(&words("bench run")), None);
        assert_eq!(coordinator_args(&[]), None);
    }

    #[test]
    fn the_coordinator_is_in_its_profiles_folder() {
        assert_eq!(coordinator(Path::new("/t/debug/xtask")), Path::new("/t/first/coordinator"));
        assert_eq!(coordinator(Path::new("/t/triple/debug/xtask")), Path::new("/t/triple/first/coordinator"));
    }
}
