//! What people see and keep of a call's runs: for each one its log, its live
//! lines and its bar, and in the end the tables.

mod call;

use crate::args::{Look, Plan, Progress as Bar};
use crate::aside::keep_tasks_aside;
use crate::cut_outputs::{CutItems, CutOutputs};
use crate::exit::{self, Status};
use crate::looks::{Looks, Making, Unwritten};
use crate::notes::Notes;
use crate::shortage::{Places, Shortage};
use procession::Observer;
use procession_job::{
    AlreadyComplete, Ending, Hooks, InputNames, OutputChoice, PriorProgress, RunInfo, RunPhase, RunReport, StudyReport,
};
use procession_report as report;
use procession_task::{FailureKind, counted, escape_terminal};
use report::read::RunLog;
use report::{
    Advice, Collected, CollectedSpans, Collector, FailureRow, Failures, LogFolder, LogLevel, LogOptions, MachineLoad,
    ProgressBar, ProgressTotal, RunLogging, RunResult, RunStart, RunStatus, RunSummary, SpanCollector, Spans,
    StudyData, Style, Summary, Terminal, VerboseLines, Warn,
};
use std::io::IsTerminal as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Watches the runs of a call.
pub(crate) struct Watch {
    look: Seen,
    pub(crate) terminal: Terminal,
    log: Option<LogFolder>,
    joblog: Option<report::JobLog>,
    host: String,
    /// The run that is under way.
    current: Option<Current>,
    /// What is known of those that ended.
    data: StudyData,
    /// Files that show it.
    looks: Looks,
}

/// What is to be seen.
struct Seen {
    level: Option<LogLevel>,
    verbose: bool,
    bar: bool,
    quiet: bool,
    hints: Hints,
    is_demo: bool,
}

/// Which advice is given without being asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hints {
    /// All: the call is there to measure.
    All,
    /// That somebody asked for workers who have nothing to do.
    Idle,
    /// None.
    No,
}

impl Hints {
    fn of(plan: &Plan) -> Self {
        match (plan.look.quiet, plan.is_measuring, plan.executors.are_counted) {
            (true, _, _) | (_, false, false) => Self::No,
            (_, true, _) => Self::All,
            (_, false, true) => Self::Idle,
        }
    }

    fn include(self, advice: &Advice) -> bool {
        match self {
            Self::All => true,
            Self::Idle => matches!(advice, Advice::TooFewItems { .. }),
            Self::No => false,
        }
    }
}

struct Current {
    start: RunStart,
    /// What the machine had done when it began.
    load: Option<MachineLoad>,
    collected: Collected,
    /// What its processes did when, where there is no log to tell.
    spans: Option<CollectedSpans>,
    places: Places,
    cut: CutItems,
    item_log: Arc<AtomicBool>,
    logging: Option<RunLogging>,
    joblogging: Option<report::JobLogging>,
    lines: Option<VerboseLines>,
    bar: Option<ProgressBar>,
}

impl Current {
    /// Processor seconds that other programs took since it began.
    fn other_cpu_s(&self) -> Option<f64> {
        Some(MachineLoad::now()?.others_since(self.load.as_ref()?).as_secs_f64())
    }
}

