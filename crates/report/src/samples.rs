//! Sample events, rows and runs for this crate's tests.

use crate::model::process::{ProcessName, WorkerEnd};
use crate::model::run_summary::RunSummary;
use crate::model::spans::Spans;
use crate::model::study::{Configuration, Executor, RunResult, RunStart, RunStatus};
use crate::model::worker::{WorkerLine, WorkerRow};
use bytes::Bytes;
use procession::{Accepted, ChunkSize, Event, Exit, Times, WorkerExit, WorkerRef};
use procession_task::{CoordinatorLine, Failure, FailureKind, Identity, LOGGED_BYTES, SlowestItem};
use std::time::Duration;

pub(crate) fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub(crate) fn who(slot: u32, nth: u32, pid: u32) -> WorkerRef {
    WorkerRef { slot, nth, pid }
}

/// The first attempt of `items` items from `first` on, whose process died.
pub(crate) fn attempt_lost(worker: WorkerRef, first: u64, items: u32) -> Event {
    let failure = Failure::new(FailureKind::Crashed, "killed by signal 9");
    Event::AttemptLost { worker, chunk: 1, first, items, attempt: 1, failure, sent_at: ms(20), at: ms(50) }
}

/// The events of a process that is spawned, gets ready, and exits normally.
pub(crate) fn life(slot: u32, nth: u32, pid: u32) -> Vec<Event> {
    let worker = who(slot, nth, pid);
    let exit = WorkerExit { asked: true, ..exit(slot, nth, pid, Exit::Status(0)) };
    vec![
        Event::WorkerSpawned { worker, at: ms(1) },
        Event::WorkerReady { worker, host: "elsewhere".into(), at: ms(3) },
        Event::WorkerExited(exit),
    ]
}

pub(crate) fn exit(slot: u32, nth: u32, pid: u32, exit: Exit) -> WorkerExit {
    WorkerExit {
        worker: who(slot, nth, pid),
        exit,
        asked: false,
        cpu_user: ms(500),
        cpu_system: ms(250),
        peak_memory: Some(1 << 20),
        times: Some(Times {
            waiting_ns: 125_000_000,
            transport_ns: 31_250_000,
            decoding_ns: 125_000_000,
            running_ns: 500_000_000,
            encoding_ns: 125_000_000,
            writing_ns: 62_500_000,
        }),
        told_at: Some(ms(998)),
        items: 10,
        chunks: 3,
        at: ms(1000),
    }
}

/// Results of `items` items from `first` on, with a log line for each. The
/// inputs are `i0`, `i1`, …; an item takes as many microseconds as its index.
pub(crate) fn accepted(worker: WorkerRef, chunk: u64, first: u64, items: u32) -> Accepted {
    let mut log = Vec::new();
    for item in first..first + u64::from(items) {
        log.extend_from_slice(line(worker, chunk, item, format!("i{item}").as_bytes()).as_bytes());
    }
    Accepted {
        worker,
        chunk,
        first,
        items,
        failed: 0,
        attempt: 1,
        busy: ms(2),
        slowest: SlowestItem::default(),
        log: log.into(),
        shown: Bytes::new(),
        at: ms(10 + chunk),
    }
}

/// An item's line, as a worker would write it.
pub(crate) fn line(worker: WorkerRef, chunk: u64, item: u64, input: &[u8]) -> String {
    let failure = Failure::new(FailureKind::Failed, "X");
    let span_ns = (1_000_000, 1_000_000 + item * 1000);
    // A result's input is cut, that of a failure is not.
    let (cut, length) = (&input[..input.len().min(LOGGED_BYTES)], input.len());
    let line = CoordinatorLine { item, input: cut, chunk, attempt: 1, span_ns, failure: &failure };
    let mut out = Vec::new();
    Identity::new(worker.pid, "elsewhere", worker.slot).write_for_dead(&mut out, &line);
    let text = String::from_utf8(out).unwrap();
    let text = text.replace("\"error\":{\"kind\":\"failed\",\"message\":\"X\"}", "\"output\":2.0");
    if cut.len() == length { text } else { text.replace(",\"pid\":", &format!(",\"input_bytes\":{length},\"pid\":")) }
}

