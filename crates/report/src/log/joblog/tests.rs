//! The lines of a job log, and the file that they are in.

use super::*;
use crate::samples::{accepted, exit, line, lost, who};

fn none() -> CommandOf {
    Arc::new(|_, _| None)
}

#[test]
fn a_program_has_its_own_end_and_its_command() {
    let folder = tempfile::tempdir().unwrap();
    let of = |input: &[u8], end: &str| {
        let line = line(who(0, 0, 41), 0, 8, input);
        let failed = format!(
            "{}{end},\"error\":{{\"kind\":\"failed\",\"message\":\"x\"}}}}\n",
            line.trim_end().strip_suffix('}').unwrap()
        );
        Event::Accepted(Accepted { log: failed.into(), ..accepted(who(0, 0, 41), 0, 8, 1) })
    };
    let events = [of(b"9", ",\"exit_status\":3"), of(b"9", ",\"signal\":11"), of(b"9", ""), of(&[b'y'; 300], "")];
    let lines = written(&folder.path().join("jobs"), &events);
    let columns: Vec<Vec<&str>> = lines.iter().map(|line| line.split('\t').collect()).collect();
    let ends: Vec<_> = columns.iter().map(|line| (line[6], line[7], line[8])).collect();
    let command = "'prog' 9 #";
    assert_eq!(ends[..3], [("3", "0", command), ("0", "11", command), ("1", "0", command)]);
    assert!(ends[3].2.starts_with("sqrt yyy") && ends[3].2.len() < 270, "{:?}", ends[3]);
}

/// The file's contents after these events, without the header.
fn written(path: &Path, events: &[Event]) -> Vec<String> {
    let quoted: CommandOf = Arc::new(|_, item| (item == b"9").then(|| "'prog' 9".to_owned()));
    let mut log = JobLog::open(path, false, "sqrt", "h", quoted).unwrap();
    let (mut logger, logging) = log.start_run().unwrap();
    events.iter().for_each(|event| logger.on_event(event));
    drop(logger);
    logging.finish().unwrap();
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().skip(1).map(str::to_owned).collect()
}

#[test]
fn each_outcome_has_a_line() {
    let folder = tempfile::tempdir().unwrap();
    let part = Accepted { log: line(who(0, 0, 41), 0, 3, b"4").into(), ..accepted(who(0, 0, 41), 0, 3, 1) };
    let died = |nth, how| Event::WorkerExited(exit(1, nth, 42, how));
    let gone = |nth, item, kind| lost(who(1, nth, 42), 0, item, b"a\tb\n\x1b", Failure::new(kind, "x"));
    let events = [
        Event::Accepted(part),
        died(0, Exit::Signal(11)),
        gone(0, 7, FailureKind::Crashed),
        died(1, Exit::Status(3)),
        gone(1, 8, FailureKind::Crashed),
        died(2, Exit::Status(0)),
        gone(2, 9, FailureKind::Crashed),
        died(3, Exit::Signal(9)),
        gone(3, 10, FailureKind::TimedOut),
    ];
    let lines = written(&folder.path().join("jobs"), &events);
    let columns: Vec<Vec<&str>> = lines.iter().map(|line| line.split('\t').collect()).collect();
    assert!(columns.iter().all(|line| line.len() == 10 && line[3].len() == 10), "{lines:?}");
    assert_eq!(columns[0][4..], ["1", "3", "0", "0", "sqrt 4", "41"]);
    let ends: Vec<_> = columns.iter().map(|line| (line[0], line[6], line[7])).collect();
    assert_eq!(ends, [("4", "0", "0"), ("8", "0", "11"), ("9", "3", "0"), ("10", "-1", "0"), ("11", "-1", "9")]);
    assert_eq!(columns[1][8], format!("sqrt {}", escape_terminal(b"a\tb\n\x1b")));
}

#[test]
fn the_file_is_modified_when_a_run_begins_and_appended_to_after_its_last_whole_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jobs");
    let begin = |appended| JobLog::open(&path, appended, "sqrt", "h", none()).map(|mut log| log.begin().unwrap());
    drop(JobLog::open(&path, true, "sqrt", "h", none()).unwrap());
    assert!(!path.exists(), "no run began");
    begin(true).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), HEADER);
    for (text, expected) in [("1\t:\n", "1\t:\n"), ("1\t:\n2\t", "1\t:\n"), ("2\t", "")] {
        std::fs::write(&path, format!("{HEADER}{text}")).unwrap();
        drop(JobLog::open(&path, false, "sqrt", "h", none()).unwrap());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{HEADER}{text}"));
        begin(true).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{HEADER}{expected}"));
    }
    std::fs::write(&path, "precious").unwrap();
    assert!(begin(true).unwrap_err().to_string().contains("no job log"));
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "precious");
    begin(false).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), HEADER);
}

#[test]
fn a_full_disk_is_an_error_at_the_end() {
    let events = [lost(who(1, 0, 42), 0, 1, b"x", Failure::new(FailureKind::Crashed, "x"))];
    let file = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut log =
        JobLog { file, made: None, begin: Begin::Done, task: "t".to_owned(), host: "h".to_owned(), command: none() };
    let (mut logger, logging) = log.start_run().unwrap();
    events.iter().for_each(|event| logger.on_event(event));
    drop(logger);
    assert_eq!(logging.finish().unwrap_err().kind(), io::ErrorKind::StorageFull);
}
