//! Outputs that are their own journal: results are written in order, so a
//! killed run leaves a beginning that can be gone on with. `OUTPUT.resume`
//! beside it says of which job it is and how far it is good.
//!
//! An output that was given by a link is the file that the link leads to, and
//! its record lies beside that file: whichever name is used, it is found.

mod hash;
pub(crate) mod journal;
pub(crate) mod position;
mod record;
pub(crate) mod trail;

use crate::error::{rule, shown};
use crate::identity::{Made, is_at};
use crate::lock::{Locked, lock};
use crate::output::{First, Target};
use crate::portion::Portion;
use crate::run::StudyJob;
use crate::{FailurePolicy, Input, InputError, InputOptions, OutputError};
use journal::{Files, Journal};
use procession::ChunkSize;
use procession_task::{Items, counted};
use record::{Identity, MAX_RECORD, Mark, State};
pub use record::{ResumeRecord, ResumeRecordError};
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use trail::Trail;
use xxhash_rust::xxh3::Xxh3;

/// How much of an output is read at once.
const BUFFER: usize = 1024 * 1024;
/// How much of a setting is shown.
const SHOWN: usize = 100;
/// An output that others take away each time it is opened is in use.
const ATTEMPTS: u32 = 10;

/// What is to become of an output that is there already.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Intent {
    /// A complete one is written anew, an interrupted one is left alone.
    #[default]
    Plain,
    /// An interrupted one is gone on with, a complete one is left alone.
    Resume,
    /// It is written anew in any case.
    Overwrite,
}

/// How an output file is begun.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResumeOptions {
    /// What is to become of an output that is there already.
    pub intent: Intent,
    /// Settings that its bytes depend on beside those of the work and the
    /// input: name and value, as a person would give them.
    pub settings: Vec<(String, String)>,
}

/// An output that is not touched: status 2.
#[derive(Debug, thiserror::Error)]
#[error("{name} {reason}")]
pub struct ResumeError {
    /// Which output, safe for a terminal.
    pub name: String,
    /// Why.
    pub reason: ResumeReason,
}

/// Why an output is not touched.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResumeReason {
    /// Another run writes it.
    #[error("is in use: another run writes it")]
    InUse,
    /// It is one of the inputs.
    #[error("is the same file as the input {0}, and would destroy it: write to another file, then move it")]
    IsInput(String),
    /// It is not complete, and nobody said what to do about it.
    #[error(
        "is the output of an interrupted run, good for its first {}: --resume goes on after that, --overwrite begins anew",
        counted(*.0, "item")
    )]
    Interrupted(u64),
    /// What lies in the place of its record may be anything, and somebody's own.
    #[error(
        "can't be written: {record} is no record that this program can use ({why}), and is not touched: move it away, or write to another file"
    )]
    BadRecord {
        /// Its name, safe for a terminal.
        record: String,
        /// Why it is none.
        why: String,
    },
    /// A pipe, a device.
    #[error("can't be resumed: it is no regular file")]
    NotRegular,
    /// A study, or results as they come.
    #[error("can't be resumed: only the results of a single run, in order, can be")]
    NotOrdered,
    /// It has something in it and no record.
    #[error(
        "can't be resumed: it is not empty and there is no {0} that says how far it is good; --overwrite begins anew"
    )]
    NoRecord(String),
    /// It is of another job.
    #[error("can't be resumed: it was made with {was}, not with {is}; --overwrite begins anew")]
    OtherJob {
        /// The setting that differs, as it was.
        was: String,
        /// The setting now.
        is: String,
    },
    /// It ends before the place that its record speaks of.
    #[error("can't be resumed: it has {has} bytes, and its record speaks of {bytes}; --overwrite begins anew")]
    TooShort {
        /// How many bytes are said to be good.
        bytes: u64,
        /// How many there are.
        has: u64,
    },
    /// It is not what was written.
    #[error("can't be resumed: it was changed since it was written; --overwrite begins anew")]
    Edited,
    /// It holds failed items that this call would have ended at.
    #[error(
        "can't be resumed: it holds the records of {0} failed items, and this call ends earlier: add --keep-going, raise --max-failures, or begin anew with --overwrite"
    )]
    HasFailures(u64),
}

