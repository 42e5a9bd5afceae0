//! When the record is written and removed, and that it always describes bytes that are
//! in the output.

use super::*;
use crate::resume::record::ConsumedInput;
use procession_task::Items;
use std::fs::OpenOptions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

fn journal(folder: &Path, keeps: bool, before: OutputProgress) -> Journal {
    let output = OpenOptions::new().write(true).create(true).truncate(false).open(folder.join("out")).unwrap();
    let tracker = ResumeTracker::new(Items::Lines, ConsumedInput { items: 0, hash: 0 });
    let files = JournalFiles { record_path: folder.join("out.resume"), output_path: folder.join("out"), output };
    let keeping = RecordKeeping::Checkpoints { complete: keeps };
    Journal::new(files, JobSettings::new(), keeping, tracker, before, Box::default())
}

fn progress(items: u64) -> OutputProgress {
    OutputProgress { items, bytes: items * 2, ..OutputProgress::default() }
}

fn read(folder: &Path) -> Option<ResumeRecord> {
    let text = std::fs::read(folder.join("out.resume")).ok()?;
    Some(ResumeRecord::parse(&text).unwrap())
}

#[test]
fn the_record_exists_from_the_first_write_until_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = journal(folder.path(), false, OutputProgress::default());
    assert_eq!(read(folder.path()), None, "not before there is something to write");
    journal.begin().unwrap();
    assert_eq!(read(folder.path()).unwrap().done, progress(0));
    journal.checkpoint(&progress(3));
    assert_eq!(read(folder.path()).unwrap().done, progress(3));
    let mode = std::fs::metadata(folder.path().join("out.resume")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(journal.end(&progress(4), true).unwrap(), JournalEnd::Complete);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "only the output is left");
}

#[test]
fn a_resumed_output_is_marked_complete_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path(), true, progress(2));
    assert_eq!(journal.end(&progress(4), true).unwrap(), JournalEnd::Complete);
    let record = read(folder.path()).unwrap();
    assert_eq!((record.state, record.done), (RecordState::Complete, progress(4)));
}

#[test]
fn an_interrupted_run_keeps_what_is_complete() {
    let folder = tempfile::tempdir().unwrap();
    let mut first = journal(folder.path(), false, OutputProgress::default());
    first.begin().unwrap();
    assert_eq!(first.end(&progress(4), false).unwrap(), JournalEnd::Interrupted(4));
    assert_eq!(read(folder.path()).unwrap().done, progress(4));
    std::fs::write(folder.path().join("out"), "index,input").unwrap();
    let untouched = journal(folder.path(), true, OutputProgress::default());
    assert_eq!(untouched.end(&progress(0), false).unwrap(), JournalEnd::Nothing);
    assert_eq!(read(folder.path()).unwrap().done, progress(4));
    assert_eq!(std::fs::read(folder.path().join("out")).unwrap(), b"index,input");
    let mut second = journal(folder.path(), true, OutputProgress::default());
    second.begin().unwrap();
    assert_eq!(second.end(&progress(0), false).unwrap(), JournalEnd::Nothing);
    assert_eq!(read(folder.path()), None);
    assert_eq!(std::fs::read(folder.path().join("out")).unwrap(), b"");
}

#[test]
fn checkpoints_need_progress_and_are_not_too_frequent() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = journal(folder.path(), false, OutputProgress::default());
    journal.begin().unwrap();
    assert_eq!(journal.due(&progress(0)), None);
    assert!(journal.due(&progress(1)).unwrap() <= Instant::now());
    journal.checkpoint(&progress(1));
    assert_eq!(journal.due(&progress(1)), None);
    let wait = |journal: &Journal, items| journal.due(&progress(items)).unwrap().duration_since(journal.began);
    let first = wait(&journal, 2);
    assert!(first >= FIRST_PERIOD);
    for items in 2..7 {
        journal.checkpoint(&progress(items));
    }
    assert!(wait(&journal, 9) >= PERIOD);
    assert_eq!(journal.period, PERIOD);
}

#[test]
fn the_record_is_left_alone_once_the_output_was_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (out, record) = (folder.path().join("out"), folder.path().join("out.resume"));
    for is_complete in [true, false] {
        let mut journal = journal(folder.path(), false, OutputProgress::default());
        journal.begin().unwrap();
        journal.checkpoint(&progress(3));
        std::fs::rename(&out, folder.path().join("moved")).unwrap();
        std::fs::write(&out, "another's").unwrap();
        std::fs::write(&record, "another's").unwrap();
        journal.checkpoint(&progress(4));
        assert!(journal.end(&progress(5), is_complete).unwrap_err().to_string().contains("moved or replaced"));
        assert_eq!(std::fs::read_to_string(&record).unwrap(), "another's");
        std::fs::remove_file(&record).unwrap();
    }
}

#[test]
fn a_file_that_is_not_a_record_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let record = folder.path().join("out.resume");
    let mut journal = journal(folder.path(), false, OutputProgress::default());
    std::fs::write(folder.path().join("out"), "old").unwrap();
    std::fs::write(&record, "precious").unwrap();
    journal.begin().unwrap_err();
    assert_eq!(std::fs::read_to_string(&record).unwrap(), "precious");
    assert_eq!(std::fs::read_to_string(folder.path().join("out")).unwrap(), "old");
}

#[test]
fn a_link_at_the_path_of_the_record_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    std::fs::write(&other, "precious").unwrap();
    let mut journal = journal(folder.path(), false, OutputProgress::default());
    journal.begin().unwrap();
    std::fs::remove_file(folder.path().join("out.resume")).unwrap();
    std::os::unix::fs::symlink(&other, folder.path().join("out.resume")).unwrap();
    journal.checkpoint(&progress(1));
    assert_eq!(read(folder.path()).unwrap().done, progress(1));
    assert!(!folder.path().join("out.resume").is_symlink());
    assert_eq!(std::fs::read_to_string(&other).unwrap(), "precious");
}