impl Watch {
    /// Prepares to watch the runs of this plan.
    ///
    /// # Errors
    /// A log or a file that was asked for can't be written.
    pub(crate) fn new(plan: &Plan, configurations: &[procession_job::Configuration]) -> Result<Self, String> {
        let &Look { log: level, verbose, progress, quiet, ref joblog, .. } = &plan.look;
        let bar = match progress {
            Bar::Auto => std::io::stderr().is_terminal(),
            Bar::Always => true,
            Bar::Never => false,
        };
        let terminal = Terminal::stderr();
        let study = call::study(plan, configurations);
        let log = if level.is_none() { None } else { call::log_folder(plan, &study, &terminal)? };
        let log_path = log.as_ref().map(|log| log.path().to_owned());
        let fallback = log_path.as_deref().filter(|_| plan.look.is_demo);
        let looks = Looks::new(&plan.look.files, fallback).map_err(|error| error.to_string())?;
        let host = procession_sys::hostname();
        let joblog = joblog.as_ref().map(|path| {
            let appended = plan.output.intent == procession_job::Intent::Resume;
            let opened = report::JobLog::open(path, appended, plan.work.name(), &host);
            opened
                .map_err(|error| format!("--joblog {}: {error}", escape_terminal(path.as_os_str().as_encoded_bytes())))
        });
        let joblog = joblog.transpose()?;
        Ok(Self {
            look: Seen { level, verbose, bar, quiet, hints: Hints::of(plan), is_demo: plan.look.is_demo },
            terminal,
            log,
            joblog,
            host,
            current: None,
            data: StudyData { study, log: log_path, ..StudyData::default() },
            looks,
        })
    }

    /// Refuses a job log that is an input or the output, which it would destroy.
    pub(crate) fn check_joblog(&self, plan: &Plan, input: Option<&procession_job::Input>) -> Result<(), String> {
        let (Some(joblog), Some(path)) = (&self.joblog, &plan.look.joblog) else { return Ok(()) };
        let Some(about) = joblog.metadata().ok().filter(std::fs::Metadata::is_file) else { return Ok(()) };
        let is_it = |other: std::fs::Metadata| (other.dev(), other.ino()) == (about.dev(), about.ino());
        let is_output = match &plan.output.choice {
            Some(OutputChoice::File(path)) => std::fs::metadata(path).is_ok_and(is_it),
            Some(OutputChoice::Picture(picture)) => std::fs::metadata(&picture.path).is_ok_and(is_it),
            None | Some(OutputChoice::Stdout) => std::fs::metadata("/proc/self/fd/1").is_ok_and(is_it),
        };
        let other = match input.and_then(|input| input.name_of(&about)) {
            Some(name) => format!("the input {name}"),
            None if is_output => "the output".to_owned(),
            None => return Ok(()),
        };
        let name = escape_terminal(path.as_os_str().as_bytes());
        Err(format!("--joblog {name}: is the same file as {other}, and would destroy it: give another file"))
    }

    /// A warning for people, unless they want none.
    pub(crate) fn warn(&self, text: &str) {
        warner(&self.terminal, self.look.quiet)(text);
    }

    /// The tables; what failed is told even to those who want to see nothing else.
    pub(crate) fn show_summary(&self) {
        let quiet = self.look.quiet;
        let summary = Summary {
            runs: if quiet { &[] } else { &self.data.runs },
            usable_cores: self.data.usable_cores(),
            failures: &self.data.failures.rows,
            failed: self.data.failures.total,
            log: self.log.as_ref().map(LogFolder::path).filter(|_| !quiet),
        };
        self.terminal.print_lines(summary.to_text(style(std::io::stderr().is_terminal())).as_bytes());
        for advice in report::advice(&self.data).iter().filter(|advice| self.look.hints.include(advice)) {
            self.terminal.println(&format!("hint: {}\n      {}", advice.evidence(), advice.way_out()));
        }
        if let Some(page) = self.looks.page().filter(|_| self.look.is_demo && !quiet) {
            self.terminal.println(&format!("page: {}", escape_terminal(page.as_os_str().as_bytes())));
        }
    }

    /// Brings the files that show what was measured up to date, when nothing
    /// more comes.
    pub(crate) fn finish_files(&mut self) -> Vec<Unwritten> {
        let _making = Making::begin();
        let unwritten = self.looks.finish(slice::from_ref(&self.data));
        self.looks.notes().iter().for_each(|note| self.note(note));
        if !self.look.quiet
            && let Err(error) = self.data.read_item_times()
        {
            self.warn(&error.to_string());
        }
        if let Some(note) = self.data.passed_over().note() {
            self.warn(&note);
        }
        unwritten
    }

