//! All that is known of a call's runs: what tables, charts, the page, timings,
//! the trace and advice are made of, whether it comes from events or from a log.

use crate::collector::RunSummary;
use crate::measured::{Measured, measure};
use crate::read::{ItemLine, Line, PassedOver, RunLog, StudyLog, visit_lines};
use crate::runlog::LogError;
use crate::spans::{Span, SpanKind, Spans, Track, kind};
use crate::study::{Machine, RunStatus, Study};
use crate::summary::FailureRow;
use procession_task::FailureKind;
use std::borrow::Cow;
use std::path::PathBuf;

/// Failed items that are kept.
const KEPT_FAILURES: usize = 1000;
/// Items of a run whose times are read for a table's sake.
const MOST_TIMED: u64 = 1_000_000;
/// Spans of a call that are kept, some 32 MB.
const KEPT_SPANS: usize = 500_000;
/// Runs of a call whose processes are drawn.
const SHOWN_RUNS: usize = 8;

/// A call and its runs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StudyData {
    /// What tells it from others beside it; empty if there are none.
    pub label: String,
    /// What was called, where.
    pub study: Study,
    /// Its runs, warm-ups included.
    pub runs: Vec<RunSummary>,
    /// Items that failed.
    pub failures: Failures,
    /// Its log.
    pub log: Option<PathBuf>,
}

/// Failed items of the first run that had some: the others have the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// The first of them, in the order of the input.
    pub rows: Vec<FailureRow>,
    /// How many there are in all.
    pub total: u64,
}

impl StudyData {
    /// Reads a log, to its last line.
    ///
    /// # Errors
    /// It can't be read, or it holds something else.
    pub fn from_log(log: &StudyLog) -> Result<Self, LogError> {
        let mut data = Self { study: log.study().clone(), log: Some(log.path().to_owned()), ..Self::default() };
        for run in log.runs() {
            data.push_log(run)?;
        }
        Ok(data)
    }

    /// Reads the logs of several calls and names what tells them apart.
    ///
    /// # Errors
    /// One can't be read, or it holds something else.
    pub fn from_logs(logs: &[StudyLog]) -> Result<Vec<Self>, LogError> {
        let mut all: Vec<Self> = logs.iter().map(Self::from_log).collect::<Result<_, _>>()?;
        label(&mut all);
        Ok(all)
    }

    /// Adds a run from its log, when it has ended.
    ///
    /// # Errors
    /// It can't be read, or it holds something else.
    pub fn push_log(&mut self, run: &RunLog) -> Result<(), LogError> {
        let Reader { mut spans, failures } = Reader::of(run)?;
        let summary = RunSummary::of_log(run)?;
        spans.passed_over.add(&summary.spans.passed_over);
        self.push(RunSummary { spans, ..summary });
        if self.failures.total == 0 {
            self.failures = failures.sorted();
        }
        Ok(())
    }

    /// Adds a run that ended. What its processes did when is kept of so many
    /// runs as there is room for; beyond that, of those that a page shows.
    pub fn push(&mut self, mut run: RunSummary) {
        let mut tracks = std::mem::take(&mut run.spans.tracks);
        tracks.iter_mut().for_each(|track| track.begin_at(run.ready_s(track.process)));
        run.spans.tracks = tracks;
        self.runs.push(run);
        let kept = |run: &RunSummary| run.spans.tracks.iter().map(|track| track.spans().len()).sum::<usize>();
        if self.runs.iter().map(kept).sum::<usize>() <= KEPT_SPANS {
            return;
        }
        let shown: Vec<u32> = shown(self).into_iter().map(|run| run.run).collect();
        let others = self.runs.iter_mut().filter(|run| !shown.contains(&run.run));
        others.for_each(|run| run.spans.tracks.clear());
    }

    /// Reads how long items took where that makes a ceiling, and only there: in a
    /// run of each configuration that speedups are against. Long logs are left alone.
    ///
    /// # Errors
    /// A log can't be read, or it holds something else.
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
            let Spans { items, passed_over, .. } = Reader::of(run)?.spans;
            if let Some(own) = self.runs.iter_mut().find(|own| own.run == run.number) {
                own.spans.items = items;
                own.spans.passed_over.add(&passed_over);
            }
        }
        Ok(())
    }

    /// Lines of its log that could not be read.
    #[must_use]
    pub fn passed_over(&self) -> PassedOver {
        let mut all = PassedOver::default();
        self.runs.iter().for_each(|run| all.add(&run.spans.passed_over));
        all
    }

    /// What was measured of each configuration.
    #[must_use]
    pub fn measured(&self) -> Vec<Measured> {
        measure(&self.runs, self.usable_cores())
    }

    /// How many processors the call may use, at least one.
    #[must_use]
    pub fn usable_cores(&self) -> u32 {
        self.study.machine.usable_cores.max(1)
    }
}

