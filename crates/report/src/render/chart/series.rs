//! The series of a chart. The configurations of a series differ only in the count of
//! workers.

use crate::analysis::amdahl_fits::{AmdahlFit, amdahl_fits};
use crate::analysis::measured::Measured;
use crate::model::study::Executor;
use crate::model::study_data::StudyData;
use crate::text::units;
use procession::ChunkSize;

/// Configurations of one machine, executor, size and chunk.
#[derive(Clone, Debug)]
pub(crate) struct Series {
    /// A name that distinguishes it from all other series.
    pub(crate) name: String,
    /// A name that distinguishes it from the series of the same size and executor.
    more: String,
    pub(crate) executor: Executor,
    pub(crate) size: Option<u64>,
    /// Number of its hue: each machine and executor has one.
    pub(crate) hue: usize,
    /// Its rows, in the order of counts.
    pub(crate) rows: Vec<Measured>,
    pub(crate) fit: Option<AmdahlFit>,
}

impl Series {
    /// The name for this count of workers, without the size.
    pub(crate) fn name_of(&self, count: u32) -> String {
        let counted = self.executor.counted(count);
        if self.more.is_empty() { counted } else { format!("{counted}, {}", self.more) }
    }

    pub(crate) fn at(&self, count: u32) -> Option<&Measured> {
        self.rows.iter().find(|row| row.configuration.count == count)
    }
}

/// The identity of a series.
type Key = (usize, Executor, Option<u64>, ChunkSize);

/// All series, in the order of machines, executors and sizes.
pub(crate) fn series(data: &[StudyData]) -> Vec<Series> {
    let mut all: Vec<(Key, Series)> = Vec::new();
    for (at, data) in data.iter().enumerate() {
        let usable = data.usable_cores();
        let measured = data.measured();
        let fits = amdahl_fits(&measured, usable);
        for row in measured.into_iter().filter(|row| row.compared_s().is_some()) {
            let of = &row.configuration;
            let key: Key = (at, of.executor, of.size, of.chunk);
            match all.iter_mut().find(|(other, _)| *other == key) {
                Some((_, series)) => series.rows.push(row),
                None => {
                    let fit =
                        fits.iter().find(|fit| (fit.executor, fit.size, fit.chunk) == (key.1, key.2, key.3)).cloned();
                    let (name, more, hue, executor, size) = (String::new(), String::new(), 0, key.1, key.2);
                    all.push((key, Series { name, more, executor, size, hue, rows: vec![row], fit }));
                }
            }
        }
    }
    all.sort_by_key(|(key, _)| *key);
    let keys: Vec<Key> = all.iter().map(|(key, _)| *key).collect();
    let named = |(key, mut series): (Key, Series)| {
        let [label, executor, size, chunk] = names(key, &keys, data);
        series.name = joined(&[&label, &executor, &size, &chunk]);
        series.more = joined(&[&label, &chunk]);
        series.hue = hue(key, &keys);
        series.rows.sort_by_key(|row| row.configuration.count);
        series
    };
    all.into_iter().map(named).collect()
}

/// Names of machine, executor, size and chunk, where these differ.
fn names(key: Key, keys: &[Key], data: &[StudyData]) -> [String; 4] {
    let (log, executor, size, chunk) = key;
    let named = |differs: bool, name: String| if differs { name } else { String::new() };
    let or =
        |value: Option<u64>, what: &str, none: &str| value.map_or(none.to_owned(), |value| format!("{what} {value}"));
    [
        named(keys.iter().any(|other| other.0 != log), data[log].label.clone()),
        named(keys.iter().any(|other| other.1 != executor), executor.to_string()),
        named(keys.iter().any(|other| other.2 != size), or(size, "size", "all items")),
        named(keys.iter().any(|other| other.3 != chunk), or(chunk.fixed().map(u64::from), "chunk", "chunk auto")),
    ]
}

fn joined(parts: &[&String]) -> String {
    let parts: Vec<&str> = parts.iter().map(|part| part.as_str()).filter(|part| !part.is_empty()).collect();
    parts.join(", ")
}

fn hue(key: Key, keys: &[Key]) -> usize {
    let mut kinds: Vec<(usize, Executor)> = keys.iter().map(|key| (key.0, key.1)).collect();
    kinds.dedup();
    kinds.iter().position(|kind| *kind == (key.0, key.1)).unwrap_or(0)
}

/// The shade of each series among those of its hue.
pub(crate) fn shades(all: &[Series]) -> Vec<(usize, usize)> {
    let of = |at: usize| all[..at].iter().filter(|other| other.hue == all[at].hue).count();
    let count = |at: usize| all.iter().filter(|other| other.hue == all[at].hue).count();
    (0..all.len()).map(|at| (of(at), count(at))).collect()
}

/// Describes a configuration and its measurements in a line.
pub(crate) fn told(series: &Series, row: &Measured) -> String {
    let of = &row.configuration;
    let mut text = of.executor.counted(of.count);
    if !series.name.is_empty() {
        text = format!("{}, {text}", series.name);
    }
    if let Some(wall_s) = row.wall_s {
        text += &format!(": {}", units::seconds(wall_s));
    }
    if let (Some(min), Some(max), 2..) = (row.min_s, row.max_s, row.walls_s.len()) {
        text += &format!(" ({} … {})", units::seconds(min), units::seconds(max));
    }
    if let (Some(speedup), Some(basis)) = (row.speedup, row.basis) {
        text += &format!(", speedup {speedup:.2} vs {basis}");
    }
    if let Some(max_speedup) = row.max_speedup {
        text += &format!(", at best {:.2} ({})", max_speedup.speedup, max_speedup.limit);
    }
    text
}

/// All counts that were measured, ascending.
pub(crate) fn counts(all: &[Series]) -> Vec<u32> {
    let mut counts: Vec<u32> = all.iter().flat_map(|series| &series.rows).map(|row| row.configuration.count).collect();
    counts.sort_unstable();
    counts.dedup();
    counts
}

/// The noun for the workers: processes, threads, or workers.
pub(crate) fn workers_noun(all: &[Series]) -> &'static str {
    let mut executors: Vec<Executor> =
        all.iter().map(|series| series.executor).filter(|executor| *executor != Executor::Serial).collect();
    executors.dedup();
    match executors.as_slice() {
        [Executor::Procs] => "processes",
        [Executor::Threads] => "threads",
        _ => "workers",
    }
}

/// The unit of time for the longest time, and the number of units in a second.
pub(crate) fn unit(longest_s: f64) -> (&'static str, f64) {
    match longest_s {
        s if s >= 1.0 => ("seconds", 1.0),
        s if s >= 1e-3 => ("milliseconds", 1e3),
        _ => ("microseconds", 1e6),
    }
}

/// Describes the chart in words.
pub(crate) fn described(all: &[Series]) -> String {
    let told = all.iter().flat_map(|series| series.rows.iter().map(move |row| told(series, row)));
    let mut told: Vec<String> = told.take(60).collect();
    if told.len() == 60 {
        told.push("and more: see the table".to_owned());
    }
    told.join("; ")
}