    /// Keeps what is known of a run that ended, and shows it where that was asked for.
    fn keep(&mut self, mut run: RunSummary, spans: Option<CollectedSpans>, log: Option<&Path>) {
        let _making = Making::begin();
        let read = |folder: &Path| Spans::of_log(&RunLog::ended(folder.to_owned(), run.run)?);
        match log.filter(|_| self.looks.are_wanted()).map(read) {
            Some(Ok(spans)) => run.spans = spans,
            Some(Err(error)) => self.warn(&error.to_string()),
            None => run.spans = spans.map(|spans| spans.take()).unwrap_or_default(),
        }
        self.data.push(run);
        for problem in self.looks.rewrite(slice::from_ref(&self.data)) {
            self.warn(&problem.to_string());
        }
    }

    /// A note for people, unless they want none.
    pub(crate) fn note(&self, text: &str) {
        if !self.look.quiet {
            self.terminal.println(&format!("note: {text}"));
        }
    }

    /// An output was complete before the call: its status is that of the run that made it.
    pub(crate) fn already_complete(&self, of: &AlreadyComplete) -> Status {
        let failed = if of.failures > 0 { format!(", {} of them failed", of.failures) } else { String::new() };
        let grown = if of.input_has_grown { "; the input has more by now: --overwrite begins anew" } else { "" };
        self.note(&format!(
            "{} is complete, with {}{failed}: nothing was done{grown}",
            of.name,
            counted(of.items, "item")
        ));
        if of.failures > 0 { exit::ITEM_FAILED } else { exit::SUCCESS }
    }

    /// Says what can be done about an output that is not complete.
    pub(crate) fn tell_of_output(&self, plan: &Plan, report: &StudyReport) {
        let Some(OutputChoice::File(path)) = &plan.output.choice else { return };
        let name = escape_terminal(path.as_os_str().as_bytes());
        for run in &report.runs {
            if let Some(error) = &run.output.record_error {
                self.warn(&format!(
                    "{name} may not be resumed later: {}",
                    escape_terminal(error.to_string().as_bytes())
                ));
            }
            if let Some(items) = run.output.resumable {
                self.note(&format!(
                    "{name} is good for the first {}: --resume goes on after that",
                    counted(items, "item")
                ));
            }
        }
    }

    /// Keeps the failed items of the first run that had some: the others have the same.
    fn note_failures(&mut self, run: &RunReport, names: &InputNames, folder: Option<&Path>) {
        if self.data.failures.total > 0 {
            return;
        }
        let total = run.output.failures.total.saturating_sub(run.output.before.failures);
        let row = |failure: &procession::raw::ItemFailure| FailureRow {
            item: failure.item,
            place: failure.place.map(|p| format!("{}:{}:{}", names.get(p.input), p.line, p.column)),
            input: failure.input.to_vec(),
            kind: failure.failure.kind,
            message: failure.failure.message.clone(),
            pid: failure.pid,
            attempts: failure.attempts,
            // What the item itself said no to is told in full already.
            file: folder.filter(|_| is_death(failure.failure.kind)).and_then(|run| RunLog::file_of(run, failure.pid)),
        };
        let rows = run.output.failures.first.iter().map(row).collect();
        self.data.failures = Failures { rows, total };
    }
}

/// The watch, with the names of the inputs that failed items stand in.
pub(crate) struct Watching<'a> {
    pub(crate) watch: &'a mut Watch,
    pub(crate) names: &'a InputNames,
}

