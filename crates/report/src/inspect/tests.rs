//! Questions to a log that was written the way runs write theirs.

use super::inspect;
use super::query::{InspectError, Inspected, Query};
use crate::log::read::study_log::StudyLog;
use crate::log::write::folder::LogFolder;
use crate::log::write::logger::LogOptions;
use crate::model::study::{Configuration, Executor, LogLevel, Machine, RunResult, RunStart, RunStatus, StudyRecord};
use crate::render::style::Style;
use crate::samples::{accepted, life, line, lost, who};
use procession::ChunkSize;
use procession::{Accepted, Event, Observer};
use procession_task::{Failure, FailureKind};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

struct Call {
    folder: LogFolder,
    _dir: tempfile::TempDir,
}

impl Call {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut folder = LogFolder::create(Some(dir.path().join("log"))).unwrap();
        let machine = Machine { host: "h\x1bost".into(), usable_cores: 2, logical_cores: 4, ..Machine::default() };
        let command = ["coordinator", "--input", "my file\x1b[31m"].map(str::to_owned).to_vec();
        let study =
            StudyRecord { machine, command, task: "prime".into(), started_at: "now".into(), ..StudyRecord::default() };
        folder.write_study(&study).unwrap();
        Self { folder, _dir: dir }
    }

    fn run(&mut self, count: u32, level: LogLevel, events: &[Event]) -> &mut Self {
        let configuration = Configuration { executor: Executor::Procs, count, size: None, chunk: ChunkSize::Auto };
        let start = RunStart { configuration, repeat: 1, warmup: false };
        let options = LogOptions { level, ..LogOptions::default() };
        let (mut logger, logging) =
            self.folder.start_run(start, &options, Arc::new(AtomicBool::new(true)), Arc::new(|_: &str| {})).unwrap();
        events.iter().for_each(|event| logger.on_event(event));
        drop(logger);
        let (status, digest) = (RunStatus::Completed, Some("abc\x1b".to_owned()));
        let wall_s = 4.0 / f64::from(count);
        logging.finish(RunResult {
            status,
            wall_s,
            items: 7,
            failures: 1,
            digest,
            message: None,
            other_cpu_s: None,
            coordinator: None,
            longest_s: None,
            slowest: None,
        });
        self
    }

    fn log(&self) -> StudyLog {
        StudyLog::open(self.folder.path()).unwrap()
    }
}

fn with_log(log: String, chunk: u64, first: u64, items: u32) -> Event {
    Event::Accepted(Accepted { log: log.into(), ..accepted(who(1, 0, 101), chunk, first, items) })
}

/// Seven items: 0 to 3 on pid 100, 4 lost on pid 101, 5 and 6 on pid 101.
fn events() -> Vec<Event> {
    let second = who(1, 0, 101);
    let mut events: Vec<Event> = [life(0, 0, 100), life(1, 0, 101)].into_iter().flatten().collect();
    events.push(Event::Accepted(accepted(who(0, 0, 100), 0, 0, 4)));
    events.push(Event::Stderr { worker: second, bytes: bytes::Bytes::from_static(b"\x1b[2J") });
    events.push(lost(second, 1, 4, b"po\x1b[2Jison\xff", Failure::new(FailureKind::Crashed, "by \u{202e}signal")));
    let long = "y".repeat(300);
    events.push(with_log(line(second, 1, 5, long.as_bytes()), 1, 5, 1));
    events.push(with_log(line(second, 1, 6, b"two\nlines"), 1, 6, 1));
    events
}

fn call() -> Call {
    let mut call = Call::new();
    call.run(1, LogLevel::Task, &events()).run(2, LogLevel::Task, &events());
    call
}

fn asked(logs: &[StudyLog], query: &Query) -> Result<(Vec<u8>, Inspected), InspectError> {
    let mut out = Vec::new();
    let inspected = inspect(logs, query, Style::default(), &mut out)?;
    Ok((out, inspected))
}

fn text(call: &Call, query: &Query) -> String {
    let text = String::from_utf8(asked(&[call.log()], query).unwrap().0).unwrap();
    assert!(!text.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}'), "{text:?}");
    text
}

#[test]
fn the_overview() {
    let call = call();
    let text = text(&call, &Query::default());
    let (_, text) = text.split_once('\n').unwrap();
    assert_eq!(text, OVERVIEW, "{text}");
}

