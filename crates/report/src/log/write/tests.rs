//! Whole runs through the log and its reader.

use super::folder::LogFolder;
use super::logger::{LogOptions, RunLogger, RunLogging, start};
use super::run_files::Folder;
use crate::live::collector::Collector;
use crate::log::error::{LogError, Warn};
use crate::log::read::line::{ItemLine, LogLine};
use crate::log::read::lines::visit_lines;
use crate::log::read::study_log::{RunLog, StudyLog};
use crate::model::run_summary::RunSummary;
use crate::model::study::{
    Configuration, Executor, LogLevel, Machine, RunRecord, RunResult, RunStart, RunStatus, StudyRecord,
};
use crate::samples::{accepted, exit, life, lost, ms, who};
use bytes::Bytes;
use procession::{Accepted, ChunkSize, Event, Exit, Observer};
use procession_task::{Failure, FailureKind};
use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

fn run_start() -> RunStart {
    let configuration = Configuration { executor: Executor::Procs, count: 2, size: None, chunk: ChunkSize::Auto };
    RunStart { configuration, repeat: 1, warmup: false }
}

fn result() -> RunResult {
    RunResult {
        status: RunStatus::Completed,
        wall_s: 1.5,
        items: 8,
        failures: 1,
        digest: None,
        message: None,
        other_cpu_s: None,
        coordinator: None,
        longest_s: None,
        slowest: None,
    }
}

fn warnings() -> (Warn, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let warn = Arc::clone(&heard);
    (Arc::new(move |text: &str| warn.lock().unwrap().push(text.to_owned())), heard)
}

/// Two workers; the second one dies with an item and is replaced.
fn events() -> Vec<Event> {
    let (first, second, third) = (who(0, 0, 100), who(1, 0, 101), who(1, 1, 102));
    let mut events = vec![Event::RunStarted { slots: 2 }];
    let mut lives = [life(0, 0, 100), life(1, 0, 101), life(1, 1, 102)].map(Vec::into_iter);
    events.extend(lives.iter_mut().flat_map(|life| life.take(2).collect::<Vec<_>>()));
    events.push(Event::Accepted(accepted(first, 0, 0, 3)));
    events.push(Event::Accepted(accepted(second, 1, 3, 1)));
    events.push(Event::Stderr { worker: second, bytes: Bytes::from_static(b"oh \x1b[31mno\n") });
    events.push(Event::WorkerExited(exit(1, 0, 101, Exit::Signal(9))));
    events.push(lost(second, 1, 4, b"poison", Failure::new(FailureKind::Crashed, "killed by SIGKILL")));
    events.push(Event::Accepted(accepted(third, 1, 5, 1)));
    events.push(Event::Accepted(accepted(first, 2, 6, 2)));
    events.extend(lives[2].next());
    events.extend(lives[0].next());
    events.push(Event::RunEnded { at: ms(1001), driver: None });
    events
}

fn feed(logger: &mut RunLogger, events: &[Event]) {
    for event in events {
        logger.on_event(event);
        logger.flush();
    }
}

struct Logged {
    log: StudyLog,
    dir: tempfile::TempDir,
    warnings: Vec<String>,
    item_log: bool,
}

fn log(options: &LogOptions, events: &[Event], finish: bool) -> Logged {
    let dir = tempfile::tempdir().unwrap();
    let mut folder = LogFolder::create(Some(dir.path().join("log"))).unwrap();
    let machine = Machine { host: "here".into(), ..Machine::default() };
    folder.write_study(&StudyRecord { machine, ..StudyRecord::default() }).unwrap();
    let item_log = Arc::new(AtomicBool::new(false));
    let (warn, heard) = warnings();
    let (mut logger, logging) = folder.start_run(run_start(), options, Arc::clone(&item_log), warn).unwrap();
    feed(&mut logger, events);
    if finish {
        logging.finish(result());
    } else {
        assert_eq!(StudyLog::open(folder.path()).unwrap().runs()[0].status(), "running");
    }
    drop(folder);
    let log = StudyLog::open(&dir.path().join("log")).unwrap();
    let warnings = heard.lock().unwrap().clone();
    Logged { log, dir, warnings, item_log: item_log.load(Ordering::Relaxed) }
}