impl Hooks for Watching<'_> {
    fn warn(&mut self, text: &str) {
        self.watch.warn(&escape_terminal(text.as_bytes()));
    }

    fn on_run_start(&mut self, run: &RunInfo) {
        if run.planned.configuration.executor != procession_job::Executor::Procs {
            keep_tasks_aside();
        }
        if run.before.items > 0 {
            let PriorProgress { items, failures } = run.before;
            let failed = if failures > 0 { format!(", {failures} of which failed") } else { String::new() };
            self.watch.note(&format!("going on after the first {}{failed}", counted(items, "item")));
        }
        let warmup = !matches!(run.planned.phase, RunPhase::Measured(_));
        let repeat = match run.planned.phase {
            RunPhase::Measured(round) | RunPhase::Warmup(round) => round + 1,
            RunPhase::Printing => 1,
        };
        let start = RunStart { configuration: run.planned.configuration, repeat, warmup };
        self.watch.current = Some(Current {
            start,
            load: MachineLoad::now(),
            // Replaced with the observers, which come next.
            collected: Collector::new(&self.watch.host).1,
            spans: None,
            places: Places::default(),
            cut: CutItems::default(),
            item_log: Arc::default(),
            logging: None,
            joblogging: None,
            lines: None,
            bar: None,
        });
    }

    fn observers(&mut self, run: &RunInfo) -> Vec<Box<dyn Observer>> {
        let watch = &mut *self.watch;
        let mut problems = Vec::new();
        let Some(current) = &mut watch.current else { return Vec::new() };
        let (collector, collected) = Collector::new(&watch.host);
        current.collected = collected;
        let (shortage, places) = Shortage::new();
        let (cut_outputs, cut) = CutOutputs::new();
        (current.places, current.cut) = (places, cut);
        let mut observers: Vec<Box<dyn Observer>> =
            vec![Box::new(collector), Box::new(shortage), Box::new(cut_outputs)];
        if !watch.look.quiet {
            observers.push(Box::new(Notes::new(&watch.terminal)));
        }
        if let Some(log) = &mut watch.log {
            let level = watch.look.level.unwrap_or(LogLevel::Task);
            let options = LogOptions { level, ..LogOptions::default() };
            let warn = warner(&watch.terminal, watch.look.quiet);
            match log.start_run(current.start.clone(), &options, Arc::clone(&current.item_log), warn) {
                Ok((logger, logging)) => {
                    observers.push(Box::new(logger));
                    current.logging = Some(logging);
                }
                Err(error) => problems.push(format!("no log of this run: {error}")),
            }
        }
        if watch.looks.are_wanted() && current.logging.is_none() {
            let (collector, spans) = SpanCollector::new();
            observers.push(Box::new(collector));
            current.spans = Some(spans);
        }
        if let Some(joblog) = &mut watch.joblog {
            match joblog.start_run(warner(&watch.terminal, watch.look.quiet)) {
                Ok((logger, logging)) => {
                    observers.push(Box::new(logger));
                    current.joblogging = Some(logging);
                }
                Err(error) => problems.push(format!("no job log of this run: {error}")),
            }
        }
        if watch.look.verbose {
            match report::Verbose::start(&watch.terminal) {
                Ok((verbose, lines)) => {
                    observers.push(Box::new(verbose));
                    current.lines = Some(lines);
                }
                Err(error) => problems.push(format!("no live lines: {error}")),
            }
        }
        if watch.look.bar {
            let status = run.input.clone();
            let total = move || {
                let to_do = status.expected_items().map(|items| items.saturating_sub(status.before));
                to_do.map_or(ProgressTotal::Unknown, ProgressTotal::Items)
            };
            match report::Progress::start(&watch.terminal, &label(run), total) {
                Ok((progress, bar)) => {
                    observers.push(Box::new(progress));
                    current.bar = Some(bar);
                }
                Err(error) => problems.push(format!("no progress bar: {error}")),
            }
        }
        problems.iter().for_each(|problem| self.watch.warn(problem));
        observers
    }

    fn item_log(&mut self, _: &RunInfo) -> Arc<AtomicBool> {
        let Some(current) = &self.watch.current else { return Arc::default() };
        if current.joblogging.is_some() {
            // Wanted to the end, whatever becomes of the log's own lines.
            return Arc::new(AtomicBool::new(true));
        }
        Arc::clone(&current.item_log)
    }

    fn on_run_end(&mut self, run: &RunReport, ending: Option<&Ending>) {
        let Some(current) = self.watch.current.take() else { return };
        let other_cpu_s = current.other_cpu_s();
        if let Some(bar) = current.bar {
            bar.finish();
        }
        if let Some(lines) = current.lines {
            lines.finish();
        }
        if let Some(complaint) = current.places.complaint() {
            self.watch.warn(&escape_terminal(complaint.as_bytes()));
        }
        if let Some(note) = current.cut.note() {
            self.watch.note(&note);
        }
        let result = RunResult {
            status: match ending {
                None | Some(Ending::AlreadyComplete(_)) => RunStatus::Completed,
                Some(Ending::Stopped | Ending::Closed) => RunStatus::Interrupted,
                Some(
                    Ending::Failures | Ending::Pool(_) | Ending::Input(_) | Ending::Output(_) | Ending::Refused(_),
                ) => RunStatus::Failed,
            },
            wall_s: run.wall.unwrap_or_default().as_secs_f64(),
            // What this run did: an output that was gone on with has more.
            items: run.output.items.saturating_sub(run.output.before.items),
            failures: run.output.failures.total.saturating_sub(run.output.before.failures),
            digest: run.output.digest.map(|digest| format!("{digest:032x}")),
            message: ending.and_then(describe),
            other_cpu_s,
            coordinator: Some(run.coordinator),
            longest_s: Some(current.collected.longest_s()),
        };
        if let Some(joblogging) = current.joblogging {
            joblogging.finish();
        }
        let folder = current.logging.as_ref().map(|logging| logging.path().to_owned());
        if let Some(logging) = current.logging {
            logging.finish(result.clone());
        }
        let number = u32::try_from(run.planned.number).unwrap_or(u32::MAX);
        self.watch.note_failures(run, self.names, folder.as_deref());
        if run.wall.is_some() {
            // Without it the pool failed, and there is nothing to make a table of.
            let summary = RunSummary::new(number, current.start, result, &current.collected);
            self.watch.keep(summary, current.spans, folder.as_deref());
        }
    }
}