#[test]
fn items_of_a_process() {
    let (call, query) = (call(), Query { pid: Some(101), run: Some(2), ..Query::default() });
    let text = text(&call, &query);
    assert_eq!(text, OF_A_PROCESS, "{text}");
    let (_, inspected) = asked(&[call.log()], &query).unwrap();
    assert_eq!(inspected.notes.len(), 1, "{inspected:?}");
    assert!(inspected.notes[0].ends_with("run-2/worker-1-0-101.stderr"), "{inspected:?}");
}

#[test]
fn which_process_ran_it() {
    let text = text(&call(), &Query { item: Some(2), ..Query::default() });
    assert_eq!(
        text,
        "run  item  input  pid  worker  attempt    start     time  outcome\n  \
         1     2  i2     100       0        1  1.00 ms  2.00 µs  2.0\n  \
         2     2  i2     100       0        1  1.00 ms  2.00 µs  2.0\n"
    );
}

#[test]
fn the_slowest_come_first() {
    let query = Query { slowest: Some(3), run: Some(1), json: true, ..Query::default() };
    let (json, inspected) = asked(&[call().log()], &query).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let items: Vec<_> = json.as_array().unwrap().iter().map(|line| line["item"].as_u64().unwrap()).collect();
    assert_eq!(items, [4, 6, 5]);
    assert_eq!(inspected.matched, 3);
    assert_eq!(json[0]["run"], 1);
}

#[test]
fn failed_items() {
    let text = text(&call(), &Query { failures: true, ..Query::default() });
    assert_eq!(text.lines().count(), 3, "{text}");
    assert!(text.lines().skip(1).all(|line| line.ends_with("crashed: by \\u{202e}signal")), "{text}");
}

#[test]
fn inputs_are_given_back_as_they_were() {
    let call = call();
    let query = Query { inputs: true, ..Query::default() };
    let (out, inspected) = asked(&[call.log()], &query).unwrap();
    assert_eq!(out, b"i0\ni1\ni2\ni3\npo\x1b[2Jison\xff\n", "each item once, not once a run");
    assert_eq!((inspected.matched, inspected.missing_inputs), (7, 2));
    assert_eq!(
        inspected.notes,
        [
            "1 input left out: the log has only their first 256 bytes (those of failed items are whole)",
            "1 input left out: they contain line feeds: add -0, and --items nul to the other run"
        ]
    );
    let (out, inspected) = asked(&[call.log()], &Query { nul: true, ..query.clone() }).unwrap();
    assert_eq!(out, b"i0\0i1\0i2\0i3\0po\x1b[2Jison\xff\0two\nlines\0");
    assert_eq!(inspected.missing_inputs, 1);
    let (out, inspected) = asked(&[call.log()], &Query { failures: true, ..query.clone() }).unwrap();
    assert_eq!((out.as_slice(), inspected.missing_inputs), (&b"po\x1b[2Jison\xff\n"[..], 0));
    let (out, _) = asked(&[call.log()], &Query { item: Some(3), ..query.clone() }).unwrap();
    assert_eq!(out, b"i3\n");
    let (out, _) = asked(&[call.log()], &Query { pid: Some(100), slowest: Some(2), ..query }).unwrap();
    assert_eq!(out, b"i3\n", "the two slowest lines are of one item in two runs");
}

#[test]
fn a_log_of_chunks_answers_with_chunks() {
    let mut call = Call::new();
    let part = Accepted { log: bytes::Bytes::new(), failed: 1, ..accepted(who(0, 0, 100), 0, 10, 50) };
    call.run(1, LogLevel::Chunk, &[Event::Accepted(part)]);
    let text = text(&call, &Query { item: Some(59), ..Query::default() });
    assert!(
        text.ends_with("10…59  -      100       0        1  8.00 ms  2.00 ms  chunk 0: 50 items, 1 failed\n"),
        "{text}"
    );
    assert!(matches!(
        asked(&[call.log()], &Query { item: Some(60), ..Query::default() }),
        Err(InspectError::NoItem(60))
    ));
    let (_, inspected) = asked(&[call.log()], &Query { slowest: Some(1), ..Query::default() }).unwrap();
    assert_eq!(inspected.notes.len(), 2, "{inspected:?}");
    let (out, inspected) = asked(&[call.log()], &Query { inputs: true, ..Query::default() }).unwrap();
    assert_eq!((out.len(), inspected.missing_inputs), (0, 50));
}

#[test]
fn unknown_runs_processes_and_items_are_errors() {
    let call = call();
    let log = [call.log()];
    let of = |query| asked(&log, &query).unwrap_err().to_string();
    assert_eq!(of(Query { run: Some(3), ..Query::default() }), "the log has no run 3");
    assert_eq!(of(Query { item: Some(7), ..Query::default() }), "item 7 has no line in the runs that were looked at");
    let no_pid = of(Query { pid: Some(7), ..Query::default() });
    assert_eq!(no_pid, "no process had the pid 7 in the runs that were looked at");
}

