//! `cargo xtask ci`: the steps after the tests. Every step runs, so that one
//! call shows all that is wrong.

use crate::cargo::{cargo, check, root};
use crate::tidy;
use anyhow::{Context as _, Result, bail};
use std::process::{Command, Stdio};

/// Runs all steps, then fails if one did.
pub(crate) fn run() -> Result<()> {
    let mut failed = Vec::new();
    for (name, step) in STEPS {
        println!("== {name}");
        if let Err(error) = step() {
            println!("{error:#}");
            failed.push(*name);
        }
    }
    if failed.is_empty() {
        println!("== all is well");
        return Ok(());
    }
    bail!("failed: {}", failed.join(", "))
}

type Step = fn() -> Result<()>;

const STEPS: &[(&str, Step)] = &[
    ("format", || check(in_root(&["fmt", "--all", "--check"]).env_remove("RUSTFLAGS"))),
    ("lints", || clippy(&["--keep-going", "--workspace", "--all-targets"])),
    ("lints of the quick build", || clippy(&["--package", "procession-cli", "--no-default-features"])),
    ("documentation", || {
        let mut doc = in_root(&["doc", "--quiet", "--workspace", "--no-deps", "--document-private-items"]);
        check(doc.env("RUSTDOCFLAGS", "-D warnings"))
    }),
    ("our own rules", tidy::run),
    ("licences and sources", || {
        install_cargo_deny()?;
        check(&mut in_root(&["deny", "--log-level", "error", "check", "bans", "licenses", "sources"]))
    }),
    ("advisories", advisories),
];

/// Lints what these arguments choose.
fn clippy(args: &[&str]) -> Result<()> {
    check(&mut in_root(&[&["clippy", "--quiet"], args, &["--", "-D", "warnings"]].concat()))
}

fn in_root(args: &[&str]) -> Command {
    let mut command = cargo();
    command.current_dir(root()).args(args);
    command
}

fn install_cargo_deny() -> Result<()> {
    let mut version = in_root(&["deny", "--version"]);
    let is_there = version.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    if is_there { Ok(()) } else { check(&mut in_root(&["install", "cargo-deny", "--locked"])) }
}

/// Known vulnerabilities. Their database comes over the network: a machine that
/// can't fetch it skips the step and says so; a database that is there decides.
fn advisories() -> Result<()> {
    install_cargo_deny()?;
    let fetched = in_root(&["deny", "--log-level", "error", "fetch", "db"])
        .env("GIT_TERMINAL_PROMPT", "0")
        .output()
        .context("can't run cargo deny")?;
    if !fetched.status.success() {
        println!("skipped: the advisory database can't be fetched from here");
        return Ok(());
    }
    check(&mut in_root(&["deny", "--log-level", "error", "check", "advisories"]))
}
