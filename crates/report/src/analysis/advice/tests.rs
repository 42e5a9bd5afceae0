//! Each piece of advice, there and not there.

use super::*;
use crate::model::study::{Machine, StudyRecord};
use crate::samples::{prime_study, row, run};

/// A study of these counts and wall times, on four processors.
fn study(runs: &[(u32, f64)]) -> StudyData {
    let machine = Machine { logical_cores: 4, usable_cores: 4, ..Machine::default() };
    let runs = runs.iter().zip(1..).map(|(&(count, wall_s), number)| run(number, count, wall_s, vec![])).collect();
    StudyData { study: StudyRecord { machine, ..StudyRecord::default() }, runs, ..StudyData::default() }
}

/// All advice but that each configuration ran once, as in most of these studies.
fn found(data: &StudyData) -> Vec<Advice> {
    advice(data).into_iter().filter(|advice| !matches!(advice, Advice::SingleRuns { .. })).collect()
}

fn said(data: &StudyData) -> Vec<String> {
    found(data).iter().map(in_words).collect()
}

fn in_words(advice: &Advice) -> String {
    format!("{} {}", advice.evidence(), advice.remedy())
}

#[test]
fn a_good_study_has_no_advice() {
    assert_eq!(said(&study(&[(4, 2.0)])), [""; 0]);
    assert_eq!(said(&study(&[(4, 0.004)])), [""; 0], "a single short run compares nothing");
    assert_eq!(said(&study(&[(1, 2.0), (2, 1.0), (4, 0.5)])), [""; 0]);
    assert_eq!(said(&StudyData::default()), [""; 0]);
}

#[test]
fn too_few_items() {
    let mut data = study(&[(4, 2.0)]);
    data.runs[0].result.as_mut().unwrap().items = 1;
    assert_eq!(said(&data), ["1 item, 4 workers: 3 have nothing to do. Take at least 4 items, or 1 worker at most."]);
    data.runs[0].result.as_mut().unwrap().items = 4;
    assert_eq!(said(&data), [""; 0]);
}

#[test]
fn a_study_of_single_runs() {
    let mut data = study(&[(1, 2.0), (2, 1.0)]);
    let expected = "Each of the 2 configurations ran once: how much its time varies is unknown. Add --repeat 3.";
    assert_eq!(advice(&data).iter().map(in_words).collect::<Vec<_>>(), [expected]);
    data.runs.push(run(3, 2, 1.0, vec![]));
    assert_eq!(advice(&data), [], "one of them was repeated");
    assert_eq!(advice(&study(&[(2, 2.0)])), [], "a single run compares nothing");
}

#[test]
fn more_workers_than_cpus() {
    let said = said(&study(&[(1, 2.0), (10, 0.6)]));
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("10 workers share 4 CPUs. Only counts up to 4 "), "{said:?}");
}

#[test]
fn cpus_do_not_limit_items_that_wait() {
    let mut data = study(&[(1, 1.0), (10, 0.1)]);
    data.study.machine.logical_cores = 8;
    data.runs[0].workers = vec![row(0, 10, 0.0, (1.0, 0.0, 0.0))];
    assert_eq!(said(&data).len(), 2, "with a CPU at work: {:?}", said(&data));
    data.runs[0].workers[0].end.as_mut().unwrap().cpu_user_s = 0.01;
    assert_eq!(said(&data), [""; 0]);
}

#[test]
fn quota_and_affinity() {
    let mut data = study(&[(1, 2.0), (4, 2.0)]);
    data.study.machine.cpu_quota_percent = Some(150);
    assert_eq!(found(&data), [Advice::FewerCpus { usable: 4, installed: 4, quota_percent: Some(150) }]);
    assert!(said(&data)[0].starts_with("A quota leaves this program 1.5 of 4 CPUs."), "{:?}", said(&data));
    data.study.machine.cpu_quota_percent = Some(400);
    assert_eq!(said(&data), [""; 0]);
    data.study.machine.logical_cores = 8;
    data.study.machine.cpu_quota_percent = None;
    assert!(said(&data)[0].starts_with("This program may use 4 of 8 CPUs."), "{:?}", said(&data));
}

#[test]
fn other_programs() {
    let mut data = study(&[(1, 2.0), (4, 1.0)]);
    let mut others = |run: usize, seconds| data.runs[run].result.as_mut().unwrap().other_cpu_s = Some(seconds);
    others(0, 5.0);
    others(1, 0.3);
    assert_eq!(said(&data), [""; 0], "three processors were free in the first run");
    data.runs[1].result.as_mut().unwrap().other_cpu_s = Some(1.5);
    assert_eq!(
        said(&data),
        ["Other programs took 1.50 s of CPU time in the 1.00 s of run 2. \
          Measure again when the machine has nothing else to do."]
    );
}

#[test]
fn a_slow_first_run() {
    let mut data = study(&[(1, 3.0), (1, 2.0), (1, 2.01), (1, 1.99)]);
    let expected = [Advice::SlowFirst { run: 1, wall_s: 3.0, median_s: 2.0, more: 0 }];
    assert_eq!(found(&data), expected);
    let mut warmup = run(9, 1, 3.0, vec![]);
    warmup.start.warmup = true;
    data.runs.push(warmup);
    assert_eq!(found(&data), [Advice::Outlier { run: 1, wall_s: 3.0, median_s: 2.005, more: 0 }], "it was warm");
}

#[test]
fn an_outlier() {
    let data = study(&[(1, 2.0), (1, 2.02), (1, 3.1), (1, 1.99)]);
    assert_eq!(found(&data), [Advice::Outlier { run: 3, wall_s: 3.1, median_s: 2.01, more: 0 }]);
    assert_eq!(found(&study(&[(1, 2.0), (1, 2.02), (1, 2.1), (1, 1.99)])), []);
}

#[test]
fn noise_is_no_slow_first_run() {
    assert_eq!(said(&study(&[(1, 0.709), (1, 0.698), (1, 0.377)])), [""; 0]);
}

#[test]
fn the_worst_of_several_runs_is_named() {
    let data = study(&[(1, 3.0), (1, 2.0), (1, 2.0), (2, 4.0), (2, 2.0), (2, 2.0)]);
    assert_eq!(found(&data), [Advice::SlowFirst { run: 4, wall_s: 4.0, median_s: 2.0, more: 1 }]);
    assert!(said(&data)[0].contains("; the same is true for 1 more configuration."), "{:?}", said(&data));
}

#[test]
fn advice_about_the_prime_study() {
    let mut data = study(&[]);
    data.runs = prime_study();
    assert_eq!(found(&data), [Advice::MoreWorkersThanCpus { workers: 5, cpus: 4 }]);
}
