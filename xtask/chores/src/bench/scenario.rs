//! A comparison and its verdict.

use super::side::{Side, interleave};
use super::stats::{Spread, ratios};
use anyhow::{Result, ensure};
use serde::Serialize;
use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

/// What is compared with what.
pub(crate) struct Scenario {
    /// Its name, for `--only`.
    pub(crate) name: &'static str,
    /// What it measures, in one line.
    pub(crate) what: &'static str,
    /// Our side.
    pub(crate) ours: Side,
    /// The peer, or why there is none.
    pub(crate) peer: Result<Side, String>,
    /// What is to be reached.
    pub(crate) target: SpeedTarget,
    /// How many items each side works on, where a figure per item says more.
    pub(crate) items: Option<(f64, f64)>,
    /// Two files that must be equal after the runs.
    pub(crate) equal: Option<(PathBuf, PathBuf)>,
    /// Whether a run takes seconds, so that a few pairs must do.
    pub(crate) is_slow: bool,
}

/// What is to be reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SpeedTarget {
    /// Our time, as a multiple of the peer's, at most.
    Ratio(f64),
    /// The peer's time, as a multiple of ours, at least.
    TimesFaster(f64),
    /// Our microseconds per item, at most.
    MicrosPerItem(f64),
}

/// The result of a comparison.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Outcome {
    pub(crate) name: String,
    pub(crate) what: String,
    pub(crate) unit: &'static str,
    pub(crate) ours: Option<Spread>,
    pub(crate) peer_name: String,
    pub(crate) peer: Option<Spread>,
    /// Of each pair, as the target has it.
    pub(crate) ratio: Option<Spread>,
    pub(crate) pairs: usize,
    pub(crate) target: String,
    /// `None` when it could not be judged.
    pub(crate) met: Option<bool>,
}

impl fmt::Display for SpeedTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ratio(most) => write!(f, "ratio ≤ {most}"),
            Self::TimesFaster(least) => write!(f, "≥ {least} times faster"),
            Self::MicrosPerItem(most) => write!(f, "≤ {most} µs an item"),
        }
    }
}

impl SpeedTarget {
    /// The ratio that this target is about.
    fn ratios(self, pairs: &[(f64, f64)]) -> Vec<f64> {
        match self {
            Self::Ratio(_) | Self::MicrosPerItem(_) => ratios(pairs),
            Self::TimesFaster(_) => ratios(pairs).iter().map(|ratio| 1.0 / ratio).collect(),
        }
    }

    /// Whether it is reached, given the spread of our time (in the scenario's
    /// unit) and of the ratio. Medians decide.
    fn is_met(self, ours: Option<Spread>, ratio: Option<Spread>) -> Option<bool> {
        match self {
            Self::Ratio(most) => ratio.map(|ratio| ratio.median <= most),
            Self::TimesFaster(least) => ratio.map(|ratio| ratio.median >= least),
            Self::MicrosPerItem(most) => ours.map(|ours| ours.median <= most),
        }
    }
}

impl Scenario {
    /// Measures both sides, or ours alone.
    pub(crate) fn measure(&self, pairs: usize, messages: &Path) -> Result<Outcome> {
        let ours = || self.ours.measure(messages);
        let outcome = match &self.peer {
            Ok(peer) => {
                let pairs = interleave(pairs, ours, || peer.measure(messages))?;
                self.outcome(&pairs, &peer.name)
            }
            Err(why) => {
                let alone = interleave(pairs, ours, || Ok(f64::NAN))?;
                let skipped = format!("skipped: {why}");
                Outcome { peer: None, ratio: None, ..self.outcome(&alone, &skipped) }.judged_by(self.target)
            }
        };
        if let Some((a, b)) = &self.equal
            && self.peer.is_ok()
        {
            ensure!(is_equal(a, b)?, "{} and {} differ", a.display(), b.display());
        }
        Ok(outcome)
    }

    fn outcome(&self, pairs: &[(f64, f64)], peer_name: &str) -> Outcome {
        // Per item the unit is microseconds.
        let (our_scale, peer_scale) = self.items.map_or((1.0, 1.0), |(ours, peers)| (1e6 / ours, 1e6 / peers));
        let scaled: Vec<_> = pairs.iter().map(|(ours, peer)| (ours * our_scale, peer * peer_scale)).collect();
        let (ours, peers): (Vec<f64>, Vec<f64>) = scaled.iter().copied().unzip();
        Outcome {
            name: self.name.to_owned(),
            what: self.what.to_owned(),
            unit: if self.items.is_some() { "µs an item" } else { "s" },
            ours: Spread::of(&ours),
            peer_name: peer_name.to_owned(),
            peer: Spread::of(&peers),
            ratio: Spread::of(&self.target.ratios(&scaled)),
            pairs: pairs.len(),
            target: self.target.to_string(),
            met: None,
        }
        .judged_by(self.target)
    }
}

