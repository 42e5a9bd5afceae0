//! The verdict in each situation that a study can be in, with its sentence.

use super::*;
use crate::model::run_summary::RunSummary;
use crate::model::study::Machine;
use crate::samples::{prime_study, row, run};
use procession_task::CoordinatorTimes;
use std::num::NonZero;

/// How a run spent its time. Times are seconds, of all workers together.
#[derive(Clone, Copy)]
struct Spent {
    count: u32,
    wall_s: f64,
    /// Running items.
    busy_s: f64,
    /// CPU time of workers and their programs.
    cpu_s: f64,
    /// Of each worker, until it is ready.
    start_s: f64,
    /// CPU time of other programs.
    other_s: f64,
    items: u64,
}

impl Spent {
    /// Items that compute, with a CPU for each worker.
    fn computing(count: u32, wall_s: f64) -> Self {
        let busy_s = wall_s * f64::from(count);
        Self { count, wall_s, busy_s, cpu_s: busy_s, start_s: 0.0, other_s: 0.0, items: 1000 }
    }

    /// Items that compute on `cpus` CPUs, 99 % of the time.
    fn sharing(count: u32, wall_s: f64, cpus: f64) -> Self {
        Self { cpu_s: 0.99 * cpus * wall_s, ..Self::computing(count, wall_s) }
    }

    fn run(self, number: u32) -> RunSummary {
        let of_each = |seconds: f64| seconds / f64::from(self.count);
        let (busy_s, cpu_s) = (of_each(self.busy_s), of_each(self.cpu_s));
        let waiting_s = (self.wall_s - self.start_s - busy_s).max(0.0);
        let worker = |slot: u32| {
            let mut row = row(slot, 100 * number + slot, self.start_s, (busy_s, waiting_s, 0.0));
            let end = row.end.as_mut().unwrap();
            (end.cpu_user_s, end.cpu_system_s) = (cpu_s, 0.0);
            row
        };
        let mut run = run(number, self.count, self.wall_s, (0..self.count).map(worker).collect());
        let result = run.result.as_mut().unwrap();
        (result.items, result.other_cpu_s) = (self.items, Some(self.other_s));
        run
    }
}

/// A study of these runs on this number of CPUs.
fn study(cpus: u32, spent: &[Spent]) -> StudyData {
    let machine = Machine { logical_cores: cpus, usable_cores: cpus, ..Machine::default() };
    let runs = spent.iter().zip(1..).map(|(spent, number)| spent.run(number)).collect();
    StudyData { study: StudyRecord { machine, ..StudyRecord::default() }, runs, ..StudyData::default() }
}

fn sentence(data: &StudyData) -> String {
    data.verdict().join("\n")
}

#[test]
fn items_that_compute() {
    let mut spent = vec![Spent::computing(1, 2.0), Spent::computing(2, 1.015)];
    spent.extend([3, 4, 5].map(|count| Spent::sharing(count, 1.01, 2.0)));
    let expected = "2 processes: 1.97× as fast as 1. 3–5 add nothing: 2 CPUs, each 99 % busy.";
    assert_eq!(sentence(&study(2, &spent)), expected);
    assert_eq!(sentence(&study(2, &spent[..2])), "2 processes: 1.97× as fast as 1 (2 CPUs, each 100 % busy).");
    assert_eq!(sentence(&study(8, &spent[..2])), "2 processes: 1.97× as fast as 1 (2 of 8 CPUs busy, more may help).");
    let mut four = study(2, &[spent[0], spent[1], spent[3]]);
    assert_eq!(sentence(&four), "2 processes: 1.97× as fast as 1. 4 adds nothing: 2 CPUs, each 99 % busy.");
    // The smallest of the shares of a group is told.
    four.runs.push(Spent { cpu_s: 1.8, ..Spent::computing(8, 1.0) }.run(4));
    assert_eq!(sentence(&four), "2 processes: 1.97× as fast as 1. 4 and 8 add nothing: 2 CPUs, each 90 % busy.");
}

#[test]
fn programs_with_several_threads() {
    let at = |count: u32, wall_s: f64| Spent { cpu_s: 3.9 * wall_s, ..Spent::computing(count, wall_s) };
    let data = study(4, &[at(1, 2.0), at(2, 2.0)]);
    let expected = "Nothing is faster than 1 process. 2 processes add nothing: 4 CPUs, each 98 % busy.";
    assert_eq!(sentence(&data), expected);
    assert_eq!(data.measured()[1].max_speedup.unwrap().limit.to_string(), "CPUs");
}

