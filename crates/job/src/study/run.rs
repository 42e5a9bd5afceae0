//! One run: creates the backend, runs the job, and waits for the last worker's
//! exit.

use super::complete::AlreadyComplete;
use super::launch::Launch;
use super::placeholders::fill_placeholders;
use super::plan::PlannedRun;
use super::stopper::Stopper;
use crate::error::InputError;
use crate::input::source::QueueSource;
use crate::input::status::InputStatus;
use crate::input::{Input, Unit};
use crate::output::report::{OutputEnd, OutputError, OutputReport};
use crate::output::target::OutputTarget;
use crate::output::writer::options::OutputOptions;
use crate::output::writer::{OutputHandle, OutputWriter};
use crate::resume::PriorProgress;
use crate::resume::decision::ResumeError;
use crate::times::{DriverTimesObserver, coordinator_times};
use procession::raw::{Job, JobEnd, JobHandle, Request};
use procession::{Observer, PoolError};
use procession_task::{Configuration, CoordinatorTimes, Items, JobSpec, ResultOrder, TableSpec};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// What is the same in every run of a study.
#[derive(Clone, Debug)]
pub struct StudyJob {
    /// The job, over the items of the input. In each run the chunk of the
    /// configuration replaces the job's own, and `{size}` and `{procs}` in the
    /// arguments are replaced.
    pub spec: JobSpec,
    /// The unit that the pool receives as one item.
    pub unit: Unit,
}

impl StudyJob {
    /// The job in this configuration, over the input's items, with additional
    /// settings.
    pub(crate) fn spec(
        &self,
        configuration: &Configuration,
        items: Items,
        more_params: Vec<(String, String)>,
    ) -> JobSpec {
        JobSpec {
            params: self.spec.params.iter().cloned().chain(more_params).collect(),
            arguments: fill_placeholders(&self.spec.arguments, configuration),
            items: self.unit.items(items),
            chunk: self.unit.chunk(configuration.chunk),
            ..self.spec.clone()
        }
    }

    /// The job over the records or fields of this table. A block is sent as it is.
    pub(crate) fn with_table(&self, table: Option<TableSpec>) -> Self {
        let table = table.filter(|_| self.unit == Unit::Item);
        Self { spec: JobSpec { table, ..self.spec.clone() }, ..self.clone() }
    }

    /// Whether results are written in input order.
    pub(crate) fn is_ordered(&self) -> bool {
        self.spec.order == ResultOrder::Input
    }
}

/// A run that is about to begin.
#[derive(Clone, Debug)]
pub struct RunInfo {
    /// Its number, configuration and purpose.
    pub planned: PlannedRun,
    /// How many runs there are in all.
    pub runs: usize,
    /// The input's progress.
    pub input: InputStatus,
    /// What earlier runs have completed of its output.
    pub before: PriorProgress,
    /// The log folder of the run that this one goes on with, if it had one.
    pub earlier_log: Option<String>,
}

/// A run that has ended.
#[derive(Debug)]
pub struct RunReport {
    /// Its number, configuration and purpose.
    pub planned: PlannedRun,
    /// The time from the creation of the backend to the last worker's exit;
    /// `None` if the backend failed.
    pub wall: Option<Duration>,
    /// The result of writing the output. A write error is moved to the study's
    /// end.
    pub output: OutputReport,
    /// How the coordinator's threads spent the run.
    pub coordinator: CoordinatorTimes,
    /// Whether every item of the input has its outcome in the output.
    pub complete: bool,
}

/// Why a run, and with it the study, ended early.
#[derive(Debug)]
pub enum Ending {
    /// It was stopped by a signal or another part of the program.
    Stopped,
    /// The results can't be written: exit status 4.
    Output(OutputError),
    /// The pool failed: exit status 3.
    Pool(PoolError),
    /// The input can't be used: exit status 2.
    Input(InputError),
    /// A failed item ended it: exit status 1.
    Failures,
    /// The reader closed the output: exit status 0.
    Closed,
    /// The output was refused: exit status 2.
    Refused(ResumeError),
    /// The output was already complete: exit status 0, or 1 if items failed.
    AlreadyComplete(AlreadyComplete),
}

/// What a run needs.
pub(crate) struct RunSetup<'a> {
    pub(crate) work: &'a StudyJob,
    pub(crate) more_params: Vec<(String, String)>,
    pub(crate) observers: Vec<Box<dyn Observer>>,
    pub(crate) item_log: Arc<AtomicBool>,
    pub(crate) target: OutputTarget,
    pub(crate) output: OutputOptions,
}

/// The report of a run, and why it ended the study if it did.
pub(crate) type Ended = (RunReport, Option<Ending>);

