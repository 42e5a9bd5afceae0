//! Costs that were put in come out again.

use super::wording::lines;
use super::*;
use crate::analysis::measured::measure;
use crate::samples::{row, run};
use procession::ChunkSize;
use std::num::NonZero;

/// Fixed cost, cost per item and the loop's time for an item, in seconds.
const TRUTH: (f64, f64, f64) = (0.004, 0.5e-6, 10e-6);

/// The loop and a pool of two, for each of these counts of items; the pool's
/// workers tell of half of the fixed cost at the start and of half at the end.
fn study(sizes: &[u64], (fixed, item, work): (f64, f64, f64)) -> Vec<RunSummary> {
    let mut runs = Vec::new();
    for &size in sizes {
        let items = size as f64;
        let mut serial = run(0, 1, items * work, vec![]);
        serial.start.configuration.executor = Executor::Serial;
        let wall = fixed + items * (work + item) / 2.0;
        let worker = |slot| row(slot, 10 + slot, fixed / 2.0, (wall - fixed, 0.0, 0.0));
        let pool = run(0, 2, wall, vec![worker(0), worker(1)]);
        for mut one in [serial, pool] {
            one.run = u32::try_from(runs.len()).unwrap() + 1;
            one.start.configuration.size = Some(size);
            one.result.as_mut().unwrap().items = size;
            runs.push(one);
        }
    }
    runs
}

/// As the runs of a busy afternoon: 160 items of 25.6 ms on two workers, one of
/// which lost a few to the other, and these a little slower than in the loop.
fn uneven() -> Vec<RunSummary> {
    let mut runs = study(&[160], (0.005, 0.0, 0.0256));
    let serial_s = runs[0].result.as_ref().unwrap().wall_s;
    runs[0].workers = vec![row(0, 9, 0.0, (serial_s, 0.0, 0.0))];
    runs[1].result.as_mut().unwrap().wall_s = 2.12;
    for (row, running_s) in runs[1].workers.iter_mut().zip([2.11, 2.08]) {
        row.end.as_mut().unwrap().running_s = Some(running_s);
        row.end.as_mut().unwrap().waiting_s = Some(2.115 - running_s);
    }
    runs
}

fn found(runs: &[RunSummary], cpus: u32) -> BreakEven {
    let all = break_evens(&measure(runs, cpus), runs, cpus);
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() < 1e-6 * b.abs()
}

#[test]
fn one_size_uses_the_times_that_workers_reported() {
    let found = found(&study(&[1_000_000], TRUTH), 4);
    assert!(near(found.fixed.seconds, 0.004) && near(found.item.seconds, 0.5e-6), "{found:?}");
    // One percent of 2 · 5.254 s and of 10 s, over a million items.
    assert!(near(found.item.noise_s, 0.205_08e-6), "{found:?}");
    // 2 F / (2 − 1 − c/w) = 8 ms / 0.95; c / (2 − 1).
    assert!(near(found.pays_from_s.unwrap(), 0.008 / 0.95) && near(found.never_below_s.unwrap(), 0.5e-6));
    assert_eq!(
        found.to_string(),
        "processes: 4.00 ms to start and end as workers reported, 0.50 µs an item; 2 beat the loop from 8.42 ms of work on (items of 10.0 µs; \
         under 0.50 µs never)"
    );
}

#[test]
fn several_sizes_by_least_squares() {
    let mut runs = study(&[1000, 30_000, 1_000_000], TRUTH);
    // What workers tell is not needed then, and may be wrong.
    for end in runs.iter_mut().flat_map(|run| &mut run.workers).filter_map(|row| row.end.as_mut()) {
        end.running_s = Some(0.0);
    }
    let found = found(&runs, 4);
    assert!(near(found.fixed.seconds, 0.004) && near(found.item.seconds, 0.5e-6), "{found:?}");
    assert!(found.fixed.is_known() && found.item.is_known(), "{found:?}");
    assert!(near(found.item_s, 10e-6));
}

#[test]
fn a_fitted_fixed_cost_below_the_noise_is_replaced_by_reported_times() {
    let found = found(&study(&[1_000_000, 2_000_000], TRUTH), 4);
    assert!(near(found.fixed.seconds, 0.004) && near(found.item.seconds, 0.5e-6), "{found:?}");
}

#[test]
fn pools_never_pay_with_cheap_items() {
    let found = found(&study(&[1_000_000], (0.004, 0.5e-6, 0.1e-6)), 4);
    assert_eq!(found.pays_from_s, None);
    assert!(near(found.never_below_s.unwrap(), 0.5e-6));
    let text = "2 never beat the loop with items of 0.10 µs, only with more than 0.50 µs";
    assert!(found.to_string().ends_with(text), "{found}");
}

