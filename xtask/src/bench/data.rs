//! What is worked on: made once, kept under `target/bench`.

use crate::primes;
use anyhow::{Context as _, Result};
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Files to work on.
pub(crate) struct Data {
    folder: PathBuf,
    /// A million 8-digit primes.
    pub(crate) primes: PathBuf,
    /// Ten million short lines, 79 MB: the numbers from 0.
    pub(crate) lines: PathBuf,
    /// The first million of them.
    pub(crate) fewer_lines: PathBuf,
}

impl Data {
    const PRIMES: usize = 1_000_000;
    const LINES: u32 = 10_000_000;
    /// How many items the shorter file of lines has.
    pub(crate) const FEWER_LINES: u32 = 1_000_000;

    /// The files' places in a folder.
    pub(crate) fn at(folder: &Path) -> Self {
        let file = |name: &str| folder.join(name);
        let (primes, lines, fewer_lines) = (file("primes.txt"), file("lines.txt"), file("fewer-lines.txt"));
        Self { folder: folder.to_owned(), primes, lines, fewer_lines }
    }

    /// Makes what is not there yet.
    pub(crate) fn provide(&self) -> Result<()> {
        fs::create_dir_all(&self.folder).with_context(|| format!("can't make {}", self.folder.display()))?;
        primes::provide(&self.primes, Self::PRIMES)?;
        numbered(&self.lines, Self::LINES)?;
        numbered(&self.fewer_lines, Self::FEWER_LINES)
    }

    /// A place for what a run leaves behind.
    pub(crate) fn scratch(&self, name: &str) -> PathBuf {
        self.folder.join("scratch").join(name)
    }

    /// An empty folder for what runs leave behind.
    pub(crate) fn clear_scratch(&self) -> Result<()> {
        let folder = self.folder.join("scratch");
        if folder.exists() {
            fs::remove_dir_all(&folder).context("can't clear the scratch folder")?;
        }
        fs::create_dir_all(&folder).context("can't make the scratch folder")
    }
}

fn numbered(path: &Path, lines: u32) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    // Under another name until it is whole, so that an interrupted call leaves no short file.
    let partial = path.with_extension("part");
    let mut out = BufWriter::new(File::create(&partial)?);
    for number in 0..lines {
        writeln!(out, "{number}")?;
    }
    out.flush()?;
    fs::rename(&partial, path).with_context(|| format!("can't write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    #[test]
    fn lines_are_numbered_from_zero_and_kept() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("x");
        numbered(&path, 3).unwrap();
        numbered(&path, 99).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "0\n1\n2\n");
    }
}
