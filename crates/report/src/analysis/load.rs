//! Loads studies from their logs.

use super::measured::Measured;
use crate::log::error::LogError;
use crate::log::read::run_reader::read_items;
use crate::log::read::study_log::{RunLog, StudyLog};
use crate::model::run_summary::RunSummary;
use crate::model::spans::Spans;
use crate::model::study::{Machine, RunStatus};
use crate::model::study_data::StudyData;

/// Most items of a run whose times are read for a table.
const MOST_TIMED: u64 = 1_000_000;

impl StudyData {
    /// Reads a whole log.
    ///
    /// # Errors
    /// A file can't be read.
    pub(crate) fn from_log(log: &StudyLog) -> Result<Self, LogError> {
        let mut data = Self { study: log.study().clone(), log: Some(log.path().to_owned()), ..Self::default() };
        for run in log.runs() {
            data.push_log(run)?;
        }
        Ok(data)
    }

    /// Reads the logs of several calls and gives each a distinct label.
    ///
    /// # Errors
    /// A file can't be read.
    pub fn from_logs(logs: &[StudyLog]) -> Result<Vec<Self>, LogError> {
        let mut all: Vec<Self> = logs.iter().map(Self::from_log).collect::<Result<_, _>>()?;
        label(&mut all);
        Ok(all)
    }

    /// Adds a run from its log.
    ///
    /// # Errors
    /// A file can't be read.
    pub(crate) fn push_log(&mut self, run: &RunLog) -> Result<(), LogError> {
        let (mut spans, failures) = read_items(run)?;
        let summary = RunSummary::of_log(run)?;
        spans.skipped_lines.add(&summary.spans.skipped_lines);
        self.push(RunSummary { spans, ..summary });
        if self.failures.total == 0 {
            self.failures = failures;
        }
        Ok(())
    }

    /// Reads the times of items where the maximum speedup needs them: in one run of
    /// each configuration that speedups are relative to. Runs of more than 1,000,000
    /// items are not read.
    ///
    /// # Errors
    /// A log can't be read.
    pub fn read_item_times(&mut self) -> Result<(), LogError> {
        let bases = self.measured().into_iter().filter(|row| row.is_base() && row.items <= MOST_TIMED);
        let first = |row: Measured| {
            let is = |run: &&RunSummary| row.runs.contains(&run.run) && run.status == RunStatus::Completed.as_str();
            self.runs.iter().find(is).filter(|run| run.spans.items.count == 0).map(|run| run.run)
        };
        let wanted: Vec<u32> = bases.filter_map(first).collect();
        let Some(path) = self.log.as_deref().filter(|_| !wanted.is_empty()) else { return Ok(()) };
        let log = StudyLog::open(path)?;
        for run in log.runs().iter().filter(|run| wanted.contains(&run.number)) {
            let Spans { items, skipped_lines, .. } = read_items(run)?.0;
            if let Some(own) = self.runs.iter_mut().find(|own| own.run == run.number) {
                own.spans.items = items;
                own.spans.skipped_lines.add(&skipped_lines);
            }
        }
        Ok(())
    }
}

/// Labels calls by their hosts if these differ, else by their log folders, else by
/// their numbers.
fn label(all: &mut [StudyData]) {
    if all.len() < 2 {
        return;
    }
    let host = |data: &StudyData| {
        let Machine { host, .. } = &data.study.machine;
        Some(host.clone()).filter(|host| !host.is_empty())
    };
    let folder = |data: &StudyData| Some(data.log.as_ref()?.file_name()?.to_string_lossy().into_owned());
    let labels = distinct(all.iter().map(host)).or_else(|| distinct(all.iter().map(folder)));
    for (at, data) in all.iter_mut().enumerate() {
        data.label = labels.as_ref().map_or_else(|| format!("log {}", at + 1), |labels| labels[at].clone());
    }
}

