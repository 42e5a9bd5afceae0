//! The folders of a call's log and of its runs.

use super::lines::visit_lines;
use crate::log::error::LogError;
use crate::log::private_file::open_file;
use crate::log::write::retention::is_in_use;
use crate::log::write::run_files::ATTEMPTS;
use crate::model::process::ProcessName;
use crate::model::skipped_lines::SkippedLines;
use crate::model::study::{RunRecord, StudyRecord};
use crate::model::worker::WorkerRows;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// A call's log.
#[derive(Clone, Debug)]
pub struct StudyLog {
    path: PathBuf,
    study: StudyRecord,
    runs: Vec<RunLog>,
    /// The logs of the calls that it goes on with, the first one first.
    earlier: Vec<StudyLog>,
    /// The log that the first of them goes on with, if it is gone.
    lost: Option<PathBuf>,
    /// All runs of these calls and of this one.
    story: Vec<RunLog>,
}

/// The log of one run.
#[derive(Clone, Debug)]
pub struct RunLog {
    path: PathBuf,
    /// The run's number in the call, from 1.
    pub number: u32,
    /// The contents of `run.json`; `None` if it was never written.
    pub record: Option<RunRecord>,
    under_way: bool,
}

/// A file with lines about the items of one process.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ItemFile {
    /// The process.
    pub(crate) process: ProcessName,
    /// The file.
    pub(crate) path: PathBuf,
}

impl StudyLog {
    /// Opens the log in this folder, and those of the calls that it goes on with.
    ///
    /// # Errors
    /// The folder contains no log, or it can't be read.
    pub fn open(path: &Path) -> Result<Self, LogError> {
        let mut log = Self::open_alone(path)?;
        let (mut next, mut seen) = (log.study.continues.clone(), BTreeSet::new());
        while let Some(path) = next.map(PathBuf::from).filter(|path| seen.insert(path.clone())) {
            let Ok(earlier) = Self::open_alone(&path) else {
                log.lost = Some(path);
                break;
            };
            next = earlier.study.continues.clone();
            log.earlier.insert(0, earlier);
        }
        let runs = log.parts().flat_map(|part| part.runs.iter().cloned());
        log.story = match log.earlier.is_empty() {
            true => runs.collect(),
            false => (1..).zip(runs).map(|(number, run)| RunLog { number, ..run }).collect(),
        };
        Ok(log)
    }

    fn open_alone(path: &Path) -> Result<Self, LogError> {
        let study = match read_json(&path.join("study.json")) {
            Err(LogError::Io { source, .. }) if is_absent(&source) => return Err(LogError::NoLog(path.to_owned())),
            other => other?,
        };
        let in_use = is_in_use(path);
        let mut runs = Vec::new();
        for entry in fs::read_dir(path).map_err(LogError::io("reading", path))? {
            let entry = entry.map_err(LogError::io("reading", path))?;
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.strip_prefix("run-")).and_then(|run| run.parse().ok());
            if let Some(number) = number.filter(|_| entry.path().is_dir()) {
                runs.push(RunLog::open(entry.path(), number, in_use)?);
            }
        }
        runs.sort_by_key(|run| run.number);
        let (earlier, lost, story) = (Vec::new(), None, Vec::new());
        Ok(Self { path: path.to_owned(), study, runs, earlier, lost, story })
    }

    /// The logs of the calls that it goes on with, the first one first, and itself.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &Self> {
        self.earlier.iter().chain(std::iter::once(self))
    }

    /// Whether it goes on with other calls.
    pub(crate) fn is_continued(&self) -> bool {
        !self.earlier.is_empty()
    }

    /// The log that its first part goes on with, if it is gone.
    pub(crate) fn lost(&self) -> Option<&Path> {
        self.lost.as_deref()
    }

    /// All runs of its parts. If there are several parts, runs are numbered through
    /// all of them.
    pub(crate) fn story(&self) -> &[RunLog] {
        &self.story
    }

    /// The part that has this run of the whole story, and the run's number there.
    /// Without a run it is the log itself.
    #[must_use]
    pub fn part_of(&self, run: Option<u32>) -> (&Self, Option<u32>) {
        let wanted = run.and_then(|run| self.story.iter().find(|known| known.number == run));
        let has = |part: &&Self| wanted.is_some_and(|wanted| wanted.path.parent() == Some(&part.path));
        let part = self.parts().find(has).unwrap_or(self);
        let number = wanted.and_then(|wanted| part.runs.iter().find(|own| own.path == wanted.path));
        (part, number.map_or(run, |own| Some(own.number)))
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The contents of `study.json`.
    #[must_use]
    pub fn study(&self) -> &StudyRecord {
        &self.study
    }

    /// The runs of the call itself, in the order of their numbers.
    #[must_use]
    pub fn runs(&self) -> &[RunLog] {
        &self.runs
    }
}

