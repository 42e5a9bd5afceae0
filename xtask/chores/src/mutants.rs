//! `cargo xtask mutants`: makes deliberate mistakes in the code, one at a time, and
//! counts how many of them the tests notice. Uses cargo-mutants.
//!
//! A mistake that no test notices is listed by cargo-mutants in
//! `target/mutants/AREA/mutants.out/missed.txt`.

use crate::cargo::{root, shown};
use anyhow::{Context as _, Result, bail, ensure};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// A part of the code, and the percentage of its mistakes that tests have to notice.
struct Area {
    name: &'static str,
    package: &'static str,
    /// Which files, as patterns of cargo-mutants.
    files: &'static [&'static str],
    /// Other packages whose tests exercise it.
    tests: &'static [&'static str],
    aim: u32,
}

const AREAS: [Area; 4] = [
    Area {
        name: "scheduler",
        package: "procession-scheduler",
        files: &["crates/scheduler/src/**"],
        tests: &[],
        aim: 97,
    },
    Area {
        name: "wire",
        package: "procession-wire",
        files: &["crates/wire/src/**"],
        tests: &["procession-fuzz-bodies"],
        aim: 95,
    },
    Area {
        name: "job",
        package: "procession-job",
        files: &["crates/job/src/resume/**", "crates/job/src/output/writer/**"],
        tests: &[],
        aim: 85,
    },
    Area { name: "driver", package: "procession", files: &["crates/pool/src/driver/**"], tests: &[], aim: 85 },
];

/// What is tried.
#[derive(clap::Args)]
pub(crate) struct MutantsArgs {
    /// Which areas (scheduler, wire, job, driver); all if none is named
    #[arg(value_name = "AREA")]
    areas: Vec<String>,
    /// Only a part of the mistakes, such as 1/12: the first of twelve parts
    #[arg(long, value_name = "K/N", value_parser = shard)]
    shard: Option<(u32, u32)>,
}

/// `K/N`, with K from 1 to N.
fn shard(text: &str) -> Result<(u32, u32), String> {
    let wrong = || format!("'{text}' is no part: give K/N, such as 1/12");
    let (part, parts) = text.split_once('/').ok_or_else(wrong)?;
    let (part, parts) = (part.parse().map_err(|_| wrong())?, parts.parse().map_err(|_| wrong())?);
    if (1..=parts).contains(&part) { Ok((part, parts)) } else { Err(wrong()) }
}

/// Tries the areas, all of them even if one misses its aim.
pub(crate) fn run(args: &MutantsArgs) -> Result<()> {
    let named = |name: &String| AREAS.iter().find(|area| area.name == name).with_context(|| unknown(name));
    let areas: Vec<&Area> = if args.areas.is_empty() {
        AREAS.iter().collect()
    } else {
        args.areas.iter().map(named).collect::<Result<_>>()?
    };
    let mut version = Command::new("cargo");
    version.args(["mutants", "--version"]).stdout(Stdio::null()).stderr(Stdio::null());
    ensure!(
        version.status().is_ok_and(|status| status.success()),
        "cargo-mutants is missing: install it by 'cargo install cargo-mutants'"
    );
    let mut missed = Vec::new();
    for area in areas {
        let found = try_area(area, args.shard)?;
        println!("{}", found.shown(area));
        if found.percent() < f64::from(area.aim) {
            missed.push(area.name);
        }
    }
    ensure!(missed.is_empty(), "below the aim: {}", missed.join(", "));
    Ok(())
}

fn unknown(name: &str) -> String {
    let known: Vec<&str> = AREAS.iter().map(|area| area.name).collect();
    format!("there is no area '{name}', only {}", known.join(", "))
}

/// Counts of mistakes.
struct Found {
    noticed: usize,
    missed: usize,
}

impl Found {
    fn percent(&self) -> f64 {
        match self.noticed + self.missed {
            0 => 100.0,
            all => 100.0 * self.noticed as f64 / all as f64,
        }
    }

    fn shown(&self, area: &Area) -> String {
        let Self { noticed, missed } = self;
        let all = noticed + missed;
        format!("{}: {noticed} of {all} mistakes noticed, {:.1} % (aim {} %)", area.name, self.percent(), area.aim)
    }
}

fn try_area(area: &Area, shard: Option<(u32, u32)>) -> Result<Found> {
    let folder = root().join("target/mutants").join(area.name);
    fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    let mut mutants = Command::new("cargo");
    mutants.current_dir(root()).args(["mutants", "--package", area.package, "--output"]).arg(&folder);
    mutants.args(["--no-shuffle", "--colors", "never", "--test-package", area.package]);
    for package in area.tests {
        mutants.args(["--test-package", package]);
    }
    for files in area.files {
        mutants.args(["--file", files]);
    }
    if let Some((part, parts)) = shard {
        mutants.args(["--shard", &format!("{}/{parts}", part - 1)]);
    }
    let status = mutants.status().with_context(|| format!("can't run {}", shown(&mutants)))?;
    // 2: mistakes were missed; 3: a test hung because of one, and so has noticed it.
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        bail!("{} ended with {status}", shown(&mutants));
    }
    count(&folder.join("mutants.out"))
}

fn count(folder: &Path) -> Result<Found> {
    let lines = |name: &str| -> Result<usize> {
        let path = folder.join(name);
        let text = fs::read_to_string(&path).with_context(|| format!("can't read {}", path.display()))?;
        Ok(text.lines().count())
    };
    Ok(Found { noticed: lines("caught.txt")? + lines("timeout.txt")?, missed: lines("missed.txt")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_begin_at_one() {
        assert_eq!(shard("1/12"), Ok((1, 12)));
        assert_eq!(shard("12/12"), Ok((12, 12)));
        for wrong in ["", "1", "0/12", "13/12", "a/b"] {
            assert!(shard(wrong).unwrap_err().contains("give K/N"), "{wrong}");
        }
    }

    #[test]
    fn hanging_tests_have_noticed_the_mistake() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("caught.txt", "a\nb\n"), ("timeout.txt", "c\n"), ("missed.txt", "d\n")] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let found = count(folder.path()).unwrap();
        let shown = found.shown(&AREAS[0]);
        assert_eq!(shown, "scheduler: 3 of 4 mistakes noticed, 75.0 % (aim 97 %)");
    }

    #[test]
    fn every_area_has_files() {
        for area in AREAS {
            for pattern in area.files {
                let folder = root().join(pattern.trim_end_matches("/**"));
                assert!(folder.is_dir(), "{pattern}");
            }
        }
    }
}
