//! Describes bottlenecks.

use super::{Bottleneck, bottleneck};
use crate::analysis::measured::Measured;
use crate::text::units;
use std::cmp::Reverse;
use std::fmt;

impl fmt::Display for Bottleneck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |share: f64| format!("{:.0} %", share * 100.0);
        match self {
            Self::StartAndEnd { share, wall_s, alone_s } => {
                write!(f, "starting and ending are {} of {}: ", percent(*share), units::seconds(*wall_s))?;
                if alone_s > wall_s {
                    return f.write_str("with more work this share would fall");
                }
                write!(f, "too little work for a pool, a loop needs about {}", units::seconds(*alone_s))
            }
            Self::LongestItem { item_s, wall_s } => {
                let share = percent(item_s / wall_s);
                write!(f, "one item took {} of {}, {share}", units::seconds(*item_s), units::seconds(*wall_s))?;
                f.write_str(": the longest item limits")
            }
            Self::Input { share } => write!(f, "reading the input limits: it took {} of the time", percent(*share)),
            Self::Output { share } => {
                write!(f, "writing the output limits (disk or reader): it took {} of the time", percent(*share))
            }
            Self::SmallItems { share, is_waiting, item_s, enough_s, executor, count } => {
                let what = if *is_waiting { "waiting" } else { "transport" };
                let (kind, item) = (executor.counted(*count), units::seconds(*item_s));
                write!(f, "{} of the workers' time is {what}: ", percent(*share))?;
                if let Some(enough_s) = enough_s.filter(|enough_s| enough_s > item_s) {
                    let enough = units::seconds(enough_s);
                    return write!(f, "items of {item} are too small; from about {enough} an item {kind} are faster");
                }
                // The share of the same transport if each item takes ten times as long.
                let then = share / (share + 10.0 * (1.0 - share));
                write!(
                    f,
                    "items of {item} are small for {kind}; with ten times as much in each it would be {}",
                    percent(then)
                )
            }
            Self::Waiting { share, items, count } => {
                write!(f, "{} of the workers' time is waiting: ", percent(*share))?;
                let items = units::counted(*items, "item");
                write!(f, "{items} could not be divided evenly among {count} workers, or came late")
            }
            Self::Slowed { share, times } => write!(
                f,
                "{} running, but items take {times:.1} times as long as in one worker: memory, caches or other programs",
                percent(*share)
            ),
            Self::Running { share, count, cpus } if count >= cpus => {
                write!(f, "{} running: as good as it gets here, only more CPUs would help", percent(*share))
            }
            Self::Running { share, .. } => write!(f, "{} running: more workers would help", percent(*share)),
        }
    }
}

/// The configuration whose bottleneck is described: the largest size, then processes
/// before threads, then the most workers.
fn described_row(rows: &[Measured]) -> Option<&Measured> {
    let rank = |at: usize, row: &Measured| {
        let of = &row.configuration;
        (of.size, of.executor, of.count, Reverse(at))
    };
    rows.iter()
        .enumerate()
        .filter(|(_, row)| row.completed > 0)
        .max_by_key(|(at, row)| rank(*at, row))
        .map(|(_, row)| row)
}

/// The lines below the tables: the coordinator's shares, and the bottleneck.
pub(crate) fn lines(rows: &[Measured], cpus: u32) -> String {
    let Some(row) = described_row(rows) else { return String::new() };
    let of = &row.configuration;
    let chunk = of.chunk.fixed().filter(|_| rows.iter().any(|row| row.configuration.chunk != of.chunk));
    let chunk = chunk.map_or_else(String::new, |chunk| format!(", chunk {chunk}"));
    let of = if rows.len() > 1 { format!(", {} {}{chunk}", of.executor, of.count) } else { String::new() };
    let coordinator = row.coordinator.map_or_else(String::new, |shares| format!("coordinator{of}: {shares}\n"));
    let limit = bottleneck(row, cpus).map_or_else(String::new, |limit| format!("limit{of}: {limit}\n"));
    coordinator + &limit
}
