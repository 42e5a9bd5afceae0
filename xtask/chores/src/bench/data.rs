//! Input files of the measurements. They are made once and kept in `target/bench`.

use crate::primes;
use anyhow::{Context as _, Result};
use std::fmt::Display;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// Files to work on.
pub(crate) struct Data {
    folder: PathBuf,
    /// A million 8-digit primes.
    pub(crate) primes: PathBuf,
    /// Primes that take some 10 µs each by trial division, and some that take 1 ms.
    pub(crate) dearer: PathBuf,
    pub(crate) dearest: PathBuf,
    /// Fifteen primes of which some take five times as long by the naive method.
    pub(crate) uneven: PathBuf,
    /// Ten million short lines, 79 MB: the numbers from 0.
    pub(crate) lines: PathBuf,
    /// The first million of them.
    pub(crate) fewer_lines: PathBuf,
    /// Two million records of [`Self::RECORD_BYTES`] bytes: comma-separated values,
    /// one of them in quotes, and JSON objects.
    pub(crate) csv: PathBuf,
    pub(crate) jsonl: PathBuf,
}

impl Data {
    const PRIMES: usize = 1_000_000;
    const DEARER: (u64, usize) = (342_000_000, 200_000);
    const DEAREST: (u64, usize) = (3_420_000_000_000, 2_000);
    /// Items that take long at the start, at the end, and in a row.
    const UNEVEN: [u32; 15] = {
        const CHEAP: u32 = 15_488_801;
        const DEAR: u32 = 77_444_023;
        let mut items = [CHEAP; 15];
        (items[1], items[6], items[7], items[12]) = (DEAR, DEAR, DEAR, DEAR);
        items
    };
    const LINES: u32 = 10_000_000;
    /// How many items the shorter file of lines has.
    pub(crate) const FEWER_LINES: u32 = 1_000_000;

    /// How many records the tables have.
    pub(crate) const RECORDS: u32 = 2_000_000;
    pub(crate) const RECORD_BYTES: usize = 50;

    /// The files' places in a folder.
    pub(crate) fn at(folder: &Path) -> Self {
        let file = |name: &str| folder.join(name);
        let (primes, lines, fewer_lines) = (file("primes.txt"), file("lines.txt"), file("fewer-lines.txt"));
        let (dearer, dearest, uneven) = (file("dearer.txt"), file("dearest.txt"), file("uneven.txt"));
        let (csv, jsonl) = (file("records.csv"), file("records.jsonl"));
        Self { folder: folder.to_owned(), primes, dearer, dearest, uneven, lines, fewer_lines, csv, jsonl }
    }

    /// Makes the files that are missing.
    pub(crate) fn provide(&self) -> Result<()> {
        fs::create_dir_all(&self.folder).with_context(|| format!("can't make {}", self.folder.display()))?;
        primes::provide(&self.primes, 10_000_000, Self::PRIMES)?;
        primes::provide(&self.dearer, Self::DEARER.0, Self::DEARER.1)?;
        primes::provide(&self.dearest, Self::DEAREST.0, Self::DEAREST.1)?;
        written(&self.uneven, Self::UNEVEN.into_iter())?;
        written(&self.lines, 0..Self::LINES)?;
        written(&self.fewer_lines, 0..Self::FEWER_LINES)?;
        written(&self.csv, (0..Self::RECORDS).map(csv_record))?;
        written(&self.jsonl, (0..Self::RECORDS).map(json_record))
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

fn csv_record(n: u32) -> String {
    format!("{n:010},\"number {n:010}, in quotes\",textual")
}

fn json_record(n: u32) -> String {
    format!("{{\"id\": {:10}, \"text\": \"numbers {n:010}.\"}}", n + 1_000_000_000)
}

/// Items, a line each.
fn written(path: &Path, numbers: impl Iterator<Item = impl Display>) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    // Under another name until it is whole, so that an interrupted call leaves no short file.
    let partial = path.with_extension("part");
    let mut out = BufWriter::new(File::create(&partial)?);
    for number in numbers {
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
    fn records_have_their_size() {
        for n in [0, Data::RECORDS - 1] {
            assert_eq!((csv_record(n).len() + 1, json_record(n).len() + 1), (Data::RECORD_BYTES, Data::RECORD_BYTES));
        }
    }

    #[test]
    fn numbers_are_written_a_line_each_and_kept() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("x");
        written(&path, 0..3).unwrap();
        written(&path, 0..99).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "0\n1\n2\n");
    }
}
