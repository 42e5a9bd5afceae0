//! Keeps `OUTPUT.resume` up to date while an output is written. A record is
//! written only after the bytes that it describes, and it replaces the old
//! record in one step: at any moment it describes bytes that are in the output.
//! Nothing is changed before the first result. The record is found by the
//! output's path, so it is changed only while that path still leads to the
//! output.
//!
//! If the process is killed, this order is enough: the operating system has all
//! written bytes. After a power cut it is not. So once a run has lasted 5 s,
//! each checkpoint first writes the output's data to the disk, then the record;
//! checkpoints are so far apart that they take a small share of the time. After
//! a power cut within the first 5 s the output may not match its record. Its
//! hash shows this, and the output is refused, never continued with wrong
//! bytes.

use super::record::{JobSettings, OutputProgress, RecordState, ResumeRecord};
use super::record_file::{discard, overwrite, write};
use super::tracker::ResumeTracker;
use crate::file_id::is_at;
use std::fmt;
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use xxhash_rust::xxh3::Xxh3;

/// Time between two checkpoints.
const PERIOD: Duration = Duration::from_millis(200);
/// Time between the first two checkpoints; it doubles up to [`PERIOD`]. A run
/// that is killed soon after its start, again and again, still makes progress.
const FIRST_PERIOD: Duration = Duration::from_millis(20);
/// In a younger run the data is not synced to the disk: starting again costs
/// less.
const SYNC_AFTER: Duration = Duration::from_secs(5);
/// The time between two checkpoints is at least this many times the duration of
/// one.
const SHARE: u32 = 20;

/// The resume record of one run.
pub(crate) struct Journal {
    record_path: PathBuf,
    /// The output's path without symbolic links.
    output_path: PathBuf,
    /// A duplicate of the output's file descriptor. It holds the lock until the
    /// end.
    output: File,
    /// Whether the output or the record was changed.
    has_begun: bool,
    job: JobSettings,
    /// Whether the record of a complete output is kept.
    keeps: bool,
    tracker: Arc<ResumeTracker>,
    /// What an earlier run has completed.
    pub(crate) before: OutputProgress,
    /// The hash state of those bytes of the output, to be continued.
    digest: Box<Xxh3>,
    /// What the record on the disk says, if there is one.
    written: Option<OutputProgress>,
    began: Instant,
    /// The earliest time of the next checkpoint.
    next: Instant,
    /// The time between checkpoints at present.
    period: Duration,
    /// Why the last attempt to write the record failed.
    problem: Option<io::Error>,
}

/// The files that a journal handles.
pub(crate) struct JournalFiles {
    /// The path of the record.
    pub(crate) record_path: PathBuf,
    /// The output's path without symbolic links.
    pub(crate) output_path: PathBuf,
    /// A duplicate of the output's file descriptor.
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

    /// The tracker that the source reports its blocks to.
    pub(crate) fn tracker(&self) -> &Arc<ResumeTracker> {
        &self.tracker
    }

    /// Takes the hash state of the bytes that an earlier run has completed.
    pub(crate) fn take_digest(&mut self) -> Box<Xxh3> {
        std::mem::take(&mut self.digest)
    }

    /// Called before the first byte is written. Truncates the output to what an
    /// earlier run has completed, and marks it as incomplete in the record
    /// (that of a resumed output says so already). The order matters: if the
    /// process is killed in between, no record describes bytes that are gone,
    /// and no old output has a new record.
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

    /// The earliest time of a checkpoint with this progress; `None` if the
    /// record says so already.
    pub(crate) fn due(&self, progress: &OutputProgress) -> Option<Instant> {
        (self.written.as_ref().map_or(0, |written| written.items) < progress.items).then_some(self.next)
    }

    /// Writes this progress to the record. All of its bytes must have been
    /// written.
    pub(crate) fn checkpoint(&mut self, progress: &OutputProgress) {
        let before = Instant::now();
        self.write(RecordState::Interrupted, progress);
        let now = Instant::now();
        self.next = now + self.period.max((now - before) * SHARE);
        self.period = PERIOD.min(self.period * 2);
    }

    /// Ends the run. The record of a complete output is removed, unless it is
    /// kept to mark the output as complete. If no item is complete, there is
    /// nothing to resume, and the record is removed too.
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
            (true, _) => self.remove(JournalEnd::Complete, progress)?,
            (false, 0) if !self.has_begun => JournalEnd::Nothing,
            (false, 0) => {
                self.output.set_len(0)?;
                self.remove(JournalEnd::Nothing, progress)?
            }
        };
        self.problem.map_or(Ok(left), Err)
    }

    fn remove(&mut self, left: JournalEnd, progress: &OutputProgress) -> io::Result<JournalEnd> {
        if is_old(self.began) {
            self.output.sync_data()?;
        }
        if !is_at(&self.output, &self.output_path) {
            return Err(moved());
        }
        if let Err(error) = discard(&self.record_path) {
            self.mark_complete(left, progress).map_err(|_| error)?;
        }
        self.problem = None;
        Ok(left)
    }

    /// The record of a complete output can't be removed, nor replaced then: both need
    /// the right to change the folder. It is overwritten, so that the output does not
    /// pass for an interrupted one.
    fn mark_complete(&self, left: JournalEnd, progress: &OutputProgress) -> io::Result<()> {
        if left != JournalEnd::Complete {
            return Err(io::ErrorKind::Other.into());
        }
        overwrite(&self.record_path, &ResumeRecord::new(RecordState::Complete, self.job.clone(), progress.clone()))
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
            // The last record is still true, and the next attempt may succeed.
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

/// What a run leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JournalEnd {
    /// The whole output.
    Complete,
    /// An output that can be resumed after this many items.
    Interrupted(u64),
    /// An empty file, or the file as it was before.
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
}
