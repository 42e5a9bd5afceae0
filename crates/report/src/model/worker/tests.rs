//! Tests of the rows of many processes.

use super::*;
use crate::model::run_summary::RunSummary;
use crate::samples::{many_processes as lines, run};

fn summary(each: u32) -> (Vec<WorkerRow>, Vec<SlotSum>) {
    let mut rows = WorkerRows::default();
    lines(each).for_each(|line| rows.take(line));
    rows.into_parts()
}

#[test]
fn processes_beyond_some_thousands_are_summed_by_slot() {
    let (rows, sums) = summary(5000);
    assert_eq!(rows.len(), MOST_ROWS + 2, "the last one of each slot has a row");
    assert_eq!(rows.iter().filter(|row| row.nth == 4999).count(), 2);
    assert_eq!(sums.iter().map(|sum| (sum.worker, sum.processes)).collect::<Vec<_>>(), [(0, 2951), (1, 2951)]);
    assert_eq!((sums[0].items, sums[0].chunks, sums[0].died), (2951 * 20, 2951 * 2, 2));
}

#[test]
fn a_process_that_exits_after_it_was_replaced_is_summed_once() {
    let mut rows = WorkerRows::default();
    lines(3000).for_each(|line| rows.take(line));
    let name = |nth| ProcessName { worker: 0, nth, pid: 90_000 + nth };
    rows.take(WorkerLine::Spawned { process: name(3000), at_us: 1.0 });
    rows.take(WorkerLine::Spawned { process: name(3001), at_us: 2.0 });
    let before = rows.sums[&0].processes;
    let end = WorkerEnd::default();
    rows.take(WorkerLine::Exited { process: name(3000), host: String::new(), end, at_us: 3.0 });
    assert_eq!(rows.sums[&0].processes, before + 1);
    assert!(!rows.late.contains_key(&name(3000)));
}

#[test]
fn the_memory_does_not_grow_with_the_number_of_processes() {
    let mut rows = WorkerRows::default();
    for line in lines(100_000) {
        rows.take(line);
        assert!(rows.rows.len() <= MOST_ROWS && rows.at.len() <= MOST_ROWS && rows.late.len() <= 4);
        assert!(rows.sums.len() <= 2 && rows.newest.len() <= 2);
    }
    let (workers, summed) = rows.into_parts();
    assert_eq!(RunSummary { summed, ..run(1, 2, 100.0, workers) }.processes(), 200_000);
}
