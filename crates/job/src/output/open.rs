//! Opens an output file: locks it, and decides whether an existing one is
//! overwritten, resumed or refused. A refused output is not changed.

use super::descriptor::BeforeFirstWrite;
use super::file_lock::{LockResult, lock};
use super::new_file::NewFile;
use super::report::OutputError;
use super::retry::RetryOutput;
use super::target::OutputTarget;
use crate::file_id::is_at;
use crate::resume::decision::{Decision, Intent, ResumeError, ResumeJob, ResumeReason, decide, decide_without_resume};
use crate::resume::journal::{Journal, JournalFiles, RecordKeeping, RecordedLogs};
use crate::resume::output_rows::{OutputRows, RowLayout};
use crate::resume::record::OutputProgress;
use crate::resume::record_file::{FoundRecord, find, record_path};
use crate::resume::tracker::ResumeTracker;
use crate::text::display_path;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use xxhash_rust::xxh3::Xxh3;

/// How many bytes of an output are read at once.
const BUFFER: usize = 1024 * 1024;
/// How often to open an output that is replaced each time before it is locked.
const ATTEMPTS: u32 = 10;

/// Receives warnings.
pub(crate) type Warn<'a> = &'a mut dyn FnMut(&str);

/// The result of opening an output.
pub(crate) enum OpenedOutput {
    /// The output is to be written.
    Target(Box<OutputTarget>),
    /// The output is complete, with this progress.
    Complete(OutputProgress),
    /// The output is complete, with so many items, of which none failed.
    WithoutFailures { items: u64 },
}

/// Why an output can't be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    Refused(ResumeError),
    Failed(OutputError),
}

/// Opens a file for the results of a job that can be resumed, or whose failed items
/// can be run again. A refused output is not changed.
pub(crate) fn open(path: &Path, intent: Intent, job: ResumeJob, warn: Warn<'_>) -> Result<OpenedOutput, OpenError> {
    let failed = |error| OpenError::Failed(OutputError { name: display_path(path), error });
    let refused = |reason| OpenError::Refused(ResumeError { name: display_path(path), intent, reason });
    let (files, made, length) = match opened(path, intent, warn)? {
        RegularFile::Yes { files, made, length } => (files, made, length),
        RegularFile::No if intent.continues() => return Err(refused(ResumeReason::NotRegular)),
        RegularFile::No => {
            return OutputTarget::create(path)
                .map(|target| OpenedOutput::Target(target.into()))
                .map_err(OpenError::Failed);
        }
    };
    if !job.layout.is_ordered && intent == Intent::Resume {
        return Err(refused(ResumeReason::NotOrdered));
    }
    let found = settled(find(&files.record_path), &files.output, intent).map_err(failed)?;
    if matches!(found, FoundRecord::Nothing) && intent == Intent::RetryFailed && length.is_some() {
        return without_record(&files, job.layout)
            .map_err(failed)?
            .ok_or_else(|| refused(ResumeReason::NoRecord(String::new()).naming(&files.record_path)));
    }
    let earlier = match &found {
        FoundRecord::Record(record) if intent.continues() => record.log.clone(),
        _ => None,
    };
    let decision = decide(found, intent, length, &job);
    let decision = decision.map_err(|reason| refused(reason.naming(&files.record_path)))?;
    let before = decision.progress();
    let digest = digest_of(&files.output, &before).map_err(failed)?.ok_or_else(|| refused(ResumeReason::Edited))?;
    let is_complete = matches!(decision, Decision::Complete(_));
    let retry = match intent {
        Intent::RetryFailed if before.failures() > 0 => {
            let retry = RetryOutput::open(&files, &before, job.layout, !is_complete).map_err(failed)?;
            Some(retry.ok_or_else(|| refused(ResumeReason::Edited))?)
        }
        _ => None,
    };
    if is_complete && retry.is_none() {
        return Ok(OpenedOutput::Complete(before));
    }
    let mut file = files.output.try_clone().map_err(failed)?;
    file.seek(SeekFrom::Start(before.bytes)).map_err(failed)?;
    // The journal truncates it.
    let target =
        OutputTarget::prepared(display_path(path), file, BeforeFirstWrite { made, ..BeforeFirstWrite::default() });
    let tracker = ResumeTracker::new(job.rule, before.consumed()).with_retry(retry.as_ref().map(RetryOutput::items));
    let keeping = if job.layout.is_ordered {
        RecordKeeping::Checkpoints { complete: intent == Intent::Resume }
    } else {
        RecordKeeping::Failures
    };
    let journal = Journal::new(files, job.settings, keeping, tracker, before, digest)
        .of_complete(is_complete)
        .with_logs(RecordedLogs { own: job.log, earlier });
    Ok(OpenedOutput::Target(target.with_journal(journal).with_retry(retry).into()))
}

/// The record as it holds for this output: a run that was ended while it replaced
/// the output has left a record of both.
fn settled(found: FoundRecord, output: &File, intent: Intent) -> io::Result<FoundRecord> {
    let FoundRecord::Record(mut record) = found else { return Ok(found) };
    if let Some(next) = record.next.take()
        && intent.continues()
        && digest_of(output, &next)?.is_some()
    {
        record.done = next;
    }
    Ok(FoundRecord::Record(record))
}

