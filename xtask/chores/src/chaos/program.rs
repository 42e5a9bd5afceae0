//! The coordinator under attack.

use anyhow::{Context as _, Result, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// The coordinator, and what it can do.
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) resume: bool,
    pub(super) retries: &'static str,
}

impl Program {
    pub(super) fn at(path: &Path) -> Result<Self> {
        let output = Command::new(path).arg("--help").output().context("the coordinator can't be started")?;
        ensure!(output.status.success(), "the coordinator does not even help: {}", output.status);
        let help = String::from_utf8_lossy(&output.stdout);
        let retries = if help.contains("unlimited") { "unlimited" } else { "4000000000" };
        Ok(Self { path: path.to_owned(), resume: help.contains("--resume"), retries })
    }
}
