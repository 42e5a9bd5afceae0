//! All the runs of one call: measured in turn, compared by what they wrote,
//! and printed at most once.

use crate::blocks::Unit;
use crate::launch::{Launch, Workers};
use crate::output::{OutputChoice, OutputEnd, Target};
use crate::plan::{Planned, Rounds, plan};
use crate::portion::Portion;
use crate::resume::{self, OpenError, Opened, ResumeOptions};
use crate::run::{Ending, Run, RunInfo, Setup, StudyJob, run};
use crate::stopper::Stopper;
use crate::writer::OutputOptions;
use crate::{Configuration, FailurePolicy, Input, InputError, ResumeError, ResumeReason};
use procession::raw::Request;
use procession::{ChunkSize, Observer};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc;

/// The items of a study.
pub enum Workload {
    /// One input; a size is its first items.
    Items(Input),
    /// What a size means is the task's own affair: an input and more settings
    /// of the task for each.
    Sized(Box<dyn Fn(Option<u64>) -> Result<SizedWork, InputError>>),
}

/// The work of one size.
#[derive(Debug)]
pub struct SizedWork {
    /// The items.
    pub input: Input,
    /// The task's settings for this size, besides those of every run.
    pub params: Vec<(String, String)>,
}

/// A study: everything that is decided before it begins.
pub struct Study {
    /// What is run.
    pub work: StudyJob,
    /// On which items.
    pub workload: Workload,
    /// In which ways.
    pub configurations: Vec<Configuration>,
    /// How often.
    pub rounds: Rounds,
    /// Where results go; `None`: a single run's to standard output, a study's nowhere.
    pub output: Option<OutputChoice>,
    /// What becomes of an output file that is there already.
    pub resume: ResumeOptions,
    /// What failed items do to a run.
    pub policy: FailurePolicy,
    /// The workers.
    pub workers: Workers,
}

/// What happens around the runs; called on the study's thread.
pub trait Hooks {
    /// A run is about to begin.
    fn on_run_start(&mut self, _run: &RunInfo) {}

    /// Who hears of its events.
    fn observers(&mut self, _run: &RunInfo) -> Vec<Box<dyn Observer>> {
        Vec::new()
    }

    /// Whether its items have log lines; may be changed while it runs.
    fn item_log(&mut self, _run: &RunInfo) -> Arc<AtomicBool> {
        Arc::default()
    }

    /// Something that people should know and that ends nothing.
    fn warn(&mut self, _text: &str) {}

    /// A run has ended; `ending` says why if the study ends with it.
    fn on_run_end(&mut self, _run: &Run, _ending: Option<&Ending>) {}
}

/// Outputs of one size that are not the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The size.
    pub size: Option<u64>,
    /// Numbers of the runs for each digest, the most frequent first.
    pub runs: Vec<(u128, Vec<usize>)>,
}

/// What came of a study.
#[derive(Debug)]
pub struct StudyReport {
    /// The runs that began, in order.
    pub runs: Vec<Run>,
    /// Sizes whose outputs differ.
    pub mismatches: Vec<Mismatch>,
    /// What ended it before its plan was done, if anything did.
    pub ending: Option<Ending>,
}

impl Study {
    /// All its runs, in order.
    #[must_use]
    pub fn plan(&self) -> Vec<Planned> {
        plan(&self.configurations, self.rounds, OutputChoice::wanted(self.output.as_ref()))
    }

    /// Runs it, until its end or until `stopper` is used.
    #[must_use]
    pub fn run(self, hooks: &mut dyn Hooks, stopper: &Stopper) -> StudyReport {
        let Self { work, workload, configurations, rounds, output, resume, policy, workers } = self;
        let runs = plan(&configurations, rounds, OutputChoice::wanted(output.as_ref()));
        Conductor { work, resume, policy, launch: &workers, hooks, stopper, runs, done: Vec::new() }
            .conduct(workload, output)
    }
}