#[test]
fn items_that_wait() {
    // 64 times `sleep 0.2`, of which each uses a CPU for 4 ms.
    let at =
        |count: u32, wall_s: f64| Spent { cpu_s: 0.256, items: 64, busy_s: 12.8, ..Spent::computing(count, wall_s) };
    let data = study(2, &[at(1, 12.85), at(4, 3.25), at(16, 0.98)]);
    let expected = "16 processes: 13.11× as fast as 1 (items use a CPU 2 % of the time, more may help).";
    assert_eq!(sentence(&data), expected);
    let max_speedup = data.measured()[2].max_speedup.unwrap();
    assert_eq!((max_speedup.speedup, max_speedup.limit.to_string().as_str()), (16.0, "workers"), "not the CPUs");
}

#[test]
fn items_that_wait_for_each_other() {
    let at = |count: u32, wall_s: f64| Spent { cpu_s: 0.06, ..Spent::computing(count, wall_s) };
    let data = study(4, &[at(1, 2.0), at(2, 2.01), at(3, 1.99)]);
    let expected = "Nothing is faster than 1 process. 2–3 processes add nothing: items use a CPU 1 % of the time and \
                    take 2.0× as long as on 1: they wait for a lock, a disk or a network.";
    assert_eq!(sentence(&data), expected);
}

#[test]
fn memory_bandwidth() {
    let data = study(4, &[Spent::computing(1, 2.0), Spent::computing(2, 1.3), Spent::computing(4, 1.28)]);
    let expected = "2 processes: 1.54× as fast as 1 (items take 1.3× the CPU time on 1: memory or caches are shared). \
                    4 adds nothing: items take 2.6× the CPU time on 1: memory or caches are shared.";
    assert_eq!(sentence(&data), expected);
}

#[test]
fn a_machine_that_others_use() {
    // 1.15 of 2 beside 1.6 s of foreign CPU time.
    let two = Spent { other_s: 1.6, cpu_s: 2.0, ..Spent::computing(2, 1.75) };
    let data = study(2, &[Spent { other_s: 0.5, ..Spent::computing(1, 2.0) }, two]);
    let expected = "2 processes: 1.14× as fast as 1 (other programs used 1.60 s of CPU time in 1.75 s).";
    assert_eq!(sentence(&data), expected);
    // CPUs that these workers have no use for are free for others.
    let mut free = study(4, &[Spent::computing(1, 2.0), Spent { other_s: 1.6, ..Spent::computing(2, 1.02) }]);
    assert_eq!(sentence(&free), "2 processes: 1.96× as fast as 1 (2 of 4 CPUs busy, more may help).");
    free.study.machine.logical_cores = 2;
    assert!(!sentence(&free).contains("other programs"), "both workers had their CPUs");
}

#[test]
fn a_cpu_quota() {
    let at = |count| Spent::sharing(count, 1.34, 1.5);
    let mut data = study(4, &[Spent::computing(1, 2.0), at(2), at(3), at(4)]);
    data.study.machine.usable_cores = 1;
    data.study.machine.cpu_quota_percent = Some(150);
    let expected = "2 processes: 1.49× as fast as 1 (a quota of 1.5 CPUs, 99 % used). \
                    3–4 add nothing: a quota of 1.5 CPUs, 99 % used.";
    assert_eq!(sentence(&data), expected);
}

#[test]
fn hyperthreads() {
    let mut data = study(
        4,
        &[Spent::computing(1, 2.0), Spent::computing(2, 1.0), Spent::computing(4, 0.98), Spent::sharing(5, 0.98, 4.0)],
    );
    data.study.machine.physical_cores = Some(2);
    let expected = "2 processes: 2.00× as fast as 1. 4 adds nothing: 4 CPUs are 2 cores: items take 2.0× the CPU time \
                    on 1. 5 adds nothing: 4 CPUs (2 cores), each 99 % busy.";
    assert_eq!(sentence(&data), expected);
    data.study.machine.physical_cores = Some(4);
    assert!(sentence(&data).contains("4 adds nothing: items take 2.0× the CPU time on 1: memory or caches"));
}

#[test]
fn too_few_items() {
    let at = |count, wall_s| Spent { busy_s: 0.8, cpu_s: 0.8, items: 4, ..Spent::computing(count, wall_s) };
    let data = study(8, &[at(1, 0.8), at(2, 0.4), at(3, 0.4), at(4, 0.2), at(5, 0.2), at(8, 0.2)]);
    let expected = "4 processes: 4.00× as fast as 1. 3 adds nothing: one process has to run 2 of 4 items. \
                    5 and 8 add nothing: only 4 items.";
    assert_eq!(sentence(&data), expected);
}