fn distinct(names: impl Iterator<Item = Option<String>>) -> Option<Vec<String>> {
    let names: Vec<String> = names.collect::<Option<_>>()?;
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    (sorted.len() == names.len()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::write::folder::LogFolder;
    use crate::log::write::logger::LogOptions;
    use crate::model::spans::SpanKind;
    use crate::model::study::StudyRecord;
    use crate::model::study::{LogLevel, RunResult, RunStart, RunStatus};
    use crate::samples::{accepted, life, lost, run, who};
    use procession::{Event, Observer};
    use procession_task::{Failure, FailureKind};
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    fn events() -> Vec<Event> {
        let mut events: Vec<Event> = [life(0, 0, 100), life(1, 0, 101)].into_iter().flatten().collect();
        events.push(Event::Accepted(accepted(who(0, 0, 100), 0, 0, 4)));
        events.push(lost(who(1, 0, 101), 1, 4, b"poison", Failure::new(FailureKind::Crashed, "by signal")));
        events
    }

    fn write(path: &Path, host: &str, level: LogLevel) -> StudyLog {
        let mut folder = LogFolder::create(Some(path.to_owned())).unwrap();
        let machine = Machine { host: host.into(), usable_cores: 2, ..Machine::default() };
        folder.write_study(&StudyRecord { machine, ..StudyRecord::default() }).unwrap();
        let configuration = run(1, 2, 1.0, vec![]).start.configuration;
        let start = RunStart { configuration, repeat: 1, warmup: false };
        let options = LogOptions { level, ..LogOptions::default() };
        let item_log = Arc::new(AtomicBool::new(true));
        let (mut logger, logging) = folder.start_run(start, &options, item_log, Arc::new(|_: &str| {})).unwrap();
        events().iter().for_each(|event| logger.on_event(event));
        drop(logger);
        let (status, wall_s) = (RunStatus::Completed, 2.0);
        logging.finish(RunResult {
            status,
            wall_s,
            items: 5,
            failures: 1,
            digest: None,
            message: None,
            other_cpu_s: None,
            coordinator: None,
            longest_s: None,
            slowest: None,
        });
        drop(folder);
        StudyLog::open(path).unwrap()
    }

    #[test]
    fn a_log_has_spans_times_and_failures() {
        let dir = tempfile::tempdir().unwrap();
        let data = StudyData::from_log(&write(&dir.path().join("log"), "h", LogLevel::Task)).unwrap();
        let spans = &data.runs[0].spans;
        assert_eq!(spans.tracks.iter().map(|track| track.spans().len()).collect::<Vec<_>>(), [4, 1]);
        assert_eq!(spans.tracks[1].spans()[0].kind, SpanKind::Lost);
        assert_eq!(spans.items.count, 5);
        assert_eq!((data.failures.total, data.failures.rows[0].input.as_slice()), (1, &b"poison"[..]));
        assert_eq!(data.measured().len(), 1);
    }

    #[test]
    fn a_log_of_chunks_has_spans() {
        let dir = tempfile::tempdir().unwrap();
        let data = StudyData::from_log(&write(&dir.path().join("log"), "h", LogLevel::Chunk)).unwrap();
        let spans = &data.runs[0].spans;
        assert_eq!((spans.tracks[0].spans()[0].items, spans.items.count), (4, 1));
    }

    #[test]
    fn logs_get_distinct_labels() {
        let dir = tempfile::tempdir().unwrap();
        let labels = |hosts: [&str; 2]| {
            let folder = tempfile::tempdir_in(dir.path()).unwrap();
            let logs =
                hosts.map(|host| write(&folder.path().join(format!("log-{}", host.len())), host, LogLevel::Task));
            StudyData::from_logs(&logs).unwrap().into_iter().map(|data| data.label).collect::<Vec<_>>()
        };
        assert_eq!(labels(["one", "three"]), ["one", "three"]);
        assert_eq!(labels(["", "x"]), ["log-0", "log-1"]);
    }
}