impl Outcome {
    fn judged_by(self, target: SpeedTarget) -> Self {
        Self { met: target.is_met(self.ours, self.ratio), ..self }
    }
}

/// Whether two files hold the same bytes.
fn is_equal(a: &Path, b: &Path) -> Result<bool> {
    let (mut a, mut b) = (BufReader::new(File::open(a)?), BufReader::new(File::open(b)?));
    let (mut of_a, mut of_b) = (Vec::new(), Vec::new());
    loop {
        of_a.clear();
        of_b.clear();
        a.by_ref().take(1 << 20).read_to_end(&mut of_a)?;
        b.by_ref().take(1 << 20).read_to_end(&mut of_b)?;
        if of_a != of_b || of_a.is_empty() {
            return Ok(of_a == of_b);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    fn said(name: &str, seconds: &str) -> Side {
        Side::reported(name, "echo").arg(seconds)
    }

    fn scenario(ours: &str, peer: Result<&str, &str>, target: SpeedTarget) -> Scenario {
        let peer = peer.map(|seconds| said("peer", seconds)).map_err(str::to_owned);
        let ours = said("ours", ours);
        Scenario { name: "x", what: "y", ours, peer, target, items: None, equal: None, is_slow: false }
    }

    fn measure(scenario: &Scenario) -> Result<Outcome> {
        let folder = TempDir::new().unwrap();
        scenario.measure(3, &folder.path().join("messages"))
    }

    #[test]
    fn ratios_decide() {
        let outcome = measure(&scenario("1.5", Ok("1.0"), SpeedTarget::Ratio(2.0))).unwrap();
        assert_eq!((outcome.ratio.unwrap().median, outcome.met, outcome.pairs), (1.5, Some(true), 3));
        assert_eq!(measure(&scenario("2.5", Ok("1.0"), SpeedTarget::Ratio(2.0))).unwrap().met, Some(false));
        let faster = measure(&scenario("0.5", Ok("5"), SpeedTarget::TimesFaster(8.0))).unwrap();
        assert_eq!((faster.ratio.unwrap().median, faster.met), (10.0, Some(true)));
    }

    #[test]
    fn a_missing_peer_leaves_ratios_open_but_not_figures_per_item() {
        let alone = measure(&scenario("1", Err("python3 is not installed"), SpeedTarget::Ratio(2.0))).unwrap();
        assert_eq!((alone.met, alone.peer, alone.ours.unwrap().median), (None, None, 1.0));
        assert!(alone.peer_name.contains("skipped: python3"));
        let per_item =
            Scenario { items: Some((1e6, 1e5)), ..scenario("2", Err("none"), SpeedTarget::MicrosPerItem(3.0)) };
        let outcome = measure(&per_item).unwrap();
        assert_eq!((outcome.unit, outcome.ours.unwrap().median, outcome.met), ("µs an item", 2.0, Some(true)));
    }

    #[test]
    fn figures_per_item_know_that_sides_differ_in_length() {
        let outcome =
            measure(&Scenario { items: Some((1e6, 1e5)), ..scenario("2", Ok("2"), SpeedTarget::MicrosPerItem(1.0)) })
                .unwrap();
        assert_eq!((outcome.peer.unwrap().median, outcome.ratio.unwrap().median), (20.0, 0.1));
        assert_eq!(outcome.met, Some(false));
    }

    #[test]
    fn outputs_that_should_be_equal_are_compared() {
        let folder = TempDir::new().unwrap();
        let [a, b] = ["a", "b"].map(|name| folder.path().join(name));
        std::fs::write(&a, "same").unwrap();
        std::fs::write(&b, "same").unwrap();
        let with = |equal| Scenario { equal: Some(equal), ..scenario("1", Ok("1"), SpeedTarget::Ratio(1.0)) };
        assert!(measure(&with((a.clone(), b.clone()))).is_ok());
        std::fs::write(&b, "same, but longer").unwrap();
        assert!(measure(&with((a, b))).unwrap_err().to_string().contains("differ"));
    }
}
