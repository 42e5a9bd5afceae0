//! Keeps `OUTPUT.resume` while an output is written: at most every so often,
//! always after the bytes that it speaks of, and in one step (written aside
//! and renamed), so that at any moment it tells of bytes that are there. Nothing
//! is touched before the first result; a record is found by the output's name, so
//! it is touched only while that name still leads to the output.
//!
//! Against a killed process that order is enough: what was written is the
//! system's. Against a power cut it is not, so a run that has lasted a while
//! also has the output's data, then the record, brought to the disk at each
//! checkpoint, as far apart as keeps this a small share of the time. After a
//! power cut within the first seconds an output may not match its record; the
//! hash of the output tells, and it is refused, never mixed.

use super::record::{JobSettings, OutputProgress, RecordState, ResumeRecord};
use super::record_file::{discard, write};
use super::tracker::ResumeTracker;
use crate::file_id::is_at;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::Xxh3;

/// Time between two checkpoints, once a run goes on.
const PERIOD: Duration = Duration::from_millis(200);
/// Between the first ones: each time a run is killed early it is to get ahead.
const FIRST_PERIOD: Duration = Duration::from_millis(20);
/// A younger run is not synced: beginning again costs less.
const SYNC_AFTER: Duration = Duration::from_secs(5);
/// The time between two checkpoints is that many times what one takes.
const SHARE: u32 = 20;

/// The record of one run.
pub(crate) struct Journal {
    record_path: PathBuf,
    /// The output's own path.
    output_path: PathBuf,
    /// A copy of the output's descriptor: holds the lock until the end.
    output: File,
    /// Whether anything was touched.
    has_begun: bool,
    job: JobSettings,
    /// Whether a complete output keeps its record.
    keeps: bool,
    tracker: Arc<ResumeTracker>,
    /// What an earlier run has completed.
    pub(crate) before: OutputProgress,
    /// The digest of those bytes of the output, to be gone on with.
    digest: Box<Xxh3>,
    /// What the record says, once there is one.
    written: Option<OutputProgress>,
    began: Instant,
    /// When the next checkpoint may be.
    next: Instant,
    /// The time from one to the next.
    period: Duration,
    /// Why the record could not be written, the last time it was tried.
    problem: Option<io::Error>,
}

/// What a journal is about.
pub(crate) struct JournalFiles {
    /// Where the record goes.
    pub(crate) record_path: PathBuf,
    /// The output's own path, without links.
    pub(crate) output_path: PathBuf,
    /// A copy of the output's descriptor.
    pub(crate) output: File,
}

impl Journal {
    pub(crate) fn new(
        files: JournalFiles,
        job: JobSettings,
        keeps: bool,
        tracker: ResumeTracker,
        before: OutputProgress,
        digest: Box<Xxh3>,
    ) -> Self {
        let JournalFiles { record_path, output_path, output } = files;
        let began = Instant::now();
        let written = (before.items > 0).then(|| before.clone());
        let tracker = Arc::new(tracker);
        Self {
            record_path,
            output_path,
            output,
            has_begun: false,
            job,
            keeps,
            tracker,
            before,
            digest,
            written,
            began,
            next: began,
            period: FIRST_PERIOD,
            problem: None,
        }
    }

    /// What the source is to tell of its blocks to.
    pub(crate) fn tracker(&self) -> &Arc<ResumeTracker> {
        &self.tracker
    }

    /// Takes the digest of the bytes that an earlier run has completed, to be
    /// continued.
    pub(crate) fn take_digest(&mut self) -> Box<Xxh3> {
        std::mem::take(&mut self.digest)
    }

    /// Before the first byte is written: what does not belong to it is cut off,
    /// and from now on the output is known as one that is not complete. What is
    /// resumed already is. Whoever is killed on the way leaves no record of
    /// bytes that are gone, and no old output with a new record.
    pub(crate) fn begin(&mut self) -> io::Result<()> {
        if std::mem::replace(&mut self.has_begun, true) {
            return Ok(());
        }
        if self.written.is_none() && is_at(&self.output, &self.output_path) {
            discard(&self.record_path)?;
        }
        self.output.set_len(self.before.bytes)?;
        if self.written.is_none() {
            self.write(RecordState::Interrupted, &OutputProgress::default());
        }
        Ok(())
    }

    /// When a checkpoint is due that says this, if one is.
    pub(crate) fn due(&self, progress: &OutputProgress) -> Option<Instant> {
        (self.written.as_ref().map_or(0, |written| written.items) < progress.items).then_some(self.next)
    }