/// How often each item has a line, by its line or by its chunk's.
fn lines_of_items(run: &RunLog) -> HashMap<u64, u32> {
    let mut times = HashMap::new();
    for file in run.item_files().unwrap() {
        let visited = visit_lines(&file.path, |line| {
            match LogLine::parse(line, &file.path)? {
                LogLine::Item(ItemLine { item, pid, .. }) => {
                    assert_eq!(pid, file.process.pid);
                    *times.entry(item).or_default() += 1;
                }
                LogLine::Chunk(part) => {
                    assert_eq!(part.pid, file.process.pid);
                    (part.first..part.first + u64::from(part.items))
                        .for_each(|item| *times.entry(item).or_default() += 1);
                }
                LogLine::Note(_) | LogLine::Attempt(_) => {}
            }
            Ok::<_, LogError>(())
        });
        visited.unwrap();
    }
    times
}

fn each_once(items: u64) -> HashMap<u64, u32> {
    (0..items).map(|item| (item, 1)).collect()
}

#[test]
fn each_item_has_one_line() {
    let logged = log(&LogOptions::default(), &events(), true);
    let run = &logged.log.runs()[0];
    assert_eq!(lines_of_items(run), each_once(8));
    assert_eq!((run.status(), run.number), ("completed", 1));
    assert_eq!(run.record.as_ref().unwrap().result, Some(result()));
    assert!(logged.item_log);
    assert_eq!(logged.warnings, [""; 0]);
}

