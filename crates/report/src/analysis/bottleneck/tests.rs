//! A run for each thing that may limit.

use super::wording::lines;
use super::*;
use crate::analysis::coordinator_shares::CoordinatorShares;
use crate::analysis::measured::{Basis, measure};
use crate::analysis::worker_shares::WorkerShares;
use crate::samples::run;
use procession::ChunkSize;
use std::num::NonZero;

/// So many workers for a second with 10,000 items, with these shares.
fn row(count: u32, shares: WorkerShares) -> Measured {
    let mut row = measure(&[run(1, count, 1.0, vec![])], 4).remove(0);
    (row.shares, row.items) = (Some(shares), 10_000);
    row
}

fn shares(running: f64, waiting: f64, writing: f64) -> WorkerShares {
    WorkerShares { running, waiting, writing, ending: 1.0 - running - waiting - writing, ..WorkerShares::default() }
}

fn said(row: &Measured) -> String {
    bottleneck(row, 4).map_or_else(String::new, |limit| limit.to_string())
}

#[test]
fn small_items() {
    // 2 s of workers' time for 10,000 items: 200 µs each, of which 62 % is not theirs.
    // Two workers are faster if an item takes more than its overhead, 124 µs.
    let text = "62 % of the workers' time is waiting: items of 76.0 µs are too small; from about 124 µs an item 2 processes are faster";
    assert_eq!(said(&row(2, shares(0.38, 0.6, 0.02))), text);
    let text = "40 % of the workers' time is transport: items of 120 µs are small for 2 processes; with ten times as \
                much in each it would be 6 %";
    assert_eq!(said(&row(2, shares(0.6, 0.1, 0.3))), text);
    let text = "60 % of the workers' time is waiting: items of 40.0 µs are small for 1 process; with ten times as much in \
                each it would be 13 %";
    assert_eq!(said(&row(1, shares(0.4, 0.6, 0.0))), text);
}

#[test]
fn long_items_that_make_workers_wait() {
    let mut few = row(4, shares(0.6, 0.4, 0.0));
    few.items = 5;
    assert!(
        said(&few).starts_with("40 % of the workers' time is waiting: 5 items could not be divided evenly among 4")
    );
    few.longest_s = Some(0.4);
    assert_eq!(said(&few), "one item took 400 ms of 1.00 s, 40 %: the longest item limits");
}

#[test]
fn the_coordinators_threads() {
    let mut slow = row(2, shares(0.3, 0.7, 0.0));
    slow.coordinator = Some(CoordinatorShares { reading: 0.9, writing: 0.1, ..CoordinatorShares::default() });
    assert_eq!(said(&slow), "reading the input limits: it took 90 % of the time");
    slow.coordinator = Some(CoordinatorShares { reading: 0.9, writing: 0.95, ..CoordinatorShares::default() });
    assert_eq!(said(&slow), "writing the output limits (disk or reader): it took 95 % of the time");
    slow.shares = Some(shares(0.99, 0.01, 0.0));
    assert!(said(&slow).starts_with("99 % running"), "nobody waits for them");
}

#[test]
fn only_running() {
    let full = shares(0.97, 0.02, 0.01);
    assert_eq!(said(&row(4, full)), "97 % running: as good as it gets here, only more CPUs would help");
    assert_eq!(said(&row(2, full)), "97 % running: more workers would help");
    let mut slowed = row(4, full);
    (slowed.basis, slowed.efficiency) = (Some(Basis::Serial), Some(0.5));
    let text = "97 % running, but items take 1.9 times as long as in one worker: memory, caches or other programs";
    assert_eq!(said(&slowed), text);
    slowed.configuration.count = 8;
    assert!(said(&slowed).starts_with("97 % running: as good"), "eight on four CPUs are slowed by each other");
}

#[test]
fn short_runs() {
    let mut short = row(2, WorkerShares { start_up: 0.6, running: 0.3, waiting: 0.1, ..WorkerShares::default() });
    short.wall_s = Some(0.07);
    assert_eq!(
        said(&short),
        "starting and ending are 60 % of 70.0 ms: too little work for a pool, a loop needs about 42.0 ms"
    );
    short.configuration.count = 8;
    assert_eq!(said(&short), "starting and ending are 60 % of 70.0 ms: with more work this share would fall");
    let mut tiny = row(2, shares(0.1, 0.9, 0.0));
    tiny.wall_s = Some(0.002);
    assert_eq!(said(&tiny), "");
    tiny.configuration.executor = Executor::Serial;
    tiny.shares = Some(shares(0.1, 0.0, 0.0));
    assert_eq!(said(&tiny), "");
}

#[test]
fn unknown_times_have_no_bottleneck() {
    let mut unknown = row(2, shares(0.5, 0.5, 0.0));
    let unmeasured = Measured { completed: 0, ..unknown.clone() };
    for row in [Measured { shares: None, ..unknown.clone() }, Measured { items: 0, ..unknown.clone() }, unmeasured] {
        assert_eq!(bottleneck(&row, 4), None);
    }
    unknown.shares = Some(shares(0.7, 0.25, 0.0));
    assert_eq!(bottleneck(&unknown, 4), None, "nothing stands out");
}

#[test]
fn the_most_workers_of_the_largest_size_are_described() {
    let of = |count, size, running| {
        let mut row = row(count, shares(running, 0.0, 0.0));
        row.configuration.size = size;
        row
    };
    let text = lines(&[of(1, Some(2), 0.81), of(4, Some(2), 0.82), of(4, Some(1), 0.83)], 4);
    assert_eq!(text, "limit, procs 4: 82 % running: as good as it gets here, only more CPUs would help\n");
    assert_eq!(lines(&[], 4), "");
    // The chunk is named if there are several.
    let mut rows = [of(4, Some(2), 0.82), of(4, Some(2), 0.83)];
    rows[0].configuration.chunk = ChunkSize::Fixed(NonZero::new(7).unwrap());
    assert!(lines(&rows, 4).starts_with("limit, procs 4, chunk 7: 82 %"), "{}", lines(&rows, 4));
    rows[1].configuration.chunk = ChunkSize::Fixed(NonZero::new(7).unwrap());
    assert!(lines(&rows, 4).starts_with("limit, procs 4: 82 %"), "{}", lines(&rows, 4));
}