impl RunLog {
    /// Opens the log of a run that has ended, in this folder.
    ///
    /// # Errors
    /// The log can't be read.
    pub fn ended(path: PathBuf, number: u32) -> Result<Self, LogError> {
        Self::open(path, number, false)
    }

    fn open(path: PathBuf, number: u32, in_use: bool) -> Result<Self, LogError> {
        let record: Option<RunRecord> = match read_json(&path.join("run.json")) {
            Err(LogError::Io { source, .. }) if is_absent(&source) => None,
            // A crash of the machine may leave an incomplete file. The items' lines are still readable.
            Err(LogError::Malformed { .. }) => None,
            other => Some(other?),
        };
        let under_way = in_use && record.as_ref().is_none_or(|record| record.result.is_none());
        Ok(Self { path, number, record, under_way })
    }

    /// How the run ended, as in `completed`; `running` while it is in progress. A run
    /// whose coordinator was killed is `interrupted`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self.record.as_ref().and_then(|record| record.result.as_ref()) {
            Some(result) => result.status.as_str(),
            None if self.under_way => "running",
            None => "interrupted",
        }
    }

    /// Whether the coordinator was killed before it wrote a result.
    #[must_use]
    pub(crate) fn was_killed(&self) -> bool {
        !self.under_way && self.record.as_ref().is_none_or(|record| record.result.is_none())
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file that tells most about the end of a process in the folder `run`: its
    /// standard error if it wrote something, else the lines of its items.
    #[must_use]
    pub fn file_of(run: &Path, pid: u32) -> Option<PathBuf> {
        let names = fs::read_dir(run).ok()?.flatten().map(|entry| entry.file_name());
        let names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
        let ending = |ending: &str| {
            let end = format!("-{pid}.{ending}");
            names.iter().find(|name| name.starts_with("worker-") && name.ends_with(&end))
        };
        Some(run.join(ending("stderr").or_else(|| ending("jsonl"))?))
    }

    /// The run's processes, and the lines that can't be parsed.
    ///
    /// # Errors
    /// The file can't be read.
    pub fn workers(&self) -> Result<(WorkerRows, SkippedLines), LogError> {
        let path = self.path.join("workers.jsonl");
        let (mut rows, mut passed) = (WorkerRows::default(), SkippedLines::default());
        let read = visit_lines(&path, |line| {
            match serde_json::from_slice(line) {
                Ok(line) => rows.take(line),
                Err(error) => passed.note_of(&LogError::malformed(&path, &error)),
            }
            Ok(())
        });
        match read {
            // The coordinator was killed before it spawned a process.
            Err(LogError::Io { source, .. }) if is_absent(&source) => Ok((rows, passed)),
            other => other.map(|()| (rows, passed)),
        }
    }

    /// The file with attempts without an outcome; it may not exist.
    pub(crate) fn attempts_file(&self) -> PathBuf {
        self.path.join(ATTEMPTS)
    }

    /// The files with lines about items, in the order of slots and processes.
    ///
    /// # Errors
    /// The folder can't be read.
    pub(crate) fn item_files(&self) -> Result<Vec<ItemFile>, LogError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(LogError::io("reading", &self.path))? {
            let entry = entry.map_err(LogError::io("reading", &self.path))?;
            if let Some(process) = entry.file_name().to_str().and_then(process_of) {
                files.push(ItemFile { process, path: entry.path() });
            }
        }
        files.sort_unstable();
        Ok(files)
    }
}