/// Runs of a call that are shown in detail: for each configuration of the
/// largest size the one that is nearest to the median, of those whose spans are
/// kept if there are any.
pub(crate) fn shown(data: &StudyData) -> Vec<&RunSummary> {
    let rows = data.measured();
    let largest = rows.iter().filter_map(|row| row.configuration.size).max();
    let mut shown = Vec::new();
    for row in rows.iter().filter(|row| row.configuration.size == largest) {
        let off = |run: &&RunSummary| {
            let off = run.wall_s().zip(row.wall_s).map_or(f64::MAX, |(wall, median)| (wall - median).abs());
            (run.spans.tracks.is_empty(), off)
        };
        let runs = data.runs.iter().filter(|run| row.runs.contains(&run.run));
        shown.extend(runs.min_by(|a, b| {
            let (a, b) = (off(a), off(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        }));
    }
    shown.truncate(SHOWN_RUNS);
    shown
}

/// Gathers from a run's lines.
#[derive(Default)]
struct Reader {
    spans: Spans,
    failures: Failures,
}

impl Spans {
    /// What a run's log tells.
    ///
    /// # Errors
    /// It can't be read, or it holds something else.
    pub fn of_log(run: &RunLog) -> Result<Self, LogError> {
        Ok(Reader::of(run)?.spans)
    }
}

impl Reader {
    fn of(run: &RunLog) -> Result<Self, LogError> {
        let mut reader = Self::default();
        for file in run.item_files()? {
            let mut track = Track::new(file.process);
            visit_lines(&file.path, |line| {
                match reader.spans.passed_over.line(line, &file.path) {
                    Some(Line::Item(item)) => reader.take_item(&item, &mut track),
                    Some(Line::Chunk(part)) => track.push(Span::of_chunk_line(&part)),
                    Some(Line::Note(_)) | None => {}
                }
                Ok::<_, LogError>(())
            })?;
            reader.spans.tracks.push(track);
        }
        reader.spans.tracks.sort_by_key(|track| track.process);
        Ok(reader)
    }

    fn take_item(&mut self, item: &ItemLine<'_>, track: &mut Track) {
        let (start_s, busy_s) = (item.start_us / 1e6, item.duration_us / 1e6);
        let ended = item.error.as_ref().map(|error| of_word(&error.kind));
        let kind = match ended {
            Some(FailureKind::Crashed | FailureKind::TimedOut | FailureKind::OutOfMemory) => SpanKind::Lost,
            other => kind(other.is_some(), item.attempt),
        };
        let (first, items, chunk, attempt) = (item.item, 1, item.chunk, item.attempt);
        let end_s = start_s + busy_s;
        track.push(Span { kind, start_s, end_s, busy_s, first, items, chunk, attempt });
        self.spans.items.take(busy_s);
        if let Some(kind) = ended {
            self.failures.take(item, kind);
        }
    }
}

impl Failures {
    fn take(&mut self, item: &ItemLine<'_>, kind: FailureKind) {
        self.total += 1;
        if self.rows.len() >= 2 * KEPT_FAILURES {
            *self = std::mem::take(self).sorted();
        }
        let cut = || item.input.as_deref().unwrap_or_default().as_bytes().to_vec();
        self.rows.push(FailureRow {
            item: item.item,
            place: None,
            input: item.whole_input().unwrap_or_else(cut),
            kind,
            message: item.error.as_ref().map_or(Cow::default(), |error| error.message.clone()).into_owned(),
            pid: item.pid,
            attempts: item.attempt,
            file: None,
        });
    }

    fn sorted(mut self) -> Self {
        self.rows.sort_by_key(|row| row.item);
        self.rows.truncate(KEPT_FAILURES);
        self
    }
}

fn of_word(word: &str) -> FailureKind {
    FailureKind::ALL.into_iter().find(|kind| kind.as_str() == word).unwrap_or(FailureKind::Failed)
}

/// Names calls by their hosts if these differ, else by their logs' folders,
/// else by their place.
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
    use crate::runlog::{LogFolder, LogOptions};
    use crate::samples::{accepted, life, lost, run, who};
    use crate::study::{LogLevel, RunResult, RunStart, RunStatus};
    use procession::{Event, Observer};
    use procession_task::Failure;
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
        folder.write_study(&Study { machine, ..Study::default() }).unwrap();
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
        });
        drop(folder);
        StudyLog::open(path).unwrap()
    }

    #[test]
    fn a_log_tells_spans_times_and_failures() {
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
    fn a_log_of_chunks_tells_spans() {
        let dir = tempfile::tempdir().unwrap();
        let data = StudyData::from_log(&write(&dir.path().join("log"), "h", LogLevel::Chunk)).unwrap();
        let spans = &data.runs[0].spans;
        assert_eq!((spans.tracks[0].spans()[0].items, spans.items.count), (4, 1));
    }

    #[test]
    fn logs_are_told_apart() {
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