/// An output that was complete before this call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlreadyComplete {
    /// Which, safe for a terminal.
    pub name: String,
    /// How many items it has.
    pub items: u64,
    /// How many of them failed.
    pub failures: u64,
    /// Whether the input has more by now.
    pub input_has_grown: bool,
}

/// The job that an output is to be of.
pub(crate) struct Job {
    identity: Identity,
    rule: Items,
    policy: FailurePolicy,
}

/// Hears of what people should know.
pub(crate) type Warn<'a> = &'a mut dyn FnMut(&str);

/// What opening an output came to.
pub(crate) enum Opened {
    /// It is to be written.
    Target(Box<Target>),
    /// All is done: by this mark.
    Complete(Mark),
}

/// Why an output can't be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    Refused(ResumeError),
    Failed(OutputError),
}

/// What lies beside an output.
#[derive(Debug)]
enum Found {
    Nothing,
    Record(Box<ResumeRecord>),
    Bad(String),
}

/// What is to be done with an output.
#[derive(Debug, PartialEq, Eq)]
enum Decision {
    Begin,
    GoOn(Mark),
    Complete(Mark),
}

impl Decision {
    fn mark(&self) -> Mark {
        match self {
            Self::Begin => Mark::default(),
            Self::GoOn(mark) | Self::Complete(mark) => mark.clone(),
        }
    }
}

impl Job {
    /// Everything that makes the bytes of the output, but the items.
    pub(crate) fn new(
        work: &StudyJob,
        options: &InputOptions,
        portion: &Portion,
        policy: FailurePolicy,
        settings: &[(String, String)],
    ) -> Self {
        let mut identity = Identity::new();
        let mut set = |name: &str, value: String| identity.insert(format!("--{name}"), value);
        set("task", work.spec.task.clone());
        set("format", work.spec.format.name().to_owned());
        set("items", rule(options.items).to_owned());
        set("skip", options.skip.to_string());
        options.shuffle.map(|seed| set("shuffle", seed.to_string()));
        options.cycle.then(|| set("cycle", String::new()));
        portion.size.or(options.size).map(|size| set("size", size.to_string()));
        // Else how many items go into a message makes no difference.
        portion.block.map(|block| set("chunk", chunk(block)));
        identity.extend(work.spec.params.iter().map(|(key, value)| (format!("--param {key}"), value.clone())));
        identity.extend(settings.iter().cloned());
        Self { identity, rule: portion.rule(options.items), policy }
    }

    /// Refuses a record of another job.
    fn check(&self, record: &ResumeRecord) -> Result<(), ResumeReason> {
        // Of several that differ the task is the one to be told.
        let names = self.identity.keys().chain(record.job.keys()).map(String::as_str);
        let differs = |name: &&str| self.identity.get(*name) != record.job.get(*name);
        if let Some(name) = std::iter::once("--task").chain(names).find(differs) {
            let (was, is) = (setting(name, record.job.get(name)), setting(name, self.identity.get(name)));
            return Err(ResumeReason::OtherJob { was, is });
        }
        let failures = record.done.failures();
        if self.policy.ends_by(failures, record.done.items) { Err(ResumeReason::HasFailures(failures)) } else { Ok(()) }
    }
}

/// As it is typed.
fn chunk(chunk: ChunkSize) -> String {
    match chunk {
        ChunkSize::Auto => "auto".to_owned(),
        ChunkSize::Fixed(items) => items.to_string(),
    }
}

/// As in `--format csv`, or `no --size`.
fn setting(name: &str, value: Option<&String>) -> String {
    let short = |text: &str| match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    };
    match value {
        None => format!("no {}", short(name)),
        Some(value) if value.is_empty() => short(name),
        Some(value) if name.starts_with("--param ") => format!("{}={}", short(name), short(value)),
        Some(value) => format!("{} {}", short(name), short(value)),
    }
}

/// Decides what becomes of an output of `length` bytes; `None`: there was none.
fn decide(found: Found, intent: Intent, length: Option<u64>, job: &Job) -> Result<Decision, ResumeReason> {
    if intent != Intent::Resume {
        return fresh(found, intent, length);
    }
    let has = length.unwrap_or(0);
    match found {
        Found::Nothing if has == 0 => Ok(Decision::Begin),
        Found::Nothing => Err(ResumeReason::NoRecord(String::new())),
        Found::Bad(why) => Err(bad(why)),
        Found::Record(record) => {
            job.check(&record)?;
            let bytes = record.done.bytes;
            match record.state {
                _ if has < bytes => Err(ResumeReason::TooShort { bytes, has }),
                State::Complete if has > bytes => Err(ResumeReason::Edited),
                State::Complete => Ok(Decision::Complete(record.done)),
                State::Interrupted => Ok(Decision::GoOn(record.done)),
            }
        }
    }
}

