//! Traces held against the rules of their format.

use super::*;
use crate::live::span_collector::SpanCollector;
use crate::log::write::folder::LogFolder;
use crate::log::write::logger::LogOptions;
use crate::model::study::{RunResult, RunStart, RunStatus, StudyRecord};
use crate::samples::{accepted, life, lost, row, run, who};
use procession::{Accepted, Event, Observer};
use procession_task::{Failure, FailureKind};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

fn events() -> Vec<Event> {
    let mut events: Vec<Event> = [life(0, 0, 100), life(1, 0, 101)].into_iter().flatten().collect();
    events.push(Event::WorkerExited(crate::samples::exit(1, 0, 101, procession::Exit::Signal(9))));
    events.push(Event::Accepted(accepted(who(0, 0, 100), 0, 0, 4)));
    events.push(Event::Accepted(Accepted { attempt: 2, ..accepted(who(0, 0, 100), 7, 9, 2) }));
    events.push(lost(who(1, 0, 101), 1, 4, b"po\x1b\"ison", Failure::new(FailureKind::Crashed, "by signal")));
    events
}

fn logged(dir: &tempfile::TempDir) -> StudyData {
    let mut folder = LogFolder::create(Some(dir.path().join("log"))).unwrap();
    folder.write_study(&StudyRecord { pid: 42, ..StudyRecord::default() }).unwrap();
    for repeat in 1..=2 {
        let configuration = run(1, 2, 1.0, vec![]).start.configuration;
        let start = RunStart { configuration, repeat, warmup: false };
        let item_log = Arc::new(AtomicBool::new(true));
        let (mut logger, logging) =
            folder.start_run(start, &LogOptions::default(), item_log, Arc::new(|_: &str| {})).unwrap();
        events().iter().for_each(|event| logger.on_event(event));
        drop(logger);
        let (status, wall_s) = (RunStatus::Completed, 2.0);
        let (digest, message, other_cpu_s) = (None, None, None);
        logging.finish(RunResult {
            status,
            wall_s,
            items: 7,
            failures: 1,
            digest,
            message,
            other_cpu_s,
            coordinator: None,
            longest_s: None,
            slowest: None,
        });
    }
    StudyData::from_log(&StudyLog::open(folder.path()).unwrap()).unwrap()
}

fn traced(data: &[StudyData]) -> Vec<Value> {
    let mut out = Vec::new();
    let traced = write_trace(data, &mut out).unwrap();
    let json: Value = serde_json::from_slice(&out).unwrap();
    let events = json["traceEvents"].as_array().unwrap().clone();
    assert_eq!(traced.events, events.len() as u64);
    check(&events);
    events
}

/// What the format asks of every event, and that spans of a thread nest.
fn check(events: &[Value]) {
    let mut spans: HashMap<(u64, u64), Vec<(f64, f64)>> = HashMap::new();
    for event in events {
        let number = |key: &str| event[key].as_f64().filter(|value| value.is_finite() && *value >= 0.0);
        assert!(event["name"].is_string() && event["pid"].is_u64() && event["tid"].is_u64(), "{event}");
        match event["ph"].as_str().unwrap() {
            "M" => assert!(event["args"].is_object(), "{event}"),
            "X" => {
                let (start, long) = (number("ts").unwrap(), number("dur").unwrap());
                let thread = (event["pid"].as_u64().unwrap(), event["tid"].as_u64().unwrap());
                spans.entry(thread).or_default().push((start, start + long));
            }
            "i" => assert!(number("ts").is_some() && event["s"] == "t", "{event}"),
            other => panic!("no event begins without its end: {other}"),
        }
    }
    for spans in spans.values_mut() {
        spans.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let mut open: Vec<f64> = Vec::new();
        for (start, end) in spans {
            open.retain(|open| *open > *start + 0.002);
            assert!(open.iter().all(|open| *end <= *open + 0.002), "{start} … {end} is across {open:?}");
            open.push(*end);
        }
    }
}

fn named<'a>(events: &'a [Value], cat: &str) -> Vec<&'a str> {
    events.iter().filter(|event| event["cat"] == cat).map(|event| event["name"].as_str().unwrap()).collect()
}

#[test]
fn a_log_becomes_a_trace() {
    let dir = tempfile::tempdir().unwrap();
    let data = logged(&dir);
    let events = traced(&[data]);
    assert_eq!(named(&events, "run").len(), 2);
    assert_eq!(named(&events, "item").len(), 2 * 7);
    assert_eq!(named(&events, "chunk")[..2], ["chunk 0", "chunk 7"]);
    assert_eq!(named(&events, "death"), ["SIGKILL", "SIGKILL"]);
    assert_eq!(named(&events, "start-up").len(), 4);
    let tracks: Vec<_> = events.iter().filter(|event| event["name"] == "process_name").collect();
    assert_eq!(tracks.len(), 1 + 2 * 2);
    let runs: Vec<_> =
        events.iter().filter(|event| event["cat"] == "run").map(|event| event["ts"].as_f64().unwrap()).collect();
    assert_eq!(runs, [0.0, 2_000_000.0], "one after the other");
}

#[test]
fn events_become_a_trace() {
    let (mut collector, collected) = SpanCollector::new();
    events().iter().for_each(|event| collector.on_event(event));
    let mut run = run(1, 2, 2.0, vec![]);
    run.spans = collected.take();
    let events = traced(&[StudyData { runs: vec![run], ..StudyData::default() }]);
    assert_eq!(named(&events, "chunk"), ["chunk 0", "chunk 7"]);
    assert_eq!(named(&events, "item"), ["item 4"]);
    assert_eq!(named(&events, "retry"), ["attempt 2", "attempt 3"]);
}

#[test]
fn a_study_without_runs_is_a_valid_trace() {
    assert!(traced(&[]).is_empty());
}

#[test]
fn items_beyond_the_cap_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let data = logged(&dir);
    let mut out = Vec::new();
    let mut writer = TraceWriter { out: &mut out, traced: TraceSummary::default(), coordinator: None, items: 3 };
    let log = StudyLog::open(data.log.as_deref().unwrap()).unwrap();
    writer.log(&data.runs[0], &log.runs()[0], 0.0).unwrap();
    assert_eq!(writer.traced.left_out, 4);
}

/// As on threads and in the serial loop: all have the coordinator's process id.
#[test]
fn threads_have_tracks_of_their_own() {
    let (mut collector, collected) = SpanCollector::new();
    for slot in 0..2 {
        collector.on_event(&Event::Accepted(accepted(who(slot, 0, 2), slot.into(), slot.into(), 1)));
    }
    let workers = (0..2).map(|slot| row(slot, 2, 0.0, (1.0, 0.0, 0.0))).collect();
    let mut run = run(1, 2, 2.0, workers);
    run.spans = collected.take();
    let study = StudyRecord { pid: 2, ..StudyRecord::default() };
    let events = traced(&[StudyData { study, runs: vec![run], ..StudyData::default() }]);
    let named = |what: &str| -> Vec<_> {
        let of = events.iter().filter(|event| event["name"] == what || event["cat"] == what);
        of.map(|event| (event["pid"].as_u64(), event["tid"].as_u64())).collect()
    };
    assert_eq!(named("process_name"), [(Some(2), Some(2))], "it keeps its name");
    assert_eq!(named("chunk"), [(Some(2), Some(1)), (Some(2), Some(3))], "its own track is its own");
    assert_eq!(named("thread_name"), [(Some(2), Some(2)), (Some(2), Some(1)), (Some(2), Some(3))]);
}