#[test]
fn one_long_item() {
    let at = |count, wall_s| Spent { busy_s: 1.6, cpu_s: 1.6, items: 100, ..Spent::computing(count, wall_s) };
    let mut data = study(4, &[at(1, 1.6), at(2, 0.8), at(3, 0.8), at(4, 0.8)]);
    data.runs.iter_mut().for_each(|run| run.result.as_mut().unwrap().longest_s = Some(0.79));
    let expected = "2 processes: 2.00× as fast as 1. 3–4 add nothing: one item takes 790 ms of 800 ms.";
    assert_eq!(sentence(&data), expected);
}

#[test]
fn too_short_to_measure() {
    let of_size = |task: &str, wall_s: f64| {
        let at = |count, wall_s| Spent { items: 400, ..Spent::computing(count, wall_s) };
        let mut data = study(2, &[at(1, wall_s), at(2, 0.03)]);
        data.runs.iter_mut().for_each(|run| run.start.configuration.size = Some(400));
        data.study.task = task.to_owned();
        data
    };
    let mut picture = of_size("mandelbrot", 0.04);
    let expected = "40.0 ms on 1 process is too short to measure; --size 2000 gives about 1 s.";
    assert_eq!(sentence(&picture), expected);
    picture.study.params.insert("max-iterations".to_owned(), "1000".to_owned());
    let expected = "40.0 ms on 1 process is too short to measure; \
                    --size 2000 or --param max-iterations=25000 gives about 1 s.";
    assert_eq!(sentence(&picture), expected);
    let expected = "40.0 ms on 1 process is too short to measure; \
                    --size 10000 (with --cycle if the list is shorter) gives about 1 s.";
    assert_eq!(sentence(&of_size("prime", 0.04)), expected);
    assert!(sentence(&of_size("prime", 0.2)).starts_with("2 processes: 6.67×"), "long enough");
    // Of several sizes only the largest says what is long enough.
    let mut sizes = of_size("prime", 0.04);
    sizes.runs.extend([Spent::computing(1, 0.02).run(3), Spent::computing(2, 0.02).run(4)]);
    let text = sentence(&sizes);
    assert!(text.starts_with("20.0 ms") || text.starts_with("size "), "{text}");
    assert_eq!(text.matches("gives about 1 s").count(), 1, "{text}");
}

#[test]
fn a_start_that_dominates() {
    // 0.8 s of imports in each process.
    let at = |count: u32, wall_s: f64| Spent {
        busy_s: 0.4,
        cpu_s: 0.4 + 0.8 * f64::from(count),
        start_s: 0.8,
        ..Spent::computing(count, wall_s)
    };
    let data = study(4, &[at(1, 1.2), at(2, 1.0), at(3, 0.97), at(4, 0.95)]);
    let expected = "2 processes: 1.20× as fast as 1 (a process takes 800 ms of 1.00 s to start and end). \
                    3–4 add nothing: a process takes 800 ms of 970 ms to start and end.";
    let text = sentence(&data);
    assert_eq!(text, expected);
}

#[test]
fn output_that_cannot_be_written_fast_enough() {
    let at = |count, wall_s| Spent { busy_s: 1.0, cpu_s: 1.0, ..Spent::computing(count, wall_s) };
    let mut data = study(4, &[at(1, 2.0), at(2, 2.0), at(3, 2.01)]);
    for run in &mut data.runs {
        let times = CoordinatorTimes { writing_s: 1.9, ..CoordinatorTimes::default() };
        run.result.as_mut().unwrap().coordinator = Some(times);
    }
    let expected =
        "Nothing is faster than 1 process. 2–3 processes add nothing: writing the output takes 95 % of the time.";
    assert_eq!(sentence(&data), expected);
    for run in &mut data.runs {
        let times = CoordinatorTimes { reading_s: 1.9, ..CoordinatorTimes::default() };
        run.result.as_mut().unwrap().coordinator = Some(times);
    }
    assert!(sentence(&data).ends_with("reading the input takes 95 % of the time."), "{}", sentence(&data));
}