/// The same for a call that does not go on with anything.
fn fresh(found: Found, intent: Intent, length: Option<u64>) -> Result<Decision, ResumeReason> {
    match found {
        // Whatever is asked for: it may be anybody's.
        Found::Bad(why) => Err(bad(why)),
        Found::Nothing => Ok(Decision::Begin),
        // Of nothing, nothing is lost.
        Found::Record(_) if intent == Intent::Overwrite || length.unwrap_or(0) == 0 => Ok(Decision::Begin),
        Found::Record(record) if record.state == State::Complete => Ok(Decision::Begin),
        Found::Record(record) => Err(ResumeReason::Interrupted(record.done.items)),
    }
}

fn bad(why: String) -> ResumeReason {
    ResumeReason::BadRecord { record: String::new(), why }
}

impl ResumeReason {
    /// The same, if it tells of the record, with the record's name.
    fn naming(self, path: &Path) -> Self {
        match self {
            Self::NoRecord(_) => Self::NoRecord(shown(path)),
            Self::BadRecord { why, .. } => Self::BadRecord { record: shown(path), why },
            reason => reason,
        }
    }
}

/// Opens a file for the results of a job. Whatever is refused is left as it was.
pub(crate) fn open(path: &Path, intent: Intent, job: Job, warn: Warn<'_>) -> Result<Opened, OpenError> {
    let failed = |error| OpenError::Failed(OutputError { name: shown(path), error });
    let refused = |reason| OpenError::Refused(ResumeError { name: shown(path), reason });
    let (files, made, length) = match opened(path, intent == Intent::Resume, warn)? {
        Regular::Yes { files, made, length } => (files, made, length),
        Regular::No if intent == Intent::Resume => return Err(refused(ResumeReason::NotRegular)),
        Regular::No => {
            return Target::create(path).map(|target| Opened::Target(target.into())).map_err(OpenError::Failed);
        }
    };
    let decision = decide(find(&files.path), intent, length, &job);
    let decision = decision.map_err(|reason| refused(reason.naming(&files.path)))?;
    let before = decision.mark();
    let digest = digest_of(&files.output, &before).map_err(failed)?.ok_or_else(|| refused(ResumeReason::Edited))?;
    if let Decision::Complete(mark) = decision {
        return Ok(Opened::Complete(mark));
    }
    let mut file = files.output.try_clone().map_err(failed)?;
    file.seek(SeekFrom::Start(before.bytes)).map_err(failed)?;
    // Its journal cuts it.
    let target = Target::prepared(shown(path), file, First { made, ..First::default() });
    let trail = Trail::new(job.rule, before.consumed());
    let journal = Journal::new(files, job.identity, intent == Intent::Resume, trail, before, digest);
    Ok(Opened::Target(target.with_journal(journal).into()))
}

/// Opens a file for results that are no journal: as they come, of several runs,
/// or a picture.
pub(crate) fn open_anew(path: &Path, intent: Intent, warn: Warn<'_>) -> Result<Target, OpenError> {
    let refused = |reason| OpenError::Refused(ResumeError { name: shown(path), reason });
    if intent == Intent::Resume {
        return Err(refused(ResumeReason::NotOrdered));
    }
    match opened(path, false, warn)? {
        Regular::No => Target::create(path).map_err(OpenError::Failed),
        Regular::Yes { files, made, length } => {
            fresh(find(&files.path), intent, length).map_err(|reason| refused(reason.naming(&files.path)))?;
            Ok(Target::prepared(shown(path), files.output, First { stale: Some(files.path), cut: Some(0), made }))
        }
    }
}

/// Whether an output can be locked and gone on with.
enum Regular {
    /// It is open and ours.
    Yes {
        files: Files,
        /// It is new.
        made: Option<Made>,
        /// How many bytes it has; `None`: there was none.
        length: Option<u64>,
    },
    No,
}

