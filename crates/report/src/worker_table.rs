//! The table of a run's processes, a row per PID.

use crate::collector::RunSummary;
use crate::columns::{Align, Columns, Style};
use crate::study_table::{named, or_dash};
use crate::units;
use crate::worker::WorkerRow;
use procession_task::escape_terminal;

/// More rows than this are not shown after a run, but their sums.
pub(crate) const MAX_ROWS: usize = 32;

/// One row per process, in the order of slots. Ends are told only of processes
/// that did not exit as they were asked to.
pub(crate) fn table(run: &RunSummary, style: Style) -> String {
    let right = |head| (head, Align::Right);
    let mut columns = Columns::new(&[
        right("worker"),
        right("pid"),
        ("host", Align::Left),
        right("items"),
        right("chunks"),
        right("CPU"),
        right("idle"),
        right("peak memory"),
        ("ended", Align::Left),
    ]);
    let mut hosts = run.workers.iter().map(|row| &row.host).filter(|host| !host.is_empty());
    let first = hosts.next();
    let one_host = hosts.all(|host| Some(host) == first);
    let mut rows: Vec<&WorkerRow> = run.workers.iter().collect();
    rows.sort_by_key(|row| (row.worker, row.nth));
    for row in rows {
        let end = row.end.as_ref();
        columns.row(vec![
            row.worker.to_string(),
            row.pid.to_string(),
            if one_host { String::new() } else { escape_terminal(row.host.as_bytes()) },
            or_dash(end.map(|end| end.items.to_string())),
            or_dash(end.map(|end| end.chunks.to_string())),
            or_dash(end.map(|end| units::seconds(end.cpu_s()))),
            or_dash(end.and_then(|end| end.waiting_s).map(units::seconds)),
            or_dash(end.and_then(|end| end.peak_memory_bytes).map(units::bytes)),
            ended(row, style),
        ]);
    }
    columns.take_text(style)
}

fn ended(row: &WorkerRow, style: Style) -> String {
    match &row.end {
        Some(end) if end.is_usual() => String::new(),
        Some(end) => style.red(&end.to_string()),
        None => "unknown".to_owned(),
    }
}

/// One row per run, for more processes than anybody reads.
pub(crate) fn sums(runs: &[&RunSummary], style: Style) -> String {
    let right = |head| (head, Align::Right);
    let mut columns = Columns::new(&[
        right("run"),
        ("executor", Align::Left),
        right("count"),
        right("size"),
        right("chunk"),
        right("PIDs"),
        right("items each"),
        right("CPU"),
        right("idle"),
        right("memory"),
        ("died", Align::Right),
    ]);
    for run in runs {
        let ends: Vec<_> = run.workers.iter().filter_map(|row| row.end.as_ref()).collect();
        let items = ends.iter().map(|end| end.items);
        let died = ends.iter().filter(|end| !end.is_usual()).count();
        let mut cells = vec![run.run.to_string()];
        cells.extend(named(run.configuration()));
        cells.push(run.workers.len().to_string());
        cells.push(or_dash(items.clone().min().zip(items.max()).map(from_to)));
        cells.push(units::seconds(ends.iter().map(|end| end.cpu_s()).sum()));
        cells.push(units::seconds(ends.iter().filter_map(|end| end.waiting_s).sum()));
        cells.push(or_dash(ends.iter().filter_map(|end| end.peak_memory_bytes).max().map(units::bytes)));
        cells.push(if died == 0 { String::new() } else { died.to_string() });
        columns.row(cells);
    }
    columns.take_text(style)
}

fn from_to((min, max): (u64, u64)) -> String {
    if min == max { min.to_string() } else { format!("{min}…{max}") }
}
