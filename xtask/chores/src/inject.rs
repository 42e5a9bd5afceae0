//! `cargo xtask inject`: small jobs of every kind, each of whose system calls fails
//! once, one after the other. It takes minutes, and needs strace.
//!
//! The campaign is an ignored test of the two programs, beside its bounded share.

use crate::cargo::{cargo, root, shown};
use anyhow::{Context as _, Result, ensure};

/// The test that plays all of it.
const CAMPAIGN: &str = "inject::every_failed_system_call_is_survived_or_told";

/// Runs the campaign.
pub(crate) fn run() -> Result<()> {
    let mut command = cargo();
    command.current_dir(root()).args(["test", "--release", "--package", "procession-cli", "--test", "cli", "--"]);
    command.args([CAMPAIGN, "--exact", "--ignored", "--nocapture"]);
    let status = command.status().context("can't run cargo")?;
    ensure!(status.success(), "{} failed", shown(&command));
    Ok(())
}
