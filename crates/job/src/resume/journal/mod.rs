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

use crate::file_id::is_at;
use crate::resume::record::{JobSettings, OutputProgress, RecordState, ResumeRecord};
use crate::resume::record_file::{discard, overwrite, write};
use crate::resume::tracker::ResumeTracker;
use procession_sys::AtomicFile;
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
    keeping: RecordKeeping,
    /// The logs that the records name.
    logs: RecordedLogs,
    /// Whether the output was complete before.
    was_complete: bool,
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

/// When there is a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RecordKeeping {
    /// From the first result on. That of a complete output is removed, unless items
    /// failed or `complete` says that it is kept too.
    Checkpoints { complete: bool },
    /// Only of a complete output in which items failed: its results are not in
    /// order, so it can't be resumed.
    Failures,
}

/// The log folders that records name.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecordedLogs {
    /// That of this call.
    pub(crate) own: Option<String>,
    /// That of the run that this one goes on with.
    pub(crate) earlier: Option<String>,
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
        keeping: RecordKeeping,
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
            keeping,
            logs: RecordedLogs::default(),
            was_complete: false,
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

    /// The same for an output that is complete and of which only failed rows are
    /// replaced.
    pub(crate) fn of_complete(self, was_complete: bool) -> Self {
        Self { was_complete, ..self }
    }

    /// The same with the logs that its records name.
    pub(crate) fn with_logs(self, logs: RecordedLogs) -> Self {
        Self { logs, ..self }
    }

    /// The log folder of the run that this one goes on with, if it had one.
    pub(crate) fn earlier_log(&self) -> Option<&str> {
        self.logs.earlier.as_deref()
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
        if self.written.is_none() && self.keeping != RecordKeeping::Failures {
            self.write(RecordState::Interrupted, &OutputProgress::default());
        }
        Ok(())
    }

    /// A new file for the output, beside it and locked.
    pub(crate) fn new_output(&self) -> io::Result<AtomicFile> {
        AtomicFile::new(&self.output_path)
    }

    /// Replaces the output in one step by a new file that is complete to this
    /// progress. Before, the record tells of both: if the process is killed in
    /// between, it describes the one that is there.
    pub(crate) fn replace_output(&mut self, mut new: AtomicFile, progress: OutputProgress) -> io::Result<()> {
        if !is_at(&self.output, &self.output_path) {
            return Err(moved());
        }
        let state = if self.was_complete { RecordState::Complete } else { RecordState::Interrupted };
        let record = self.record(state, &self.before);
        write(&self.record_path, &ResumeRecord { next: Some(progress.clone()), ..record }, Some(&self.output))?;
        // The old output has taken time: the new one must survive a power cut.
        new.sync()?;
        let output = new.file().try_clone()?;
        new.replace()?;
        (self.output, self.before, self.has_begun) = (output, progress, true);
        if !self.was_complete {
            self.write(state, &self.before.clone());
        }
        Ok(())
    }

    /// The earliest time of a checkpoint with this progress; `None` if the
    /// record says so already.
    pub(crate) fn due(&self, progress: &OutputProgress) -> Option<Instant> {
        let is_news = self.written.as_ref().map_or(0, |written| written.items) < progress.items;
        (is_news && self.keeping != RecordKeeping::Failures).then_some(self.next)
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
    /// kept to mark the output as complete, or because items failed, which can be run
    /// again. If no item is complete, there is nothing to resume, and the record is
    /// removed too.
    pub(crate) fn end(mut self, progress: &OutputProgress, is_complete: bool) -> io::Result<JournalEnd> {
        let is_kept = progress.failures() > 0 || self.keeping == RecordKeeping::Checkpoints { complete: true };
        let left = match (is_complete || self.was_complete, progress.items) {
            (true, _) if is_kept => {
                self.write(RecordState::Complete, progress);
                if self.problem.is_some() && self.mark_complete(progress).is_ok() {
                    self.problem = None;
                }
                JournalEnd::Complete
            }
            (false, _) if self.keeping == RecordKeeping::Failures => JournalEnd::Nothing,
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
        match discard(&self.record_path) {
            Err(error) if left == JournalEnd::Complete => self.mark_complete(progress).map_err(|_| error)?,
            discarded => discarded?,
        }
        self.problem = None;
        Ok(left)
    }

    /// The record of a complete output can't be removed or replaced: both need the
    /// right to change the folder. It is overwritten, so that the output does not pass
    /// for an interrupted one.
    fn mark_complete(&self, progress: &OutputProgress) -> io::Result<()> {
        if !is_at(&self.output, &self.output_path) {
            return Err(moved());
        }
        overwrite(&self.record_path, &self.record(RecordState::Complete, progress))
    }

    fn record(&self, state: RecordState, progress: &OutputProgress) -> ResumeRecord {
        let log = self.logs.own.clone().or_else(|| self.logs.earlier.clone());
        ResumeRecord { log, ..ResumeRecord::new(state, self.job.clone(), progress.clone()) }
    }

    fn write(&mut self, state: RecordState, progress: &OutputProgress) {
        let record = self.record(state, progress);
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
mod tests;