/// Goes through the plan.
pub(crate) struct Conductor<'a> {
    pub(crate) work: StudyJob,
    pub(crate) resume: ResumeOptions,
    pub(crate) policy: FailurePolicy,
    pub(crate) launch: &'a dyn Launch,
    pub(crate) hooks: &'a mut dyn Hooks,
    pub(crate) stopper: &'a Stopper,
    pub(crate) runs: Vec<Planned>,
    pub(crate) done: Vec<Run>,
}

impl Conductor<'_> {
    pub(crate) fn conduct(mut self, workload: Workload, output: Option<OutputChoice>) -> StudyReport {
        let ending = self.all(workload, output).err();
        let mismatches = compare(&self.done, self.work.unit);
        StudyReport { runs: self.done, mismatches, ending }
    }

    fn all(&mut self, workload: Workload, output: Option<OutputChoice>) -> Result<(), Ending> {
        // Opened before any work: nobody is to wait for an hour to hear of a missing folder.
        let choice = output.unwrap_or(OutputChoice::Stdout);
        let printing: Vec<_> = self.runs.iter().filter(|planned| planned.prints).copied().collect();
        let mut targets = BTreeMap::new();
        for planned in printing {
            targets.insert(planned.number, self.open(&choice, &planned.configuration, &workload)?);
        }
        let workload = self.prepared(workload)?;
        for planned in self.runs.clone() {
            if self.stopper.is_stopped() {
                return Err(Ending::Stopped);
            }
            let target = targets.remove(&planned.number).unwrap_or_else(Target::nothing);
            self.one(planned, &workload, target)?;
        }
        Ok(())
    }

    /// Opens the output of a run of this configuration.
    fn open(&mut self, choice: &OutputChoice, of: &Configuration, workload: &Workload) -> Result<Target, Ending> {
        let size = of.size;
        let target = match choice {
            OutputChoice::Stdout => Target::stdout().map_err(Ending::Output)?,
            OutputChoice::File(path) => self.open_file(path, of, workload)?,
            OutputChoice::Picture(picture) => self.written_anew(&picture.path_for(size))?,
        };
        refuse_input(&target, workload)?;
        match choice {
            OutputChoice::Picture(picture) => picture.paint(target, size).map_err(Ending::Output),
            OutputChoice::Stdout | OutputChoice::File(_) => Ok(target),
        }
    }

    /// Opens a file. The results of a single run, in order, are their own journal.
    fn open_file(&mut self, path: &Path, of: &Configuration, workload: &Workload) -> Result<Target, Ending> {
        if self.runs.len() > 1 || !self.work.is_ordered() {
            return self.written_anew(path);
        }
        let sized;
        let input = match workload {
            Workload::Items(input) => input,
            Workload::Sized(make) => {
                sized = make(of.size).map_err(Ending::Input)?;
                &sized.input
            }
        };
        let portion = Portion { size: of.size, block: self.work.unit.block(of.chunk) };
        let job = resume::Job::new(&self.work, input.options(), &portion, self.policy, &self.resume.settings);
        let hooks = &mut *self.hooks;
        match resume::open(path, self.resume.intent, job, &mut |text| hooks.warn(text))? {
            Opened::Target(target) => Ok(*target),
            Opened::Complete(mark) => {
                let complete = resume::check_complete(path, &mark, input, &portion).map_err(Ending::Input)?;
                Err(Ending::AlreadyComplete(complete))
            }
        }
    }

    /// Opens a file of which nothing can be gone on with.
    fn written_anew(&mut self, path: &Path) -> Result<Target, Ending> {
        let hooks = &mut *self.hooks;
        Ok(resume::open_anew(path, self.resume.intent, &mut |text| hooks.warn(text))?)
    }

    /// Makes the input readable as often as needed, and refuses sizes that it can't fill.
    fn prepared(&self, workload: Workload) -> Result<Workload, Ending> {
        let Workload::Items(mut input) = workload else { return Ok(workload) };
        let sizes = || self.runs.iter().map(|planned| planned.configuration.size);
        // What is needed more than once must be there more than once.
        let is_reread = self.runs.len() > 1 || input.options().cycle;
        if is_reread && input.is_stream() {
            let largest = sizes().reduce(|a, b| a.zip(b).map(|(a, b)| a.max(b))).flatten();
            input = spooled(input, largest, self.stopper)?;
        }
        input.check_size(sizes().flatten().max()).map_err(Ending::Input)?;
        Ok(Workload::Items(input))
    }

    fn one(&mut self, planned: Planned, workload: &Workload, target: Target) -> Result<(), Ending> {
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
        let portion = Portion { size, block: self.work.unit.block(planned.configuration.chunk) };
        let source = input.source_on(&portion, target.trail());
        let info = RunInfo { planned, runs: self.runs.len(), input: source.1.clone(), before: target.before() };
        self.hooks.on_run_start(&info);
        let is_study = self.runs.len() > 1;
        let setup = Setup {
            work: &self.work,
            more_params,
            observers: self.hooks.observers(&info),
            item_log: self.hooks.item_log(&info),
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
        self.hooks.on_run_end(&run, ending.as_ref());
        self.done.push(run);
        ending.map_or(Ok(()), Err)
    }
}

