//! The table of a run's processes: a row per PID.

use super::cells::{self, optional};
use super::style::Style;
use super::table::{Cell, Column, Table};
use crate::model::run_summary::RunSummary;
use crate::model::worker::WorkerRow;
use crate::text::units;

/// Most rows that are shown after a run. If there are more, their sums are shown.
pub(crate) const MAX_ROWS: usize = 32;

/// Prints a row per process, in the order of slots. The column `ended` is empty for
/// normal exits.
pub(crate) fn table(run: &RunSummary, style: Style) -> String {
    let right = |head| (head, Column::Figure);
    let mut table = Table::new(&[
        right("worker"),
        right("pid"),
        ("host", Column::Word),
        right("items"),
        right("chunks"),
        right("CPU"),
        right("idle"),
        right("peak memory"),
        ("ended", Column::Word),
    ]);
    let mut hosts = run.workers.iter().map(|row| &row.host).filter(|host| !host.is_empty());
    let first = hosts.next();
    let one_host = hosts.all(|host| Some(host) == first);
    let mut rows: Vec<&WorkerRow> = run.workers.iter().collect();
    rows.sort_by_key(|row| (row.worker, row.nth));
    for row in rows {
        let end = row.end.as_ref();
        table.row(vec![
            row.worker.to_string().into(),
            row.pid.to_string().into(),
            optional((!one_host).then(|| row.host.clone())),
            end.map(|end| end.items.to_string()).into(),
            end.map(|end| end.chunks.to_string()).into(),
            end.map(|end| units::seconds(end.cpu_s())).into(),
            end.and_then(|end| end.waiting_s).map(units::seconds).into(),
            end.and_then(|end| end.peak_memory_bytes).map(units::bytes).into(),
            cells::ended(end),
        ]);
    }
    table.take_text(style)
}

/// Prints a row per run with the sums of its processes.
pub(crate) fn sums(runs: &[&RunSummary], style: Style) -> String {
    let right = |head| (head, Column::Figure);
    let mut table = Table::new(&[
        right("run"),
        ("executor", Column::Word),
        right("count"),
        right("size"),
        right("chunk"),
        right("PIDs"),
        right("items each"),
        right("CPU"),
        right("idle"),
        right("memory"),
        ("died", Column::Figure),
    ]);
    for run in runs {
        let ends: Vec<_> = run.workers.iter().filter_map(|row| row.end.as_ref()).collect();
        let items = ends.iter().map(|end| end.items);
        let died = ends.iter().filter(|end| !end.is_normal()).count();
        let mut cells = vec![run.run.to_string().into()];
        cells.extend(cells::configuration(run.configuration()).map(Cell::Text));
        cells.extend([
            run.workers.len().to_string().into(),
            items.clone().min().zip(items.max()).map(from_to).into(),
            units::seconds(ends.iter().map(|end| end.cpu_s()).sum()).into(),
            units::seconds(ends.iter().filter_map(|end| end.waiting_s).sum()).into(),
            ends.iter().filter_map(|end| end.peak_memory_bytes).max().map(units::bytes).into(),
            optional((died > 0).then(|| died.to_string())),
        ]);
        table.row(cells);
    }
    table.take_text(style)
}

fn from_to((min, max): (u64, u64)) -> String {
    if min == max { min.to_string() } else { format!("{min}…{max}") }
}
