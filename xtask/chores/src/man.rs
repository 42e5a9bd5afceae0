//! `cargo xtask man`: man pages, and completions for shells. The coordinator
//! writes both from the definition of its flags.

use crate::cargo::{cargo, check, root, shown};
use anyhow::{Context as _, Result, ensure};
use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// A shell, and the file name that it looks for.
const COMPLETIONS: [(&str, &str); 3] = [("bash", "coordinator"), ("fish", "coordinator.fish"), ("zsh", "_coordinator")];

/// Where they go.
#[derive(clap::Args)]
pub(crate) struct ManArgs {
    /// The folder for the pages, with a folder `completions` in it; created if missing
    #[arg(default_value = "target/man", value_name = "DIR")]
    folder: PathBuf,
}

/// Builds the coordinator and lets it write them.
pub(crate) fn run(args: &ManArgs) -> Result<()> {
    check(&mut coordinator(&["man".as_ref(), args.folder.as_os_str()]))?;
    let completions = args.folder.join("completions");
    fs::create_dir_all(&completions).with_context(|| format!("can't create {}", completions.display()))?;
    for (shell, file) in COMPLETIONS {
        let mut command = coordinator(&["completions".as_ref(), shell.as_ref()]);
        let output = command.stderr(Stdio::inherit()).output().context("can't run cargo")?;
        ensure!(output.status.success(), "{} ended with {}", shown(&command), output.status);
        let file = completions.join(file);
        fs::write(&file, output.stdout).with_context(|| format!("can't write {}", file.display()))?;
    }
    println!("man pages are in {}, completions in {}", args.folder.display(), completions.display());
    Ok(())
}

/// The coordinator with these arguments, built if it has to be.
fn coordinator(args: &[&OsStr]) -> Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--package", "procession-cli", "--bin", "coordinator"]);
    command.arg("--manifest-path").arg(root().join("Cargo.toml")).arg("--").args(args);
    command
}
