//! Cells that several tables share.

use super::table::Cell;
use crate::analysis::measured::Measured;
use crate::model::process::WorkerEnd;
use crate::model::slot_sum::SlotSum;
use crate::model::study::Configuration;

/// The cells that name a configuration: executor, count, size, chunk.
pub(crate) fn configuration(of: &Configuration) -> [String; 4] {
    let optional = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    [of.executor.to_string(), of.count.to_string(), optional(of.size), optional(of.chunk.fixed().map(u64::from))]
}

/// A cell that is empty without a value.
pub(crate) fn optional(text: Option<String>) -> Cell {
    Cell::Text(text.unwrap_or_default())
}

/// The speedup; `≈1` if it can't be told from 1.
pub(crate) fn speedup(row: &Measured) -> Cell {
    let shown = |speedup: f64| if row.is_speedup_noise() { "≈1".to_owned() } else { format!("{speedup:.2}") };
    row.speedup.map(shown).into()
}

/// How many of a slot's summed processes did not end normally; empty for none.
pub(crate) fn died(sum: &SlotSum) -> Cell {
    if sum.died == 0 { Cell::Text(String::new()) } else { Cell::Alarm(format!("{} died", sum.died)) }
}

/// How a process ended; empty for a normal exit.
pub(crate) fn ended(end: Option<&WorkerEnd>) -> Cell {
    match end {
        Some(end) if end.is_normal() => Cell::Text(String::new()),
        Some(end) => Cell::Alarm(end.to_string()),
        None => Cell::Text("unknown".to_owned()),
    }
}