/// Opens and locks an output without changing it.
fn opened(path: &Path, reads: bool, warn: Warn<'_>) -> Result<Regular, OpenError> {
    let failed = |error| OpenError::Failed(OutputError { name: shown(path), error });
    let in_use = || OpenError::Refused(ResumeError { name: shown(path), reason: ResumeReason::InUse });
    for _ in 0..ATTEMPTS {
        if std::fs::metadata(path).is_ok_and(|about| !about.is_file()) {
            return Ok(Regular::No);
        }
        let (output, is_new) = open_or_create(path, reads).map_err(failed)?;
        match lock(&output) {
            Locked::Yes => {}
            Locked::InUse => return Err(in_use()),
            Locked::Unsupported(error) => warn(&format!("{} can't be locked against other runs: {error}", shown(path))),
        }
        // Beside the file itself, wherever links lead to it from.
        let place = match std::fs::canonicalize(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => continue,
            place => place.map_err(failed)?,
        };
        // Whoever had it may have taken it away again before it was ours.
        if !is_at(&output, &place) {
            continue;
        }
        // Looked at only now: somebody may have written it until a moment ago.
        let length = Some(output.metadata().map_err(failed)?.len()).filter(|&length| !is_new || length > 0);
        let made = if is_new { Some(output.try_clone().map_err(failed)?) } else { None };
        let made = made.map(|file| Made::new(place.clone(), file));
        return Ok(Regular::Yes { files: Files { path: record_path(&place), place, output }, made, length });
    }
    Err(in_use())
}

/// Whether it is new is known for sure: nobody else's file may be taken away.
fn open_or_create(path: &Path, reads: bool) -> io::Result<(File, bool)> {
    let mut options = File::options();
    options.read(reads).write(true);
    match options.clone().create_new(true).open(path) {
        Ok(file) => Ok((file, true)),
        // Also through a link that leads to nothing yet.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok((options.create(true).open(path)?, false)),
        Err(error) => Err(error),
    }
}

fn record_path(place: &Path) -> PathBuf {
    let mut name = place.as_os_str().to_owned();
    name.push(".resume");
    name.into()
}

/// Removes a record, if there is one; what is none is not touched.
pub(crate) fn discard(path: &Path) -> io::Result<()> {
    match find(path) {
        Found::Nothing => Ok(()),
        Found::Record(_) => std::fs::remove_file(path),
        Found::Bad(why) => Err(io::Error::other(format!("{} is no record ({why})", shown(path)))),
    }
}

fn find(path: &Path) -> Found {
    let mut options = File::options();
    // Neither a link nor a pipe is followed or waited for.
    options.read(true).custom_flags(nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK);
    let read = || {
        let file = options.open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        let mut text = Vec::new();
        file.take(MAX_RECORD as u64 + 1).read_to_end(&mut text)?;
        Ok(text)
    };
    match read() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
        Err(error) => Found::Bad(crate::error::system(&error)),
        Ok(text) => match ResumeRecord::parse(&text) {
            Ok(record) => Found::Record(Box::new(record)),
            Err(error) => Found::Bad(error.to_string()),
        },
    }
}

/// The digest of the bytes that are said to be good, to be gone on with;
/// `None` if they are not what was written.
fn digest_of(file: &File, mark: &Mark) -> io::Result<Option<Box<Xxh3>>> {
    let mut digest = Box::<Xxh3>::default();
    let mut buffer = vec![0; BUFFER.min(usize::try_from(mark.bytes).unwrap_or(BUFFER))];
    let mut at = 0;
    while at < mark.bytes {
        let wanted = usize::try_from(mark.bytes - at).unwrap_or(BUFFER).min(BUFFER);
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
    let is_as_written = mark.bytes == 0 || digest.digest128() == mark.output.0;
    Ok(is_as_written.then_some(digest))
}

/// Whether a complete output is still that of this input; one that can be read
/// only once is not asked.
pub(crate) fn check_complete(
    path: &Path,
    mark: &Mark,
    input: &Input,
    portion: &Portion,
) -> Result<AlreadyComplete, InputError> {
    let has_more = !input.is_stream() && input.goes_on_after(portion, mark.consumed())?;
    let has_size = portion.size.is_some_and(|size| size <= mark.items);
    Ok(AlreadyComplete {
        name: shown(path),
        items: mark.items,
        failures: mark.failures(),
        input_has_grown: has_more && !has_size,
    })
}

#[cfg(test)]
mod tests;
