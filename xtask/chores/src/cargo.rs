//! Builds with Cargo, and the paths of the executables that it built.

use anyhow::{Context as _, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository's folder.
pub(crate) fn root() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

/// The cargo that runs us, else the one in PATH.
pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs a command and fails if it fails.
pub(crate) fn check(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("can't run {}", shown(command)))?;
    ensure!(status.success(), "{} ended with {status}", shown(command));
    Ok(())
}

/// A command as a person would type it.
pub(crate) fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default();
    let words = std::iter::once(name).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Builds these binaries of a package in release, wherever the caller stands,
/// and says where they are, in the order asked for.
pub(crate) fn build(package: &str, binaries: &[&str]) -> Result<Vec<PathBuf>> {
    let mut command = cargo();
    command.args(["build", "--release", "--message-format", "json-render-diagnostics", "--package", package]);
    command.arg("--manifest-path").arg(root().join("Cargo.toml"));
    command.args(binaries.iter().flat_map(|binary| ["--bin", binary]));
    let output = command.stderr(Stdio::inherit()).output().context("can't run cargo")?;
    ensure!(output.status.success(), "{} failed", shown(&command));
    let built = executables(&String::from_utf8_lossy(&output.stdout));
    let find = |binary: &&str| match built.iter().find(|(name, _)| name == binary) {
        Some((_, path)) => Ok(path.clone()),
        None => bail!("cargo built no binary '{binary}'"),
    };
    binaries.iter().map(find).collect()
}

/// The executables that cargo's messages name.
pub(crate) fn executables(messages: &str) -> Vec<(String, PathBuf)> {
    let parsed = messages.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    parsed
        .filter_map(|message| {
            let name = message["target"]["name"].as_str()?.to_owned();
            Some((name, PathBuf::from(message["executable"].as_str()?)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executables_are_read_from_messages() {
        let messages = r#"{"reason":"compiler-artifact","target":{"name":"lib"},"executable":null}
not json
{"reason":"compiler-artifact","target":{"name":"worker"},"executable":"/t/release/worker"}
{"reason":"build-finished","success":true}"#;
        assert_eq!(executables(messages), [("worker".to_owned(), PathBuf::from("/t/release/worker"))]);
    }

    #[test]
    fn commands_are_shown_without_their_folder() {
        let mut command = Command::new("/somewhere/bin/cargo");
        command.args(["deny", "check"]);
        assert_eq!(shown(&command), "cargo deny check");
    }
}