impl From<OpenError> for Ending {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Refused(error) => Self::Refused(error),
            OpenError::Failed(error) => Self::Output(error),
        }
    }
}

/// An output that is an input too would be read while it is written, or be
/// gone before it is read.
fn refuse_input(target: &Target, workload: &Workload) -> Result<(), Ending> {
    let (Some((name, id)), Workload::Items(input)) = (target.file_id(), workload) else { return Ok(()) };
    match input.name_of_file(id) {
        Some(input) => {
            let (name, reason) = (name.to_owned(), ResumeReason::IsInput(input.to_owned()));
            Err(Ending::Refused(ResumeError { name, reason }))
        }
        None => Ok(()),
    }
}

/// In a study a reader that goes away ends only the printing.
fn closed(run: &Run, is_study: bool) -> Option<Ending> {
    (matches!(run.output.end, OutputEnd::Closed) && !is_study).then_some(Ending::Closed)
}

/// Spools on a thread of its own, so that a stop is heard while a stream pauses.
fn spooled(mut input: Input, size: Option<u64>, stopper: &Stopper) -> Result<Input, Ending> {
    let (tell, told) = mpsc::channel();
    let stop = tell.clone();
    let _held = stopper.hold(move |request| {
        if matches!(request, Request::Stop | Request::Kill) {
            let _ = stop.send(Err(Ending::Stopped));
        }
    });
    let work = move || {
        let result = input.spool(size).map_err(Ending::Input);
        let _ = tell.send(result.map(|()| input));
    };
    let thread = std::thread::Builder::new().name("spool".to_owned()).spawn(work);
    thread.map_err(|error| Ending::Input(InputError::Thread(error)))?;
    told.recv().unwrap_or(Err(Ending::Stopped))
}

/// Sizes whose complete outputs differ. Other blocks may well have another output.
fn compare(runs: &[Run], unit: Unit) -> Vec<Mismatch> {
    let mut groups: BTreeMap<_, BTreeMap<u128, Vec<usize>>> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.complete) {
        let Configuration { size, chunk, .. } = run.planned.configuration;
        if let Some(digest) = run.output.digest {
            let block = match unit.block(chunk) {
                Some(ChunkSize::Fixed(items)) => Some(items.get()),
                Some(ChunkSize::Auto) | None => None,
            };
            groups.entry((size, block)).or_default().entry(digest).or_default().push(run.planned.number);
        }
    }
    let differing = groups.into_iter().filter(|(_, digests)| digests.len() > 1);
    let sorted = |((size, _), digests): (_, BTreeMap<u128, Vec<usize>>)| {
        let mut runs: Vec<_> = digests.into_iter().collect();
        runs.sort_by_key(|(_, numbers)| (std::cmp::Reverse(numbers.len()), numbers[0]));
        Mismatch { size, runs }
    };
    differing.map(sorted).collect()
}

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