/// An item whose process died.
pub(crate) fn lost(worker: WorkerRef, chunk: u64, item: u64, input: &'static [u8], failure: Failure) -> Event {
    let input = Bytes::from_static(input);
    Event::ItemLost { worker, chunk, item, input, attempt: 3, failure, sent_at: ms(20), at: ms(50) }
}

/// A process that was ready after `ready_s` and reported its seconds busy, waiting
/// and writing.
pub(crate) fn row(worker: u32, pid: u32, ready_s: f64, (busy, waiting, writing): (f64, f64, f64)) -> WorkerRow {
    let end = WorkerEnd {
        status: Some(0),
        asked: true,
        cpu_user_s: busy,
        cpu_system_s: 0.001,
        peak_memory_bytes: Some(8_493_466),
        waiting_s: Some(waiting),
        transport_s: Some(0.0),
        decoding_s: Some(0.0),
        running_s: Some(busy),
        encoding_s: Some(0.0),
        writing_s: Some(writing),
        items: 25_000,
        chunks: 40,
        ..WorkerEnd::default()
    };
    WorkerRow {
        worker,
        nth: 0,
        pid,
        host: "here".into(),
        spawned_s: 0.0,
        ready_s: Some(ready_s),
        exited_s: Some(1.0),
        replaced_s: None,
        end: Some(end),
    }
}

/// A completed run on processes.
pub(crate) fn run(run: u32, count: u32, wall_s: f64, workers: Vec<WorkerRow>) -> RunSummary {
    let configuration = Configuration { executor: Executor::Procs, count, size: None, chunk: ChunkSize::Auto };
    let status = RunStatus::Completed;
    let result = RunResult {
        status,
        wall_s,
        items: 100_000,
        failures: 0,
        digest: None,
        message: None,
        other_cpu_s: None,
        coordinator: None,
        longest_s: None,
        slowest: None,
    };
    let start = RunStart { configuration, repeat: 1, warmup: false };
    let (summed, spans) = (Vec::new(), Spans::default());
    RunSummary { run, start, result: Some(result), status: status.as_str(), workers, summed, spans }
}

/// The lines of a run whose two slots had `each` processes of a millisecond, one after
/// another; every thousandth died.
pub(crate) fn many_processes(each: u32) -> impl Iterator<Item = WorkerLine> {
    (0..each).flat_map(|nth| {
        (0..2).flat_map(move |worker| {
            let process = ProcessName { worker, nth, pid: 1000 + 2 * nth + worker };
            let begun_us = f64::from(nth) * 1000.0;
            let mut end = row(worker, process.pid, 0.0, (0.0005, 0.0001, 0.0)).end.unwrap();
            (end.items, end.chunks) = (20, 2);
            end.signal = (nth % 1000 == 0).then_some(9);
            let host = || "here".to_owned();
            [
                WorkerLine::Spawned { process, at_us: begun_us },
                WorkerLine::Ready { process, host: host(), at_us: begun_us + 250.0 },
                WorkerLine::Exited { process, host: host(), end, at_us: begun_us + 900.0 },
            ]
        })
    })
}

/// Published times of a naive primality test: seconds by count of processes, of 10,
/// 17 and 34 primes.
const PRIME_STUDY: [(u32, [f64; 3]); 5] = [
    (1, [13.0, 22.0, 43.0]),
    (2, [7.0, 11.0, 22.0]),
    (3, [5.0, 8.0, 16.0]),
    (4, [4.0, 7.0, 13.0]),
    (5, [4.0, 6.0, 13.0]),
];

/// A run for each of these times.
pub(crate) fn prime_study() -> Vec<RunSummary> {
    let mut runs = Vec::new();
    for (count, seconds) in PRIME_STUDY {
        for (size, wall_s) in [10, 17, 34].into_iter().zip(seconds) {
            let mut run = run(u32::try_from(runs.len()).unwrap() + 1, count, wall_s, vec![]);
            run.start.configuration.size = Some(size);
            run.result.as_mut().unwrap().items = size;
            runs.push(run);
        }
    }
    runs
}
