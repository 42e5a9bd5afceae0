//! Several logs beside each other: what a teacher with thirty of them looks at.

use crate::columns::{Align, Columns, Style};
use crate::measured::Measured;
use crate::study_table::{named, or_dash, spread};
use crate::units;

/// A row per configuration of every log, those that are alike below each other.
pub(crate) fn table(logs: &[Vec<Measured>], style: Style) -> String {
    let right = |head| (head, Align::Right);
    let mut columns = Columns::new(&[
        ("executor", Align::Left),
        right("count"),
        right("size"),
        right("chunk"),
        right("log"),
        right("wall time"),
        right("min … max"),
        right("speedup"),
        ("vs", Align::Left),
        right("efficiency"),
        right("Karp–Flatt"),
    ]);
    let mut rows: Vec<(usize, usize, &Measured)> = Vec::new();
    for (at, log) in logs.iter().enumerate() {
        for row in log {
            let known = rows.iter().find(|(_, _, other)| other.configuration == row.configuration);
            rows.push((known.map_or(rows.len(), |(place, _, _)| *place), at, row));
        }
    }
    rows.sort_by_key(|(place, at, _)| (*place, *at));
    for (_, at, row) in rows {
        let mut cells = named(&row.configuration);
        cells.push((at + 1).to_string());
        cells.push(or_dash(row.wall_s.map(units::seconds)));
        cells.push(spread(row));
        cells.push(or_dash(row.speedup.map(|speedup| format!("{speedup:.2}"))));
        cells.push(row.basis.map_or_else(String::new, |basis| basis.to_string()));
        cells.push(or_dash(row.efficiency.map(units::percent)));
        cells.push(or_dash(row.serial_fraction.map(units::percent)));
        columns.row(cells);
    }
    columns.take_text(style)
}
