//! The results of a benchmark: shown as text and kept as JSON.

use super::memory::Peaks;
use super::scenario::Outcome;
use super::stats::Spread;
use anyhow::{Context as _, Result};
use serde::Serialize;
use std::fs;
use std::path::Path;

/// Everything that one call measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) cpus: usize,
    pub(crate) comparisons: Vec<Outcome>,
    pub(crate) memory: Vec<MemoryOutcome>,
    pub(crate) failed: Vec<Failed>,
}

/// What could not be measured.
#[derive(Debug, Serialize)]
pub(crate) struct Failed {
    pub(crate) name: String,
    pub(crate) why: String,
}

/// Peak memory, and whether it stays within bounds.
#[derive(Debug, Serialize)]
pub(crate) struct MemoryOutcome {
    pub(crate) name: String,
    pub(crate) peaks: Peaks,
    pub(crate) met: bool,
}

/// Bounds of memory.
pub(crate) const COORDINATOR_BYTES: u64 = 64 << 20;
/// As above, for a worker.
pub(crate) const WORKER_BYTES: u64 = 16 << 20;

impl MemoryOutcome {
    /// Judges peaks. That no worker was seen is no success.
    pub(crate) fn new(name: &str, peaks: Peaks) -> Self {
        let met = peaks.coordinator < COORDINATOR_BYTES && peaks.worker < WORKER_BYTES && peaks.workers > 0;
        Self { name: name.to_owned(), peaks, met }
    }

    /// Its lines for a person.
    pub(crate) fn shown(&self) -> String {
        let mib = |bytes: u64| format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20));
        let Peaks { coordinator, worker, workers } = self.peaks;
        format!(
            "{}\n  coordinator   {} (< {})\n  worker        {} (< {}), the largest of {workers}\n  target        {}\n",
            self.name,
            mib(coordinator),
            mib(COORDINATOR_BYTES),
            mib(worker),
            mib(WORKER_BYTES),
            verdict(Some(self.met)),
        )
    }
}

impl Outcome {
    /// Its lines for a person.
    pub(crate) fn shown(&self) -> String {
        let line = |name: &str, spread: Option<Spread>, unit: &str| {
            let figures = spread.map_or_else(|| "—".to_owned(), |spread| shown(spread, unit));
            format!("  {name:<32} {figures}\n")
        };
        let mut text = format!("{}: {} ({} pairs)\n", self.name, self.what, self.pairs);
        text += &line("procession", self.ours, self.unit);
        text += &line(&self.peer_name, self.peer, self.unit);
        text += &line("ratio", self.ratio, "");
        text += &format!("  {:<32} {}: {}\n", "target", self.target, verdict(self.met));
        text
    }
}

fn verdict(met: Option<bool>) -> &'static str {
    match met {
        Some(true) => "met",
        Some(false) => "MISSED",
        None => "not judged",
    }
}

/// The median, then from the least to the greatest, with the quartiles between.
fn shown(spread: Spread, unit: &str) -> String {
    let Spread { min, lower_quartile, median, upper_quartile, max } = spread;
    let figure = |value: f64| if value < 0.1 { format!("{value:.5}") } else { format!("{value:.3}") };
    let unit = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    let [min, lower, median, upper, max] = [min, lower_quartile, median, upper_quartile, max].map(figure);
    format!("{median}{unit}  ({min} … {lower} | {upper} … {max})")
}

impl Report {
    /// Writes everything so far.
    pub(crate) fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)? + "\n";
        fs::write(path, text).with_context(|| format!("can't write {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(met: Option<bool>) -> Outcome {
        let spread = Spread::of(&[1.0, 2.0, 3.0]);
        Outcome {
            name: "compute-2".to_owned(),
            what: "primes".to_owned(),
            unit: "s",
            ours: spread,
            peer_name: "Rayon".to_owned(),
            peer: Spread::of(&[0.02]),
            ratio: None,
            pairs: 3,
            target: "ratio ≤ 1.03".to_owned(),
            met,
        }
    }

    #[test]
    fn people_see_medians_spread_and_verdict() {
        let text = outcome(Some(false)).shown();
        assert!(text.contains("2.000 s  (1.000 … 1.500 | 2.500 … 3.000)"), "{text}");
        assert!(text.contains("0.02000 s"), "{text}");
        assert!(text.contains("ratio ≤ 1.03: MISSED"), "{text}");
        assert!(outcome(None).shown().contains("not judged"));
    }

    #[test]
    fn memory_is_within_bounds_or_not() {
        let peaks = Peaks { coordinator: 10 << 20, worker: 4 << 20, workers: 2 };
        assert!(MemoryOutcome::new("m", peaks).met);
        assert!(!MemoryOutcome::new("m", Peaks { workers: 0, ..peaks }).met);
        assert!(!MemoryOutcome::new("m", Peaks { worker: 16 << 20, ..peaks }).met);
        assert!(MemoryOutcome::new("m", peaks).shown().contains("4.0 MiB (< 16.0 MiB)"));
    }

    #[test]
    fn json_holds_everything() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("bench.json");
        let report = Report { cpus: 2, comparisons: vec![outcome(Some(true))], ..Report::default() };
        report.write(&path).unwrap();
        let value: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        assert_eq!(value["comparisons"][0]["ours"]["median"], 2.0);
        assert_eq!(value["comparisons"][0]["met"], true);
    }
}