/// How text looks on standard output or standard error: in colour only on a
/// terminal, and only if nobody said no.
pub(crate) fn style(is_terminal: bool) -> Style {
    Style { colour: is_terminal && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) }
}

/// What ended a run, in a sentence.
pub(crate) fn describe(ending: &Ending) -> Option<String> {
    match ending {
        Ending::Stopped => Some("stopped by a signal".to_owned()),
        Ending::Output(error) => Some(error.to_string()),
        Ending::Pool(error) => Some(error.to_string()),
        Ending::Input(error) => Some(error.to_string()),
        Ending::Refused(error) => Some(error.to_string()),
        Ending::Failures | Ending::Closed | Ending::AlreadyComplete(_) => None,
    }
}

/// Whether the item's process is gone with it.
fn is_death(kind: FailureKind) -> bool {
    matches!(kind, FailureKind::Crashed | FailureKind::TimedOut | FailureKind::OutOfMemory)
}

/// What stands before the bar.
fn label(run: &RunInfo) -> String {
    if run.runs == 1 {
        return String::new();
    }
    let procession_job::Configuration { executor, count, .. } = run.planned.configuration;
    let count = if executor == procession_job::Executor::Serial { String::new() } else { format!(" {count}") };
    format!("run {} of {}: {}{count}", run.planned.number, run.runs, executor.name())
}

fn warner(terminal: &Terminal, quiet: bool) -> Warn {
    let terminal = terminal.clone();
    Arc::new(move |text| {
        if !quiet {
            terminal.println(&format!("warning: {text}"));
        }
    })
}
