//! The table of a study: a row per configuration, its time, and what parallel
//! running brought.

use crate::columns::{Align, Columns, Style};
use crate::fits::Fit;
use crate::measured::Measured;
use crate::shares::Shares;
use crate::study::Configuration;
use crate::units;
use std::fmt::Write as _;

/// The smallest share that is not shown as none.
const LEAST_REST: f64 = 0.000_5;

/// The rows as text.
pub(crate) fn table(rows: &[Measured], fits: &[Fit], style: Style) -> String {
    let right = |head| (head, Align::Right);
    let mut columns = Columns::new(&[
        ("executor", Align::Left),
        right("count"),
        right("size"),
        right("chunk"),
        right("wall time"),
        right("min … max"),
        right("speedup"),
        right("ceiling"),
        right("efficiency"),
        right("Karp–Flatt"),
        ("", Align::Left),
    ]);
    for row in rows {
        let mut cells = named(&row.configuration);
        cells.push(or_dash(row.wall_s.map(units::seconds)));
        cells.push(spread(row));
        cells.push(or_dash(row.speedup.map(|speedup| format!("{speedup:.2}"))));
        cells.push(ceiling(row));
        cells.push(or_dash(row.efficiency.map(units::percent)));
        cells.push(or_dash(row.serial_fraction.map(units::percent)));
        cells.push(if row.completed > 0 { String::new() } else { style.red("not completed") });
        columns.row(cells);
    }
    columns.take_text(style) + &notes(rows) + &fitted(rows, fits)
}

/// The ceiling where it is lower than the count: elsewhere it goes without saying.
fn ceiling(row: &Measured) -> String {
    let told = row.ceiling.filter(|ceiling| ceiling.speedup < f64::from(row.configuration.count));
    told.map_or_else(String::new, |ceiling| format!("{:.2}", ceiling.speedup))
}

/// What the figures mean, for those that the table has.
fn notes(rows: &[Measured]) -> String {
    if rows.iter().all(|row| row.speedup.is_none()) {
        return String::new();
    }
    let mut bases: Vec<String> = rows.iter().filter_map(|row| row.basis).map(|basis| basis.to_string()).collect();
    bases.dedup();
    bases.sort_unstable();
    bases.dedup();
    let mut text = format!("(speedup vs {}", bases.join(" and "));
    if rows.iter().any(|row| !ceiling(row).is_empty()) {
        text += "; ceiling: the best that items and CPUs allow";
    }
    if rows.iter().any(|row| row.serial_fraction.is_some()) {
        text += "; Karp–Flatt: the serial fraction";
    }
    text + ")\n"
}

fn fitted(rows: &[Measured], fits: &[Fit]) -> String {
    let several = |differs: fn(&Configuration, &Configuration) -> bool| {
        rows.windows(2).any(|pair| differs(&pair[0].configuration, &pair[1].configuration))
    };
    let mut text = String::new();
    for Fit { executor, size, chunk, law } in fits {
        let _ = write!(text, "(Amdahl's law");
        if several(|a, b| a.executor != b.executor) {
            let _ = write!(text, ", {executor}");
        }
        if let Some(size) = size.filter(|_| several(|a, b| a.size != b.size)) {
            let _ = write!(text, ", size {size}");
        }
        if let Some(chunk) = chunk.filter(|_| several(|a, b| a.chunk != b.chunk)) {
            let _ = write!(text, ", chunk {chunk}");
        }
        let _ = write!(text, ": serial fraction {}", units::percent(law.serial_fraction));
        if let Some(limit) = law.limit() {
            let _ = write!(text, ", never more than {limit:.0} times as fast");
        }
        text += ")\n";
    }
    text
}

/// Where the workers' time went, as text; nothing if no worker told.
pub(crate) fn shares_table(rows: &[Measured], style: Style) -> String {
    let right = |head| (head, Align::Right);
    let mut heads = vec![("workers' time", Align::Left), right("size"), right("chunk")];
    heads.extend(Shares::default().named().map(|(phase, _)| right(phase)));
    let mut columns = Columns::new(&heads);
    for row in rows {
        let Some(shares) = row.shares else { continue };
        let [executor, count, rest @ ..] = &named(&row.configuration)[..] else { continue };
        // One cell of two, so that a table without sizes fits a narrow terminal.
        let mut cells = vec![format!("{executor} {count}")];
        cells.extend_from_slice(rest);
        // The rest goes without saying where there is none.
        let has_rest = rows.iter().filter_map(|row| row.shares).any(|shares| shares.other >= LEAST_REST);
        let shown = |(phase, share): (&str, f64)| {
            if phase == "other" && !has_rest { String::new() } else { units::percent(share) }
        };
        cells.extend(shares.named().map(shown));
        columns.row(cells);
    }
    columns.take_text(style)
}

/// The cells that name a configuration.
pub(crate) fn named(configuration: &Configuration) -> Vec<String> {
    let optional = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
    vec![
        configuration.executor.to_string(),
        configuration.count.to_string(),
        optional(configuration.size),
        optional(configuration.chunk.map(u64::from)),
    ]
}

/// The shortest and the longest run, if there were several.
pub(crate) fn spread(row: &Measured) -> String {
    match (row.min_s, row.max_s) {
        (Some(min), Some(max)) if row.runs.len() > 1 => format!("{} … {}", units::seconds(min), units::seconds(max)),
        _ => String::new(),
    }
}

pub(crate) fn or_dash(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| "-".to_owned())
}