#[test]
fn a_chunk_that_is_too_large() {
    let at = |count, wall_s| Spent { busy_s: 2.0, cpu_s: 2.0, ..Spent::computing(count, wall_s) };
    let mut data = study(4, &[at(1, 2.0), at(2, 1.0), at(3, 1.0), at(4, 1.0)]);
    let chunk = |items| ChunkSize::Fixed(NonZero::new(items).unwrap());
    data.runs.iter_mut().for_each(|run| run.start.configuration.chunk = chunk(500));
    let expected = "2 processes: 2.00× as fast as 1. 3–4 add nothing: --chunk 500 makes only 2 chunks.";
    assert_eq!(sentence(&data), expected);
    // Of several chunks the fastest is described.
    let mut faster = [at(1, 2.0), at(4, 0.52)].map(|spent| spent.run(9)).to_vec();
    faster.iter_mut().zip(8..).for_each(|(run, number)| {
        (run.run, run.start.configuration.chunk) = (number, chunk(10));
    });
    data.runs.extend(faster);
    assert_eq!(sentence(&data), "4 processes: 3.85× as fast as 1 (4 CPUs, each 96 % busy).");
}

#[test]
fn items_that_are_too_small() {
    let at = |count, wall_s| Spent { busy_s: 0.4, cpu_s: 0.9, items: 1_000_000, ..Spent::computing(count, wall_s) };
    let data = study(4, &[at(1, 1.0), at(2, 0.99)]);
    let expected = "Nothing is faster than 1 process. \
                    2 processes add nothing: items of 0.40 µs are small, handing them over takes 80 % of the time.";
    assert_eq!(sentence(&data), expected);
}

#[test]
fn sizes_and_executors() {
    let mut data = study(4, &[]);
    data.runs = prime_study();
    let expected = "size 10: 4 processes: 3.25× as fast as 1. 5 adds nothing: the figures show no reason.\n\
                    size 17: 5 processes: 3.67× as fast as 1.\n\
                    size 34: 4 processes: 3.31× as fast as 1. 5 adds nothing: the figures show no reason.";
    assert_eq!(sentence(&data), expected);
    let mut data = study(2, &[Spent::computing(1, 2.0), Spent::computing(2, 1.0), Spent::computing(1, 2.01)]);
    data.runs[0].start.configuration.executor = Executor::Serial;
    data.runs[1].start.configuration.executor = Executor::Threads;
    let expected = "2 threads: 2.00× as fast as the loop (2 CPUs, each 100 % busy).\n\
                    Nothing is faster than the loop. 1 process adds nothing: the figures show no reason.";
    assert_eq!(sentence(&data), expected);
}

#[test]
fn a_single_configuration() {
    assert_eq!(sentence(&study(2, &[Spent::computing(2, 1.0)])), "2 processes: 2 CPUs, each 100 % busy.");
    assert_eq!(sentence(&study(8, &[Spent::computing(2, 1.0)])), "2 processes: 2 of 8 CPUs busy, more may help.");
    let mut none = study(2, &[Spent::computing(2, 1.0)]);
    none.runs[0].workers.clear();
    assert_eq!(sentence(&none), "");
    none.runs.clear();
    assert_eq!(sentence(&none), "");
    none.runs.push(Spent::computing(2, 1.0).run(1));
    none.runs[0].status = "interrupted";
    assert_eq!(sentence(&none), "", "only completed runs are judged");
}

#[test]
fn differences_within_the_noise_are_none() {
    // 10 % faster, but the runs of each count differ by as much.
    let at = |count, walls: [f64; 3]| walls.map(|wall_s| Spent::sharing(count, wall_s, 1.0));
    let data = study(1, &[at(1, [1.0, 1.1, 0.9]), at(2, [0.9, 1.0, 0.8])].concat());
    assert_eq!(sentence(&data), "Nothing is faster than 1 process. 2 processes add nothing: 1 CPU, 99 % busy.");
    // Without another reason the noise is told.
    let mut noisy = study(4, &[]);
    let walls = [(1, 1.0), (1, 1.1), (1, 0.9), (2, 0.9), (2, 1.0), (2, 0.8)];
    noisy.runs =
        walls.into_iter().zip(1..).map(|((count, wall_s), number)| run(number, count, wall_s, vec![])).collect();
    let expected = "Nothing is faster than 1 process. \
                    2 processes add nothing: too noisy to say, differences below 17 % mean nothing.";
    assert_eq!(sentence(&noisy), expected);
    let at = |count, walls: [f64; 3]| walls.map(|wall_s| Spent::sharing(count, wall_s, 1.0));
    let data = study(1, &[at(1, [1.0, 1.01, 0.99]), at(2, [0.9, 0.91, 0.89])].concat());
    assert!(sentence(&data).starts_with("2 processes: 1.11× as fast as 1"), "{}", sentence(&data));
}
