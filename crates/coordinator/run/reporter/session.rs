//! The report of one run, from its start to its end: its observers, and what
//! they collect.

use super::cut_outputs::CutItems;
use super::notes::{NotesObserver, warner};
use super::run_reporter::RunReporter;
use super::spawn_shortfall::SpawnShortfall;
use crate::run::ending::describe;
use crate::run::in_process::divert_tasks;
use procession::Observer;
use procession_job::{
    Configuration, Ending, Executor, InputNames, PriorProgress, RunInfo, RunPhase, RunReport, RunSession,
};
use procession_report::{
    self as report, Collected, CollectedSpans, Collector, JobLogging, LogLevel, LogOptions, MachineLoad, ProgressBar,
    ProgressTotal, RunLogging, RunResult, RunStart, RunStatus, RunSummary, SpanCollector, VerboseLines,
};
use procession_task::{counted, escape_terminal};
use std::fmt::Display;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The report of a run that is in progress.
pub(super) struct ReportedRun<'a> {
    reporter: &'a mut RunReporter,
    /// The names of the input files.
    names: &'a InputNames,
    start: RunStart,
    /// The load of the machine when the run started.
    load: Option<MachineLoad>,
    observers: Vec<Box<dyn Observer>>,
    /// Whether items have log lines.
    item_log: Arc<AtomicBool>,
    collected: Collected,
    shortfall: SpawnShortfall,
    cut: CutItems,
    /// The log of the run, if there is one.
    logging: Option<RunLogging>,
    /// What its processes did and when, if report files need it and no log has it.
    spans: Option<CollectedSpans>,
    joblogging: Option<JobLogging>,
    lines: Option<VerboseLines>,
    bar: Option<ProgressBar>,
}

impl<'a> ReportedRun<'a> {
    /// Starts with the run.
    pub(super) fn start(reporter: &'a mut RunReporter, names: &'a InputNames, run: &RunInfo) -> Self {
        if run.planned.configuration.executor != Executor::Procs {
            divert_tasks();
        }
        if let Some(note) = note_of(run.before) {
            reporter.note(&note);
        }
        reporter.begin_log(run.earlier_log.as_deref());
        let start = run_start(run);
        let load = MachineLoad::now();
        let item_log = Arc::default();
        let (collector, collected) = Collector::new(&reporter.host);
        let (shortfall_observer, shortfall) = SpawnShortfall::observe();
        let (cut_observer, cut) = CutItems::observe();
        let mut observers: Vec<Box<dyn Observer>> =
            vec![Box::new(collector), Box::new(shortfall_observer), Box::new(cut_observer)];
        if let Some(function) = &reporter.function {
            observers.push(Box::new(function.observe()));
        }
        let mut attached = Attached { reporter, observers };
        let logging = attached.log(&start, &item_log);
        let spans = attached.spans(logging.is_some());
        let joblogging = attached.joblog();
        let lines = attached.lines();
        let bar = attached.bar(run);
        let Attached { reporter, observers } = attached;
        Self {
            reporter,
            names,
            start,
            load,
            observers,
            item_log,
            collected,
            shortfall,
            cut,
            logging,
            spans,
            joblogging,
            lines,
            bar,
        }
    }

    /// CPU seconds of other programs since the run started.
    fn other_cpu_s(&self) -> Option<f64> {
        Some(MachineLoad::now()?.others_since(self.load.as_ref()?).as_secs_f64())
    }
}

impl RunSession for ReportedRun<'_> {
    fn observers(&mut self) -> Vec<Box<dyn Observer>> {
        std::mem::take(&mut self.observers)
    }

    fn item_log(&self) -> Arc<AtomicBool> {
        if self.joblogging.is_some() {
            // The job log needs them to the end, also if the log stops.
            return Arc::new(AtomicBool::new(true));
        }
        Arc::clone(&self.item_log)
    }

    fn finish(self: Box<Self>, run: &RunReport, ending: Option<&Ending>) {
        let other_cpu_s = self.other_cpu_s();
        let Self { reporter, names, start, collected, shortfall, cut, logging, spans, joblogging, lines, bar, .. } =
            *self;
        if let Some(bar) = bar {
            bar.finish();
        }
        if let Some(lines) = lines {
            lines.finish();
        }
        if let Some(complaint) = shortfall.complaint() {
            reporter.warn(&escape_terminal(complaint.as_bytes()));
        }
        if let Some(note) = cut.note() {
            reporter.note(&note);
        }
        if let Some(joblogging) = joblogging {
            let finished = joblogging.finish();
            reporter.note_joblog(finished.err());
        }
        let (longest_s, slowest) = (Some(collected.longest_s()), collected.slowest());
        let result = RunResult { other_cpu_s, longest_s, slowest, ..run_result(run, ending) };
        let folder = logging.as_ref().map(|logging| logging.path().to_owned());
        if let Some(logging) = logging {
            logging.finish(result.clone());
        }
        if let Some(function) = &reporter.function {
            function.run_ended(folder.as_deref());
        }
        reporter.note_failures(run, names, folder.as_deref());
        if run.wall.is_some() {
            // Without a time the pool failed, and the run has no row in the table.
            let number = u32::try_from(run.planned.number).unwrap_or(u32::MAX);
            reporter.keep(RunSummary::new(number, start, result, collected.take()), spans, folder.as_deref());
        }
    }
}

