//! The tables of the page and of Markdown files.

use super::cells::{self, optional};
use super::run_title::title;
use super::table::{Cell, ColumnKind, Table, escape_markdown};
use crate::analysis::measured::Measured;
use crate::model::failure::FailureRow;
use crate::model::run_summary::RunSummary;
use crate::model::study_data::StudyData;
use crate::text::shorten::excerpt;
use crate::text::units;

/// A row per configuration of every call.
pub(crate) fn study(data: &[StudyData]) -> Table {
    let mut table = Table::new(&[
        ("log", ColumnKind::Word),
        ("executor", ColumnKind::Word),
        ("count", ColumnKind::Figure),
        ("size", ColumnKind::Figure),
        ("chunk", ColumnKind::Figure),
        ("items", ColumnKind::Figure),
        ("median time", ColumnKind::Figure),
        ("mean ± σ", ColumnKind::Figure),
        ("min … max", ColumnKind::Figure),
        ("speedup", ColumnKind::Figure),
        ("vs", ColumnKind::Word),
        ("ceiling", ColumnKind::Figure),
        ("held by", ColumnKind::Word),
        ("efficiency", ColumnKind::Figure),
        ("Karp–Flatt", ColumnKind::Figure),
        ("runs", ColumnKind::Figure),
        ("", ColumnKind::Word),
    ])
    .captioned("Time and speedup of each configuration");
    for data in data {
        data.measured().iter().for_each(|row| table.row(study_row(&data.label, row)));
    }
    // A basis that all rows share is moved to the caption.
    if let Some(basis) = table.take_shared("vs") {
        table.caption += &format!("; speedup vs {basis}");
    }
    table
}

/// The table of the study as Markdown.
pub(crate) fn study_markdown(data: &[StudyData]) -> String {
    let table = study(data);
    if table.is_empty() {
        return escape_markdown(&table.caption) + ": no run has ended yet.\n";
    }
    table.to_markdown()
}

fn study_row(label: &str, row: &Measured) -> Vec<Cell> {
    let several = row.walls_s.len() > 1;
    let spread = |text: Option<String>| optional(text.filter(|_| several));
    let mut cells = vec![label.to_owned().into()];
    cells.extend(cells::configuration(&row.configuration).map(Cell::Text));
    cells.extend([
        row.items.to_string().into(),
        row.wall_s.map(units::seconds).into(),
        spread(row.mean_s.zip(row.stdev_s).map(|(m, s)| format!("{} ± {}", units::seconds(m), units::seconds(s)))),
        spread(row.min_s.zip(row.max_s).map(|(a, b)| format!("{} … {}", units::seconds(a), units::seconds(b)))),
        cells::speedup(row),
        optional(row.basis.map(|basis| basis.to_string())),
        optional(row.max_speedup.map(|max_speedup| format!("{:.2}", max_speedup.speedup))),
        optional(row.max_speedup.map(|max_speedup| max_speedup.limit.to_string())),
        row.efficiency.map(units::percent).into(),
        row.serial_fraction.map(units::percent).into(),
        row.completed.to_string().into(),
        optional((row.completed == 0).then(|| "not completed".to_owned())),
    ]);
    cells
}

/// A row per process of a run, and then one for the summed processes of each slot.
pub(crate) fn workers(run: &RunSummary) -> Table {
    let mut table = Table::new(&[
        ("worker", ColumnKind::Figure),
        ("PID", ColumnKind::Figure),
        ("host", ColumnKind::Word),
        ("items", ColumnKind::Figure),
        ("chunks", ColumnKind::Figure),
        ("CPU time", ColumnKind::Figure),
        ("busy", ColumnKind::Figure),
        ("idle", ColumnKind::Figure),
        ("peak memory", ColumnKind::Figure),
        ("ended", ColumnKind::Word),
    ])
    .captioned(title(run));
    let mut rows: Vec<_> = run.workers.iter().collect();
    rows.sort_by_key(|row| (row.worker, row.nth));
    for row in rows {
        let end = row.end.as_ref();
        table.row(vec![
            row.worker.to_string().into(),
            row.pid.to_string().into(),
            row.host.clone().into(),
            end.map(|end| end.items.to_string()).into(),
            end.map(|end| end.chunks.to_string()).into(),
            end.map(|end| units::seconds(end.cpu_s())).into(),
            end.and_then(|end| end.busy_s()).map(units::seconds).into(),
            end.and_then(|end| end.waiting_s).map(units::seconds).into(),
            end.and_then(|end| end.peak_memory_bytes).map(units::bytes).into(),
            cells::ended(end),
        ]);
    }
    for sum in &run.summed {
        table.row(vec![
            sum.worker.to_string().into(),
            format!("{} more", sum.processes).into(),
            optional(None),
            sum.items.to_string().into(),
            sum.chunks.to_string().into(),
            units::seconds(sum.cpu_s()).into(),
            units::seconds(sum.busy_s()).into(),
            units::seconds(sum.waiting_s).into(),
            sum.peak_memory_bytes.map(units::bytes).into(),
            cells::died(sum),
        ]);
    }
    table
}

/// A row per failed item.
pub(crate) fn failures(rows: &[FailureRow]) -> Table {
    let heads = [
        ("item", ColumnKind::Figure),
        ("at", ColumnKind::Long),
        ("input", ColumnKind::Long),
        ("kind", ColumnKind::Word),
        ("message", ColumnKind::Long),
        ("PID", ColumnKind::Figure),
        ("attempts", ColumnKind::Figure),
    ];
    let mut table = Table::new(&heads).captioned("Items that failed");
    for row in rows {
        table.row(vec![
            row.item.to_string().into(),
            optional(row.place.clone()),
            excerpt(&row.input).into(),
            row.kind.to_string().into(),
            excerpt(row.message.as_bytes()).into(),
            row.pid.to_string().into(),
            row.attempts.to_string().into(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_the_prime_study() {
        let mut data = StudyData { runs: crate::samples::prime_study(), ..StudyData::default() };
        data.study.machine.usable_cores = 4;
        let text = study(&[data]).to_markdown();
        let line = "| procs | 5 | 34 | 34 | 13.0 s | 3.31 | 4.00 | CPUs | 66.2 % | – | 1 |";
        assert!(text.contains(line), "{text}");
    }
}