#[test]
fn each_process_has_a_file_and_one_for_its_stderr() {
    let logged = log(&LogOptions::default(), &events(), true);
    let run = logged.log.runs()[0].path();
    let mut names: Vec<_> =
        fs::read_dir(run).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    let expected = [
        "run.json",
        "worker-0-0-100.jsonl",
        "worker-1-0-101.jsonl",
        "worker-1-0-101.stderr",
        "worker-1-1-102.jsonl",
        "workers.jsonl",
    ];
    assert_eq!(names, expected);
    assert_eq!(fs::read(run.join("worker-1-0-101.stderr")).unwrap(), b"oh \x1b[31mno\n");
    let lines = fs::read_to_string(run.join("worker-1-0-101.jsonl")).unwrap();
    let lost = lines.lines().last().unwrap();
    assert_eq!(
        lost,
        "{\"item\":4,\"input\":\"poison\",\"pid\":101,\"host\":\"elsewhere\",\"worker\":1,\"chunk\":1,\"attempt\":3,\
         \"start_us\":20000.000,\"duration_us\":30000.000,\
         \"error\":{\"kind\":\"crashed\",\"message\":\"killed by SIGKILL\"}}"
    );
    for name in names {
        assert_eq!(fs::metadata(run.join(name)).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(fs::metadata(run).unwrap().permissions().mode() & 0o777, 0o700);
    assert!(logged.dir.path().exists());
}

#[test]
fn workers_read_back() {
    let logged = log(&LogOptions::default(), &events(), true);
    let (rows, _) = logged.log.runs()[0].workers().unwrap();
    let rows: Vec<_> = rows.into_parts().0.iter().map(|row| (row.pid, row.end.as_ref().unwrap().to_string())).collect();
    assert_eq!(rows, [(100, "exit 0".to_owned()), (101, "SIGKILL".to_owned()), (102, "exit 0".to_owned())]);
}

#[test]
fn a_log_has_the_same_summary_as_the_events() {
    let logged = log(&LogOptions::default(), &events(), true);
    let (mut collector, collected) = Collector::new("here");
    events().iter().for_each(|event| collector.on_event(event));
    let live = RunSummary::new(1, run_start(), result(), collected.take());
    assert_eq!(RunSummary::of_log(&logged.log.runs()[0]).unwrap(), live);
    assert_eq!(live.workers.len(), 3);
}

#[test]
fn chunk_lines_instead_of_item_lines() {
    let options = LogOptions { level: LogLevel::Chunk, ..LogOptions::default() };
    let mut events = events();
    for event in &mut events {
        if let Event::Accepted(Accepted { log, .. }) = event {
            *log = Bytes::new();
        }
    }
    let logged = log(&options, &events, true);
    assert!(!logged.item_log);
    assert_eq!(lines_of_items(&logged.log.runs()[0]), each_once(8));
    let lines = fs::read_to_string(logged.log.runs()[0].path().join("worker-0-0-100.jsonl")).unwrap();
    assert_eq!(
        lines.lines().next().unwrap(),
        "{\"chunk\":0,\"first\":0,\"items\":3,\"failed\":0,\"pid\":100,\"host\":\"elsewhere\",\"worker\":0,\
         \"attempt\":1,\"busy_us\":2000.0,\"at_us\":10000.0}"
    );
}

#[test]
fn a_large_log_continues_with_chunk_lines() {
    let line = accepted(who(0, 0, 100), 0, 0, 1).log.len() as u64;
    let options = LogOptions { item_bytes: 4 * line + 8, ..LogOptions::default() };
    let logged = log(&options, &events(), true);
    assert_eq!(lines_of_items(&logged.log.runs()[0]), each_once(8));
    assert!(!logged.item_log, "workers are told");
    assert_eq!(logged.warnings.len(), 1, "{:?}", logged.warnings);
    assert!(logged.warnings[0].contains("goes on with a line per chunk"));
    let notes = logged.log.runs()[0]
        .item_files()
        .unwrap()
        .iter()
        .fold(0, |notes, file| notes + fs::read_to_string(&file.path).unwrap().matches("{\"note\":").count());
    assert_eq!(notes, 1);
}

#[test]
fn stderr_is_cut_at_the_limit() {
    let options = LogOptions { stderr_bytes: 5, ..LogOptions::default() };
    let worker = who(0, 0, 100);
    let said = |bytes| Event::Stderr { worker, bytes: Bytes::from_static(bytes) };
    let logged = log(&options, &[said(b"abc"), said(b"def"), said(b"ghi")], true);
    assert_eq!(fs::read(logged.log.runs()[0].path().join("worker-0-0-100.stderr")).unwrap(), b"abcde");
    assert_eq!(logged.warnings.len(), 1);
}

#[test]
fn a_run_without_a_result_is_interrupted() {
    let logged = log(&LogOptions::default(), &events(), false);
    assert_eq!(logged.log.runs()[0].status(), "interrupted");
}

/// A disk with room for so many bytes.
#[derive(Clone)]
struct Disk(Arc<AtomicUsize>);

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let fits = |left: usize| left.checked_sub(bytes.len());
        match self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits) {
            Ok(_) => Ok(bytes.len()),
            Err(_) => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Folder for Disk {
    fn create(&mut self, _: &str) -> io::Result<Box<dyn Write + Send>> {
        Ok(Box::new(self.clone()))
    }

    fn append(&mut self, _: &str) -> io::Result<Box<dyn Write + Send>> {
        Ok(Box::new(self.clone()))
    }
}

fn log_to(disk: Disk, path: &Path, warn: Warn) -> (RunLogger, RunLogging, Arc<AtomicBool>) {
    let item_log = Arc::new(AtomicBool::new(true));
    let record = RunRecord { run: 1, start: run_start(), log: LogLevel::Task, started_at: String::new(), result: None };
    let options = LogOptions::default();
    let (logger, logging) = start(Box::new(disk), path, record, &options, "here", Arc::clone(&item_log), warn).unwrap();
    (logger, logging, item_log)
}

#[test]
fn an_incomplete_last_line_is_skipped() {
    let logged = log(&LogOptions::default(), &events(), false);
    let run = &logged.log.runs()[0];
    for name in ["worker-0-0-100.jsonl", "workers.jsonl"] {
        let path = run.path().join(name);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 10]).unwrap();
    }
    let mut expected = each_once(8);
    expected.remove(&7);
    assert_eq!(lines_of_items(run), expected);
    assert_eq!(run.workers().unwrap().0.into_parts().0.len(), 3);
}

#[test]
fn a_full_disk_gives_one_warning() {
    let dir = tempfile::tempdir().unwrap();
    for room in [0, 100, 1500] {
        let (warn, heard) = warnings();
        let (mut logger, logging, item_log) = log_to(Disk(Arc::new(AtomicUsize::new(room))), dir.path(), warn);
        feed(&mut logger, &events());
        logging.finish(result());
        assert!(!item_log.load(Ordering::Relaxed), "workers are told");
        let warnings = heard.lock().unwrap();
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        assert!(warnings[0].starts_with("the log of this run ends here: "), "{warnings:?}");
    }
}