/// The observers of a run, while they are collected. If one can't be started,
/// there is a warning, and the run goes on without it.
struct Attached<'a> {
    reporter: &'a mut RunReporter,
    observers: Vec<Box<dyn Observer>>,
}

impl Attached<'_> {
    /// Adds an observer; `missing` is what the run has not if it failed.
    fn add<O: Observer + 'static, T>(&mut self, started: Result<(O, T), impl Display>, missing: &str) -> Option<T> {
        match started {
            Ok((observer, handle)) => {
                self.observers.push(Box::new(observer));
                Some(handle)
            }
            Err(error) => {
                self.reporter.warn(&format!("no {missing}: {error}"));
                None
            }
        }
    }

    /// The notes, and the log.
    fn log(&mut self, start: &RunStart, item_log: &Arc<AtomicBool>) -> Option<RunLogging> {
        let reporter = &mut *self.reporter;
        let quiet = reporter.settings.quiet;
        self.observers.push(Box::new(NotesObserver::new(&reporter.terminal, &reporter.told, quiet)));
        let level = reporter.settings.level.unwrap_or(LogLevel::Task);
        let options = LogOptions { level, ..LogOptions::default() };
        let warn = warner(&reporter.terminal, quiet);
        let started = reporter.log.as_mut()?.start_run(start.clone(), &options, Arc::clone(item_log), warn);
        self.add(started, "log of this run")
    }

    /// What processes do and when, if report files need it and no log has it.
    fn spans(&mut self, is_logged: bool) -> Option<CollectedSpans> {
        if is_logged || !self.reporter.files.are_wanted() {
            return None;
        }
        let (collector, spans) = SpanCollector::new();
        self.observers.push(Box::new(collector));
        Some(spans)
    }

    fn joblog(&mut self) -> Option<JobLogging> {
        match self.reporter.joblog.as_mut()?.start_run() {
            Ok((observer, handle)) => {
                self.observers.push(Box::new(observer));
                Some(handle)
            }
            Err(error) => {
                self.reporter.note_joblog(Some(error));
                None
            }
        }
    }

    fn lines(&mut self) -> Option<VerboseLines> {
        if !self.reporter.settings.verbose {
            return None;
        }
        let started = report::Verbose::start(&self.reporter.terminal, self.reporter.function.is_some());
        self.add(started, "live lines")
    }

    fn bar(&mut self, run: &RunInfo) -> Option<ProgressBar> {
        if !self.reporter.settings.bar {
            return None;
        }
        let status = run.input.clone();
        let total = move || {
            let to_do = status.expected_items().map(|items| items.saturating_sub(status.before));
            to_do.map_or(ProgressTotal::Unknown, ProgressTotal::Items)
        };
        let started = report::Progress::start(&self.reporter.terminal, &label(run), total);
        self.add(started, "progress bar")
    }
}

/// Which items an earlier run has done, and which of them are run again.
fn note_of(before: PriorProgress) -> Option<String> {
    match before {
        PriorProgress { items: 0, .. } => None,
        PriorProgress { items, retried: 0, failures } => {
            let failed = if failures > 0 { format!(", {failures} of which failed") } else { String::new() };
            Some(format!("continuing after the first {}{failed}", counted(items, "item")))
        }
        PriorProgress { items, retried, .. } => {
            Some(format!("running {} of the first {items} again", counted(retried, "failed item")))
        }
    }
}

/// The run as the log describes it at its start.
fn run_start(run: &RunInfo) -> RunStart {
    let (repeat, warmup) = match run.planned.phase {
        RunPhase::Measured(round) => (round + 1, false),
        RunPhase::Warmup(round) => (round + 1, true),
        RunPhase::Printing => (1, true),
    };
    RunStart { configuration: run.planned.configuration, repeat, warmup }
}

/// The result of a run, without what observers collected.
fn run_result(run: &RunReport, ending: Option<&Ending>) -> RunResult {
    let status = match ending {
        None | Some(Ending::AlreadyComplete(_)) => RunStatus::Completed,
        Some(Ending::Stopped | Ending::Closed) => RunStatus::Interrupted,
        Some(Ending::Failures | Ending::Pool(_) | Ending::Input(_) | Ending::Output(_) | Ending::Refused(_)) => {
            RunStatus::Failed
        }
    };
    RunResult {
        status,
        wall_s: run.wall.unwrap_or_default().as_secs_f64(),
        // Only those of this run: a resumed output has more.
        items: run.output.items.saturating_sub(run.output.before.items) + new_rows(run),
        failures: run.output.failures.total.saturating_sub(run.output.before.failures),
        digest: run.output.digest.map(|digest| format!("{digest:032x}")),
        message: ending.and_then(describe),
        other_cpu_s: None,
        coordinator: Some(run.coordinator),
        longest_s: None,
        slowest: None,
    }
}

/// How many rows of an earlier run were replaced.
fn new_rows(run: &RunReport) -> u64 {
    run.output.retried.map_or(0, |retried| retried.count)
}

/// The text before the progress bar.
fn label(run: &RunInfo) -> String {
    if run.runs == 1 {
        return String::new();
    }
    let Configuration { executor, count, .. } = run.planned.configuration;
    let count = if executor == Executor::Serial { String::new() } else { format!(" {count}") };
    format!("run {} of {}: {}{count}", run.planned.number, run.runs, executor.name())
}