/// Parses the name `worker-<slot>-<n>-<pid>.jsonl`.
fn process_of(name: &str) -> Option<ProcessName> {
    let mut numbers = name.strip_prefix("worker-")?.strip_suffix(".jsonl")?.split('-').map(str::parse);
    let mut next = || numbers.next()?.ok();
    let process = ProcessName { worker: next()?, nth: next()?, pid: next()? };
    numbers.next().is_none().then_some(process)
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, LogError> {
    let mut bytes = Vec::new();
    let read = open_file(path).and_then(|mut file| file.read_to_end(&mut bytes));
    read.map_err(LogError::io("reading", path))?;
    serde_json::from_slice(&bytes).map_err(|error| LogError::malformed(path, &error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_are_parsed() {
        assert_eq!(process_of("worker-1-0-42.jsonl"), Some(ProcessName { worker: 1, nth: 0, pid: 42 }));
        for other in
            ["worker-1-0-42.stderr", "workers.jsonl", "worker-1-0.jsonl", "worker-1-0-4-2.jsonl", "worker-x-0-1.jsonl"]
        {
            assert_eq!(process_of(other), None, "{other}");
        }
    }

    #[test]
    fn a_folder_without_a_log_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(StudyLog::open(dir.path()), Err(LogError::NoLog(_))));
        fs::write(dir.path().join("study.json"), "{\"\x1b[31m\":").unwrap();
        let error = StudyLog::open(dir.path()).unwrap_err();
        assert!(matches!(error, LogError::Malformed { .. }), "{error}");
        assert!(!error.to_string().contains('\x1b'));
    }

    #[test]
    fn a_log_has_the_runs_of_those_that_it_goes_on_with() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, continues: Option<&str>| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.join("run-1")).unwrap();
            let continues = continues.map(|name| dir.path().join(name).to_str().unwrap().to_owned());
            let study = StudyRecord { continues, ..StudyRecord::default() };
            fs::write(path.join("study.json"), serde_json::to_vec(&study).unwrap()).unwrap();
            path
        };
        write("a", Some("gone"));
        write("b", Some("a"));
        let log = StudyLog::open(&write("c", Some("b"))).unwrap();
        let folders = |runs: &[RunLog]| {
            let name = |run: &RunLog| run.path.parent().unwrap().file_name().unwrap().to_str().unwrap().to_owned();
            runs.iter().map(|run| (run.number, name(run))).collect::<Vec<_>>()
        };
        let all = [(1, "a"), (2, "b"), (3, "c")].map(|(number, name)| (number, name.to_owned()));
        assert_eq!((folders(log.story()), folders(log.runs())), (all.to_vec(), vec![(1, "c".to_owned())]));
        assert_eq!(log.lost(), Some(&*dir.path().join("gone")));
        let part = |run| log.part_of(run).0.path.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!((part(None), part(Some(2)), log.part_of(Some(2)).1), ("c".to_owned(), "b".to_owned(), Some(1)));
        // A circle is followed once.
        let log = StudyLog::open(&write("a", Some("c"))).unwrap();
        assert!(log.is_continued() && log.story().len() <= 4);
    }

    #[test]
    fn runs_come_in_the_order_of_their_numbers() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("study.json"), serde_json::to_vec(&StudyRecord::default()).unwrap()).unwrap();
        for run in ["run-10", "run-9", "run-x", "other"] {
            fs::create_dir(dir.path().join(run)).unwrap();
        }
        let log = StudyLog::open(dir.path()).unwrap();
        let runs: Vec<_> = log.runs().iter().map(|run| (run.number, run.status())).collect();
        assert_eq!(runs, [(9, "interrupted"), (10, "interrupted")]);
        assert!(log.runs()[0].workers().unwrap().0.into_parts().0.is_empty());
    }
}