/// An output without a record is complete, and has no failed rows, if it was written
/// by this program; `None` if it was not.
fn without_record(files: &JournalFiles, layout: RowLayout) -> io::Result<Option<OpenedOutput>> {
    let bytes = files.output.metadata()?.len();
    let rows = OutputRows::of(&files.output, bytes, layout)?.filter(|rows| rows.failed.count() == 0);
    Ok(rows.map(|rows| OpenedOutput::WithoutFailures { items: rows.count }))
}

/// Opens a file for results that can't be resumed: those of several runs, or a
/// picture.
pub(crate) fn open_new_file(path: &Path, intent: Intent, warn: Warn<'_>) -> Result<OutputTarget, OpenError> {
    let refused = |reason| OpenError::Refused(ResumeError { name: display_path(path), intent, reason });
    if intent.continues() {
        return Err(refused(ResumeReason::NotOrdered));
    }
    match opened(path, intent, warn)? {
        RegularFile::No => OutputTarget::create(path).map_err(OpenError::Failed),
        RegularFile::Yes { files, made, length } => {
            decide_without_resume(find(&files.record_path), intent, length)
                .map_err(|reason| refused(reason.naming(&files.record_path)))?;
            Ok(OutputTarget::prepared(
                display_path(path),
                files.output,
                BeforeFirstWrite { stale: Some(files.record_path), cut: Some(0), made },
            ))
        }
    }
}

/// Whether an output can be locked and resumed.
enum RegularFile {
    /// It is a regular file, open and locked.
    Yes {
        files: JournalFiles,
        /// The file, if this call created it.
        made: Option<NewFile>,
        /// Its length in bytes; `None` if it did not exist.
        length: Option<u64>,
    },
    No,
}

/// Opens and locks an output without changing it.
fn opened(path: &Path, intent: Intent, warn: Warn<'_>) -> Result<RegularFile, OpenError> {
    let failed = |error| OpenError::Failed(OutputError { name: display_path(path), error });
    let in_use = || OpenError::Refused(ResumeError { name: display_path(path), intent, reason: ResumeReason::InUse });
    for _ in 0..ATTEMPTS {
        if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
            return Ok(RegularFile::No);
        }
        let (output, is_new) = open_or_create(path, intent.continues()).map_err(failed)?;
        match lock(&output) {
            LockResult::Yes => {}
            LockResult::InUse => return Err(in_use()),
            LockResult::Unsupported(error) => {
                warn(&format!("{} can't be locked against other runs: {error}", display_path(path)))
            }
        }
        // The record lies beside the file itself, whatever links lead to it.
        let place = match std::fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => continue,
            place => place.map_err(failed)?,
        };
        // Another run may have removed it before it was locked.
        if !is_at(&output, &place) {
            continue;
        }
        // Read after locking: another run may have written to it until then.
        let length = Some(output.metadata().map_err(failed)?.len()).filter(|&length| !is_new || length > 0);
        let made = if is_new { Some(output.try_clone().map_err(failed)?) } else { None };
        let made = made.map(|file| NewFile::new(place.clone(), file));
        return Ok(RegularFile::Yes {
            files: JournalFiles { record_path: record_path(&place), output_path: place, output },
            made,
            length,
        });
    }
    Err(in_use())
}

/// Opens the file; returns also whether this call created it. Only then may it
/// be removed.
fn open_or_create(path: &Path, reads: bool) -> io::Result<(File, bool)> {
    let mut options = File::options();
    options.read(reads).write(true);
    match options.clone().create_new(true).open(path) {
        Ok(file) => Ok((file, true)),
        // Also for a symbolic link to a file that does not exist.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok((options.create(true).open(path)?, false)),
        Err(error) => Err(error),
    }
}

/// The hash state of the bytes that the record says are complete; `None` if
/// their hash differs.
fn digest_of(file: &File, progress: &OutputProgress) -> io::Result<Option<Box<Xxh3>>> {
    let mut digest = Box::<Xxh3>::default();
    let mut buffer = vec![0; BUFFER.min(usize::try_from(progress.bytes).unwrap_or(BUFFER))];
    let mut at = 0;
    while at < progress.bytes {
        let wanted = usize::try_from(progress.bytes - at).unwrap_or(BUFFER).min(BUFFER);
        match file.read_at(&mut buffer[..wanted], at) {
            Ok(0) => return Ok(None),
            Ok(read) => {
                digest.update(&buffer[..read]);
                at += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let is_as_written = progress.bytes == 0 || digest.digest128() == progress.output.0;
    Ok(is_as_written.then_some(digest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resume::record::Digest;

    #[test]
    fn an_unordered_output_cannot_be_resumed() {
        let refused = open_new_file(Path::new("out"), Intent::Resume, &mut |_| ());
        assert!(matches!(refused, Err(OpenError::Refused(ResumeError { reason: ResumeReason::NotOrdered, .. }))));
    }

    #[test]
    fn changed_bytes_of_an_output_are_found() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "1\t1.0\n4\t").unwrap();
        let digest = Digest(xxhash_rust::xxh3::xxh3_128(b"1\t1.0\n"));
        let progress = OutputProgress { items: 1, bytes: 6, output: digest, ..OutputProgress::default() };
        assert!(digest_of(file.as_file(), &progress).unwrap().is_some());
        assert!(digest_of(file.as_file(), &OutputProgress { bytes: 5, ..progress.clone() }).unwrap().is_none());
        assert!(digest_of(file.as_file(), &OutputProgress { bytes: 99, ..progress }).unwrap().is_none());
        assert!(digest_of(file.as_file(), &OutputProgress::default()).unwrap().is_some());
    }
}
