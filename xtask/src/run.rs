//! `cargo xtask run -- ARGS`: both binaries built, the coordinator run.

use crate::cargo;
use anyhow::{Context as _, Result, bail};
use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// What is handed on.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What the coordinator is given
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    args: Vec<OsString>,
}

/// Builds both binaries and becomes the coordinator: its exit status, its
/// signals and its current folder are the caller's own, with nothing between.
pub(crate) fn run(args: &Args) -> Result<()> {
    let binaries = cargo::build("procession-cli", &["coordinator", "worker"])?;
    let [coordinator, _worker] = &binaries[..] else { bail!("two binaries were to be built") };
    let error = Command::new(coordinator).args(&args.args).exec();
    Err(error).with_context(|| format!("can't run {}", coordinator.display()))
}
