//! Runs a study: all its runs in turn. Compares their outputs, and writes the
//! results at most once.

use super::compare::{Mismatch, compare};
use super::hooks::Hooks;
use super::launch::{ExecutorSetup, Launch};
use super::plan::{PlannedRun, PrintedResults, Rounds, plan};
use super::prepare::{spooled, table};
use super::run::{Ending, RunInfo, RunReport, RunSetup, StudyJob, run};
use super::stopper::Stopper;
use super::workload::Workload;
use crate::failure_policy::FailurePolicy;
use crate::input::InputSlice;
use crate::output::choice::OutputChoice;
use crate::output::report::OutputEnd;
use crate::output::target::OutputTarget;
use crate::output::writer::options::OutputOptions;
use crate::resume::decision::ResumeOptions;
use crate::resume::tracker::RetriedItems;
use procession_task::{Configuration, ResultOrder};
use std::collections::BTreeMap;

/// A study, before it begins.
pub struct Study {
    /// The job.
    pub work: StudyJob,
    /// Its items.
    pub workload: Workload,
    /// Its configurations.
    pub configurations: Vec<Configuration>,
    /// How often each configuration runs.
    pub rounds: Rounds,
    /// Where results go; `None`: to standard output for a single run, nowhere
    /// for several.
    pub output: Option<OutputChoice>,
    /// What to do with an existing output file.
    pub resume: ResumeOptions,
    /// What failed items do.
    pub policy: FailurePolicy,
    /// The executors.
    pub workers: ExecutorSetup,
}

/// The result of a study.
#[derive(Debug)]
pub struct StudyReport {
    /// The runs that began, in order.
    pub runs: Vec<RunReport>,
    /// Sizes whose outputs differ.
    pub mismatches: Vec<Mismatch>,
    /// Why it ended before its last run, if it did.
    pub ending: Option<Ending>,
}

impl StudyReport {
    /// Whether it ended after its last run.
    #[must_use]
    pub fn is_regular(&self) -> bool {
        matches!(self.ending, None | Some(Ending::AlreadyComplete(_)))
    }
}

impl Study {
    /// All its runs, in order.
    #[must_use]
    pub fn plan(&self) -> Vec<PlannedRun> {
        plan(&self.configurations, self.rounds, PrintedResults::by(self.output.as_ref()))
    }

    /// Runs it to its end, or until `stopper` is used.
    #[must_use]
    pub fn run(self, hooks: &mut dyn Hooks, stopper: &Stopper) -> StudyReport {
        let Self { work, workload, configurations, rounds, output, resume, policy, workers } = self;
        let runs = plan(&configurations, rounds, PrintedResults::by(output.as_ref()));
        StudyRunner { work, resume, policy, launch: &workers, hooks, stopper, runs, done: Vec::new() }
            .run_all(workload, output)
    }
}

/// Performs the planned runs.
pub(crate) struct StudyRunner<'a> {
    pub(crate) work: StudyJob,
    pub(crate) resume: ResumeOptions,
    pub(crate) policy: FailurePolicy,
    pub(crate) launch: &'a dyn Launch,
    pub(crate) hooks: &'a mut dyn Hooks,
    pub(crate) stopper: &'a Stopper,
    pub(crate) runs: Vec<PlannedRun>,
    pub(crate) done: Vec<RunReport>,
}

impl StudyRunner<'_> {
    pub(crate) fn run_all(mut self, workload: Workload, output: Option<OutputChoice>) -> StudyReport {
        let ending = self.all(workload, output).err();
        let mismatches = compare(&self.done, self.work.unit);
        StudyReport { runs: self.done, mismatches, ending }
    }

    fn all(&mut self, workload: Workload, output: Option<OutputChoice>) -> Result<(), Ending> {
        // Opened before any work, so that a missing folder is reported at once.
        let choice = output.unwrap_or(OutputChoice::Stdout);
        let printing: Vec<_> = self.runs.iter().filter(|planned| planned.prints).copied().collect();
        let mut targets = BTreeMap::new();
        for planned in printing {
            targets.insert(planned.number, self.open(&choice, &planned.configuration, &workload)?);
        }
        let retried = targets.values().find_map(OutputTarget::retried);
        let workload = self.prepared(workload, retried.as_ref())?;
        for planned in self.runs.clone() {
            if self.stopper.is_stopped() {
                return Err(Ending::Stopped);
            }
            let target = targets.remove(&planned.number).unwrap_or_else(OutputTarget::nothing);
            self.one(planned, &workload, target)?;
        }
        Ok(())
    }

    /// Makes the input readable as often as needed, and refuses sizes that it
    /// can't fill.
    fn prepared(&self, workload: Workload, retried: Option<&RetriedItems>) -> Result<Workload, Ending> {
        let Workload::Items(mut input) = workload else { return Ok(workload) };
        let sizes = || self.runs.iter().map(|planned| planned.configuration.size);
        // An input that is needed more than once must be readable more than
        // once.
        let is_reread = self.runs.len() > 1 || input.options().cycle || retried.is_some();
        if is_reread && input.is_stream() {
            let largest = sizes().reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b))).flatten();
            let old = retried.filter(|retried| !retried.goes_on).map(|retried| retried.rows.count);
            input = spooled(input, old.or(largest), self.stopper)?;
        }
        input.check_size(sizes().flatten().max()).map_err(Ending::Input)?;
        Ok(Workload::Items(input))
    }

    fn one(&mut self, planned: PlannedRun, workload: &Workload, target: OutputTarget) -> Result<(), Ending> {
        let size = planned.configuration.size;
        let (sized, more_params);
        let (input, size) = match workload {
            Workload::Items(input) => {
                more_params = Vec::new();
                (input, size)
            }
            Workload::Sized(make) => {
                sized = make(size).map_err(Ending::Input)?;
                more_params = sized.params;
                (&sized.input, None)
            }
        };
        let slice = InputSlice { size, block: self.work.unit.block(planned.configuration.chunk) };
        let mut source = input.source_on(&slice, target.tracker());
        let table = table(input, &mut source.0, self.stopper)?;
        let mut work = self.work.with_table(table);
        if target.retried().is_some() {
            // New rows are put into their places whatever the order of the output is.
            work.spec.order = ResultOrder::Input;
        }
        let info = RunInfo {
            planned,
            runs: self.runs.len(),
            input: source.1.clone(),
            before: target.before(),
            earlier_log: target.earlier_log(),
        };
        let mut session = self.hooks.start(&info);
        let is_study = self.runs.len() > 1;
        let setup = RunSetup {
            work: &work,
            more_params,
            observers: session.observers(),
            item_log: session.item_log(),
            target,
            output: OutputOptions {
                policy: self.policy,
                digest: is_study && self.work.is_ordered(),
                stop_when_closed: !is_study,
                ..OutputOptions::new(self.work.spec.format)
            },
        };
        let (run, ending) = run(planned, input, source, setup, self.launch, self.stopper);
        let ending = ending.or_else(|| closed(&run, is_study));
        session.finish(&run, ending.as_ref());
        self.done.push(run);
        ending.map_or(Ok(()), Err)
    }
}

/// In a study of several runs, a reader that closes the output ends only the
/// writing.
fn closed(run: &RunReport, is_study: bool) -> Option<Ending> {
    (matches!(run.output.end, OutputEnd::Closed) && !is_study).then_some(Ending::Closed)
}