    /// Says in the record that so much is complete; all of it has been written.
    pub(crate) fn checkpoint(&mut self, progress: &OutputProgress) {
        let before = Instant::now();
        self.write(RecordState::Interrupted, progress);
        let now = Instant::now();
        self.next = now + self.period.max((now - before) * SHARE);
        self.period = PERIOD.min(self.period * 2);
    }

    /// The run is at its end. A complete one needs no record, unless it is to
    /// be known as complete; of one that has nothing there is nothing to resume.
    pub(crate) fn end(mut self, progress: &OutputProgress, is_complete: bool) -> io::Result<JournalEnd> {
        let left = match (is_complete, progress.items) {
            (true, _) if self.keeps => {
                self.write(RecordState::Complete, progress);
                JournalEnd::Complete
            }
            (false, 1..) => {
                if self.written.as_ref() != Some(progress) {
                    self.write(RecordState::Interrupted, progress);
                }
                JournalEnd::Interrupted(progress.items)
            }
            (true, _) => self.remove(JournalEnd::Complete)?,
            (false, 0) if !self.has_begun => JournalEnd::Nothing,
            (false, 0) => {
                self.output.set_len(0)?;
                self.remove(JournalEnd::Nothing)?
            }
        };
        self.problem.map_or(Ok(left), Err)
    }

    fn remove(&mut self, left: JournalEnd) -> io::Result<JournalEnd> {
        if is_old(self.began) {
            self.output.sync_data()?;
        }
        if !is_at(&self.output, &self.output_path) {
            return Err(moved());
        }
        discard(&self.record_path)?;
        self.problem = None;
        Ok(left)
    }

    fn write(&mut self, state: RecordState, progress: &OutputProgress) {
        let record = ResumeRecord::new(state, self.job.clone(), progress.clone());
        let synced = if is_old(self.began) { Some(&self.output) } else { None };
        let written = if is_at(&self.output, &self.output_path) {
            write(&self.record_path, &record, synced)
        } else {
            Err(moved())
        };
        match written {
            Ok(()) => (self.written, self.problem) = (Some(progress.clone()), None),
            // The last record still holds, and the next may succeed.
            Err(error) => self.problem = Some(error),
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("record_path", &self.record_path)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}

/// What a run leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JournalEnd {
    /// All of it.
    Complete,
    /// So many items, to be gone on with.
    Interrupted(u64),
    /// An empty file, or what there was.
    Nothing,
}

fn is_old(began: Instant) -> bool {
    began.elapsed() >= SYNC_AFTER
}

fn moved() -> io::Error {
    io::Error::other("the output was moved or replaced while it was written")
}

#[cfg(test)]
mod tests {
    use super::super::record::ConsumedInput;
    use super::*;
    use procession_task::Items;
    use std::fs::OpenOptions;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    fn journal(folder: &Path, keeps: bool, before: OutputProgress) -> Journal {
        let output = OpenOptions::new().write(true).create(true).truncate(false).open(folder.join("out")).unwrap();
        let tracker = ResumeTracker::new(Items::Lines, ConsumedInput { items: 0, hash: 0 });
        let files = JournalFiles { record_path: folder.join("out.resume"), output_path: folder.join("out"), output };
        Journal::new(files, JobSettings::new(), keeps, tracker, before, Box::default())
    }

    fn progress(items: u64) -> OutputProgress {
        OutputProgress { items, bytes: items * 2, ..OutputProgress::default() }
    }

    fn read(folder: &Path) -> Option<ResumeRecord> {
        let text = std::fs::read(folder.join("out.resume")).ok()?;
        Some(ResumeRecord::parse(&text).unwrap())
    }

    #[test]
    fn the_record_is_there_from_the_beginning_and_gone_with_the_end() {
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
    fn what_was_resumed_is_marked_complete() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path(), true, progress(2));
        assert_eq!(journal.end(&progress(4), true).unwrap(), JournalEnd::Complete);
        let record = read(folder.path()).unwrap();
        assert_eq!((record.state, record.done), (RecordState::Complete, progress(4)));
    }

    #[test]
    fn an_end_before_time_leaves_what_there_is() {
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
    fn checkpoints_are_due_only_for_news_and_not_too_often() {
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
    fn once_the_name_is_another_files_the_record_is_too() {
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
    fn what_is_no_record_is_not_replaced() {
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
    fn links_in_the_way_are_not_followed() {
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
}