#[test]
fn json_of_the_overview() {
    let (json, _) = asked(&[call().log()], &Query { json: true, ..Query::default() }).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["study"]["task"], "prime");
    assert_eq!(json["runs"][1]["record"]["configuration"]["count"], 2);
    assert_eq!(json["runs"][1]["workers"][1]["pid"], 101);
    assert_eq!(json["measured"][1]["speedup"], 2.0);
    assert_eq!(json["verdict"][0], "2 processes: 2.00× as fast as 1.");
}

#[test]
fn several_logs_side_by_side() {
    let (one, two) = (call(), call());
    let logs = [one.log(), two.log()];
    let (out, _) = asked(&logs, &Query::default()).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(text.contains("log  run  executor  count  items"), "{text}");
    assert!(text.contains("  2    2  procs         2"), "{text}");
    assert!(text.contains(BESIDE), "{text}");
    assert_eq!(text.matches("\nworker  pid  items").count(), 4, "{text}");
    let (out, inspected) = asked(&logs, &Query { item: Some(0), json: true, ..Query::default() }).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&out).unwrap();
    assert_eq!((inspected.matched, json[3]["log"].as_u64()), (4, Some(2)));
}

const BESIDE: &str = r"
executor  count  log  wall time  speedup  efficiency
procs         1    1     4.00 s     1.00     100.0 %
procs         1    2     4.00 s     1.00     100.0 %
procs         2    1     2.00 s     2.00     100.0 %
procs         2    2     2.00 s     2.00     100.0 %
(speedup vs 1 process)
";

const OVERVIEW: &str = r"coordinator --input $'my file\x1b[31m'
task prime, now, on h\u{1b}ost (2 of 4 CPUs)

2 processes: 2.00× as fast as 1.

run  executor  count  items  failed  wall time  status     digest
  1  procs         1      7       1     4.00 s  completed  abc\u{1b}
  2  procs         2      7       1     2.00 s  completed  abc\u{1b}

executor  count  wall time  speedup  efficiency
procs         1     4.00 s     1.00     100.0 %
procs         2     2.00 s     2.00     100.0 %
(speedup vs 1 process)

workers, %  start  wait  transport  decode   run  encode  write   end
procs 1       0.7   3.1        0.8     3.1  12.5     3.1    1.6  75.0
procs 2       1.5   6.2        1.6     6.2  25.0     6.2    3.1  50.1

run 1: procs 1, 4.00 s
worker  pid  items  chunks     CPU    idle  peak memory
     0  100     10       3  750 ms  125 ms      1.0 MiB
     1  101     10       3  750 ms  125 ms      1.0 MiB

run 2: procs 2, 2.00 s
worker  pid  items  chunks     CPU    idle  peak memory
     0  100     10       3  750 ms  125 ms      1.0 MiB
     1  101     10       3  750 ms  125 ms      1.0 MiB
";

const OF_A_PROCESS: &str = r"run  item  input                     pid  worker  attempt    start     time  outcome
  2     4  po\u{1b}[2Jison\xff       101       1        3  20.0 ms  30.0 ms  crashed: by \u{202e}signal
  2     5  yyyyyyyyyyyyyyyyyyyyyyy…  101       1        1  1.00 ms  5.00 µs  2.0
  2     6  two\nlines                101       1        1  1.00 ms  6.00 µs  2.0
";

#[test]
fn attempts_without_an_outcome_are_shown_with_their_item() {
    let mut call = Call::new();
    let mut all = events();
    all.push(crate::samples::attempt_lost(who(0, 0, 100), 4, 1));
    all.push(crate::samples::attempt_lost(who(1, 0, 101), 3, 2));
    call.run(1, LogLevel::Task, &all);
    let of_item = |item| text(&call, &Query { item: Some(item), ..Query::default() });
    assert_eq!(of_item(4).matches("tried again after crashed: killed by signal 9").count(), 2, "{}", of_item(4));
    assert!(of_item(4).contains("3…4") && of_item(4).trim_end().ends_with("signal"), "{}", of_item(4));
    assert_eq!(of_item(3).matches("tried again").count(), 1);
    assert_eq!(of_item(2).matches("tried again").count(), 0);
    assert!(!text(&call, &Query { failures: true, ..Query::default() }).contains("tried again"));
}