/// Performs one run. All errors, also those at the start, are in the result.
pub(crate) fn run(
    planned: PlannedRun,
    input: &Input,
    source: (QueueSource, InputStatus),
    setup: RunSetup<'_>,
    launch: &dyn Launch,
    stopper: &Stopper,
) -> Ended {
    let (mut source, status) = source;
    // The threads are started first: if the user's limit of threads is low,
    // workers are left out.
    source.start();
    let end = Stopper::default();
    let before = setup.target.before();
    let (sink, output) = match start_output(end.clone(), setup.target, setup.output) {
        Ok(started) => started,
        Err(error) => {
            let ending = if stopper.is_stopped() { Ending::Stopped } else { Ending::Pool(error) };
            let output = OutputReport::nothing(before);
            return (without_pool(planned, output), Some(ending));
        }
    };
    let (times_observer, driver_times) = DriverTimesObserver::new();
    let observers = setup.observers.into_iter().chain([Box::new(times_observer) as Box<dyn Observer>]).collect();
    let pool = match launch.launch(&planned.configuration, observers) {
        Ok(pool) => pool,
        Err(error) => {
            // Nothing was written: the output is unchanged.
            let mut output = output.written().end(false);
            let ending = ending(stopper, &mut output, Some(error), None);
            return (without_pool(planned, output), ending);
        }
    };
    let registrations = (stopper.hold(pool.control()), end.hold(pool.control()));
    let spec = setup.work.spec(&planned.configuration, input.options().items, setup.more_params);
    let mut job = Job::new(spec, Box::new(source), Box::new(sink));
    job.item_log = setup.item_log;
    let started = pool.start(job);
    let is_started = started.is_ok();
    let ended = started.and_then(JobHandle::wait);
    let closed = pool.close();
    drop(registrations);
    let mut written = output.written();
    let coordinator = coordinator_times(&status.watch, &driver_times, &mut written.watch);
    let output = &mut written.report;
    for failure in &mut output.failures.first {
        failure.place = failure.place.or_else(|| setup.work.unit.locate(input, failure.item));
    }
    let wall = closed.as_ref().ok().copied().filter(|_| is_started);
    let pool_error = ended.as_ref().err().or(closed.as_ref().err()).cloned();
    let ending = ending(stopper, output, pool_error, status.take_error());
    let complete = ending.is_none() && ended == Ok(JobEnd::Complete);
    let mut output = written.end(complete);
    // Only now an empty output is written: the run is known to be complete.
    let ending = ending.or_else(|| failed(&mut output));
    let complete = complete && ending.is_none();
    (RunReport { planned, wall, output, coordinator, complete }, ending)
}

/// The report of a run whose backend could not be created.
fn without_pool(planned: PlannedRun, output: OutputReport) -> RunReport {
    RunReport { planned, wall: None, output, coordinator: CoordinatorTimes::default(), complete: false }
}

/// Starts the output thread. It uses `end` when it wants no more results,
/// perhaps before the backend exists.
fn start_output(
    end: Stopper,
    target: OutputTarget,
    options: OutputOptions,
) -> Result<(OutputWriter, OutputHandle), PoolError> {
    let stop = Box::new(move || end.ask(Request::Stop));
    let failed = |error: io::Error| PoolError::System { what: "can't start the output thread", why: error.to_string() };
    OutputWriter::spawn(target, options, stop).map_err(failed)
}

/// Takes the error of an output that can't be written.
fn failed(output: &mut OutputReport) -> Option<Ending> {
    match std::mem::replace(&mut output.end, OutputEnd::Complete) {
        OutputEnd::Failed(error) => Some(Ending::Output(error)),
        end => {
            output.end = end;
            None
        }
    }
}

/// If several things went wrong, reports the first of these: a stop, the
/// output, the pool, the input, a failed item.
fn ending(
    stopper: &Stopper,
    output: &mut OutputReport,
    pool: Option<PoolError>,
    input: Option<InputError>,
) -> Option<Ending> {
    if stopper.is_stopped() {
        return Some(Ending::Stopped);
    }
    if let Some(failed) = failed(output) {
        return Some(failed);
    }
    let was_ended = matches!(output.end, OutputEnd::Failures);
    let is_over = !matches!(output.end, OutputEnd::Complete);
    match pool {
        // The output has ended the job, so this error is expected.
        Some(PoolError::Ended) if is_over => {}
        Some(error) => return Some(Ending::Pool(error)),
        None => {}
    }
    // After a failed item has ended the run, errors of the input are not
    // reported.
    match input {
        Some(error) if !was_ended => Some(Ending::Input(error)),
        _ if was_ended => Some(Ending::Failures),
        _ => None,
    }
}