#[test]
fn results_below_the_noise_are_omitted() {
    let mut runs = study(&[1000], (0.004, 0.0, 10e-3));
    let fine = found(&runs, 4);
    assert!(!fine.item.is_known() && fine.never_below_s.is_none(), "{fine:?}");
    assert!(near(fine.pays_from_s.unwrap(), 0.008), "{fine:?}");
    assert!(fine.to_string().contains("below the noise (200 µs) an item; 2 beat"), "{fine}");
    // Faster than the loop could be: never negative.
    runs[1].result.as_mut().unwrap().wall_s = 4.0;
    assert_eq!(found(&runs, 4).item.seconds, 0.0);
    // Other programs took a second of the two CPUs.
    let mut runs = study(&[1_000_000], TRUTH);
    runs[1].result.as_mut().unwrap().other_cpu_s = Some(1.0);
    assert!(found(&runs, 4).item.is_known(), "two CPUs were free");
    assert!(!found(&runs, 2).item.is_known());
    runs[1].result.as_mut().unwrap().other_cpu_s = Some(9.0);
    assert!(found(&runs, 2).pays_from_s.is_some(), "9 µs an item at most, of 10 µs");
    runs[1].result.as_mut().unwrap().other_cpu_s = Some(11.0);
    assert!(found(&runs, 2).to_string().ends_with(" an item; too noisy to say when a pool pays"));
}

#[test]
fn pools_never_pay_on_one_cpu() {
    let found = found(&study(&[1_000_000], TRUTH), 1);
    assert_eq!((found.parallel, found.pays_from_s), (1, None));
    assert!(found.to_string().ends_with("on one CPU 2 can't beat the loop"), "{found}");
}

#[test]
fn an_uneven_division_of_long_items_is_not_a_cost() {
    // Three items of a second on two workers take two seconds at best.
    let mut runs = study(&[3], (0.004, 0.0, 1.0));
    runs[1].result.as_mut().unwrap().wall_s = 2.004;
    runs[1].workers.iter_mut().for_each(|row| row.end.as_mut().unwrap().running_s = Some(2.0));
    let found = found(&runs, 4);
    assert!(!found.item.is_known(), "{found:?}");
}

#[test]
fn a_worker_that_is_a_message_behind_is_noise() {
    let told = found(&uneven(), 2);
    assert!(!told.item.is_known() && told.never_below_s.is_none(), "{told:?}");
    assert!(told.to_string().contains(" as workers reported, below the noise ("), "{told}");
    // Two workers, each an item behind or a message of ten; and 0.1 s that items took longer.
    let noise_s = |runs: &[RunSummary]| found(runs, 2).item.noise_s * 160.0;
    let (slowed, mut alone) = (uneven(), uneven());
    alone[0].workers.clear();
    assert!(near(noise_s(&slowed), 2.0 * 0.0256 + (2.11 + 2.08 - 160.0 * 0.0256)), "{}", noise_s(&slowed));
    alone.iter_mut().for_each(|run| run.start.configuration.chunk = ChunkSize::Fixed(NonZero::new(10).unwrap()));
    assert!(near(noise_s(&alone), 2.0 * 0.256), "{}", noise_s(&alone));
}

#[test]
fn the_source_of_costs_is_named() {
    let (one, three) = (found(&study(&[1_000_000], TRUTH), 4), found(&study(&[1000, 30_000, 1_000_000], TRUTH), 4));
    assert_eq!((one.origin, three.origin), (CostSource::Workers, CostSource::Sizes));
    assert!(one.to_string().contains(" to start and end as workers reported, "), "{one}");
    assert!(three.to_string().contains(" to start and end, "), "{three}");
}

#[test]
fn without_the_serial_loop_there_is_no_result() {
    let runs = study(&[1000], TRUTH);
    assert!(break_evens(&measure(&runs[1..], 4), &runs[1..], 4).is_empty());
    assert!(break_evens(&measure(&runs[..1], 4), &runs[..1], 4).is_empty());
}

#[test]
fn the_largest_count_with_a_cpu_per_worker_is_described() {
    let of = |count, parallel| BreakEven { count, parallel, ..found(&study(&[1_000_000], TRUTH), 4) };
    let text = lines(&[of(1, 1), of(2, 2), of(4, 4), of(8, 4)]);
    assert_eq!(text, "4 processes beat the loop from 8.42 ms of work on\n");
    assert_eq!(lines(&[of(1, 1)]) + &lines(&[of(2, 1)]), "", "one worker or one CPU can't");
    let noisy = BreakEven { pays_from_s: None, never_below_s: None, ..of(2, 2) };
    assert_eq!(lines(std::slice::from_ref(&noisy)), "2 processes: too noisy to say when a pool pays\n");
    let never = BreakEven { never_below_s: Some(1e-4), ..noisy };
    let text = "2 processes never beat the loop with items of 10.0 µs, only with more than 100 µs\n";
    assert_eq!(lines(&[never]), text);
}
