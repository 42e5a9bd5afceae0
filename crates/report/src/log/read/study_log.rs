//! The folders of a call's log and of its runs.

use super::lines::visit_lines;
use crate::log::error::LogError;
use crate::log::private_file::open_file;
use crate::log::write::retention::is_in_use;
use crate::model::process::ProcessName;
use crate::model::skipped_lines::SkippedLines;
use crate::model::study::{RunRecord, StudyRecord};
use crate::model::worker::WorkerRows;
use serde::de::DeserializeOwned;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// A call's log.
#[derive(Clone, Debug)]
pub struct StudyLog {
    path: PathBuf,
    study: StudyRecord,
    runs: Vec<RunLog>,
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
    /// Opens the log in this folder.
    ///
    /// # Errors
    /// The folder contains no log, or it can't be read.
    pub fn open(path: &Path) -> Result<Self, LogError> {
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
        Ok(Self { path: path.to_owned(), study, runs })
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

    /// The runs, in the order of their numbers.
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
