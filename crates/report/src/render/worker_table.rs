//! The table of a run's processes: a row per PID.

use super::cells::{self, optional};
use super::style::Style;
use super::table::{Cell, ColumnKind, Table};
use crate::model::run_summary::RunSummary;
use crate::model::slot_sum::SlotSum;
use crate::model::worker::WorkerRow;
use crate::text::units;

/// Most rows that are shown after a run. If there are more, their sums are shown.
pub(crate) const MAX_ROWS: u64 = 32;

/// Prints a row per process, in the order of slots, and then a row for the summed
/// processes of each slot. The column `ended` is empty for
/// normal exits.
pub(crate) fn table(run: &RunSummary, style: Style) -> String {
    let right = |head| (head, ColumnKind::Figure);
    let mut table = Table::new(&[
        right("worker"),
        right("pid"),
        ("host", ColumnKind::Word),
        right("items"),
        right("chunks"),
        right("CPU"),
        right("idle"),
        right("peak memory"),
        ("ended", ColumnKind::Word),
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
    for sum in &run.summed {
        table.row(vec![
            sum.worker.to_string().into(),
            format!("{} more", sum.processes).into(),
            optional(None),
            sum.items.to_string().into(),
            sum.chunks.to_string().into(),
            units::seconds(sum.cpu_s()).into(),
            units::seconds(sum.waiting_s).into(),
            sum.peak_memory_bytes.map(units::bytes).into(),
            cells::died(sum),
        ]);
    }
    table.take_text(style)
}

/// Prints a row per run with the sums of its processes.
pub(crate) fn sums(runs: &[&RunSummary], style: Style) -> String {
    let right = |head| (head, ColumnKind::Figure);
    let mut table = Table::new(&[
        right("run"),
        ("executor", ColumnKind::Word),
        right("count"),
        right("size"),
        right("chunk"),
        right("PIDs"),
        right("items each"),
        right("CPU"),
        right("idle"),
        right("memory"),
        ("died", ColumnKind::Figure),
    ]);
    for run in runs {
        let ends: Vec<_> = run.workers.iter().filter_map(|row| row.end.as_ref()).collect();
        // Of summed processes only the mean is known.
        let mean = |sum: &SlotSum| sum.items / u64::from(sum.processes.max(1));
        let items = ends.iter().map(|end| end.items).chain(run.summed.iter().map(mean));
        let died = ends.iter().filter(|end| !end.is_normal()).count() as u64
            + run.summed.iter().map(|sum| u64::from(sum.died)).sum::<u64>();
        let cpu_s = ends.iter().map(|end| end.cpu_s()).chain(run.summed.iter().map(SlotSum::cpu_s)).sum();
        let waiting_s =
            ends.iter().filter_map(|end| end.waiting_s).chain(run.summed.iter().map(|sum| sum.waiting_s)).sum();
        let peaks =
            ends.iter().map(|end| end.peak_memory_bytes).chain(run.summed.iter().map(|sum| sum.peak_memory_bytes));
        let mut cells = vec![run.run.to_string().into()];
        cells.extend(cells::configuration(run.configuration()).map(Cell::Text));
        cells.extend([
            run.processes().to_string().into(),
            items.clone().min().zip(items.max()).map(from_to).into(),
            units::seconds(cpu_s).into(),
            units::seconds(waiting_s).into(),
            peaks.flatten().max().map(units::bytes).into(),
            optional((died > 0).then(|| died.to_string())),
        ]);
        table.row(cells);
    }
    table.take_text(style)
}

fn from_to((min, max): (u64, u64)) -> String {
    if min == max { min.to_string() } else { format!("{min}…{max}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::worker::WorkerRows;
    use crate::samples::{many_processes, run};

    #[test]
    fn summed_processes_have_a_row_per_slot() {
        let mut rows = WorkerRows::default();
        many_processes(5000).for_each(|line| rows.take(line));
        let (workers, summed) = rows.into_parts();
        let run = RunSummary { summed, ..run(1, 2, 5.0, workers) };
        let text = table(&run, Style::default());
        let last: Vec<_> = text.lines().rev().take(2).map(|line| line.split_whitespace().collect::<Vec<_>>()).collect();
        assert_eq!(last[1][..5], ["0", "2951", "more", "59020", "5902"], "{last:?}");
        assert_eq!(last[0][last[0].len() - 2..], ["2", "died"]);
        let sums = sums(&[&run], Style::default());
        assert!(sums.contains(" 10000 ") && sums.lines().nth(1).is_some_and(|line| line.ends_with("10")), "{sums}");
    }
}
