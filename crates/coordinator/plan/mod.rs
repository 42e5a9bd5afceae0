//! Makes a checked plan of the flags.
//!
//! Every rule between two flags is here, and every default that depends on the
//! environment or on the tasks of a worker. Both are arguments, so that plans
//! can be tested.

mod executors;
mod extension;
mod output;
mod program;
mod source;
mod task;

use crate::args::{FaultFlags, FileFlags, LookFlags, ProgressMode, RunFlags};
use crate::environment::{Environment, TaskCatalog};
use executors::ExecutorPlan;
use output::OutputPlan;
use procession_job::{
    Configuration, FailurePolicy, OutputChoice, PictureFile, ResumeOptions, Rounds, matrix, use_procs, use_size,
};
use procession_report::{LogLevel, SummaryDetail};
use procession_task::shell_quote;
pub(crate) use program::of_shell_line;
use source::Selection;
pub(crate) use source::WorkSource;
use std::path::{Path, PathBuf};
use std::time::Duration;
pub(crate) use task::{KnownTask, PlannedTask, built_in, listed};

/// A call whose flags fit together.
pub(crate) struct RunPlan {
    /// The task.
    pub(crate) work: PlannedTask,
    /// Where the items come from.
    pub(crate) source: WorkSource,
    /// Which items are taken.
    pub(crate) selection: Selection,
    /// What it runs on.
    pub(crate) executors: ExecutorPlan,
    /// What to do about faults.
    pub(crate) faults: FaultPlan,
    /// Where results go.
    pub(crate) output: OutputPlan,
    /// Memory for items in progress and for results that wait, in bytes.
    pub(crate) window: u64,
    /// How many threads the libraries of each worker use, the same in every run.
    pub(crate) library_threads: u32,
    /// What is shown and logged.
    pub(crate) look: LookPlan,
    /// Whether it measures: it has more than one run.
    pub(crate) is_measuring: bool,
    /// Whether it is only shown (`--dry-run`).
    pub(crate) is_dry: bool,
    /// The worker program that was named, if any.
    pub(crate) worker: Option<PathBuf>,
}

/// What to do about faults.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    /// After how many items a worker is replaced.
    pub(crate) max_tasks_per_worker: Option<u64>,
    /// How long a worker may take to start.
    pub(crate) start_timeout: Duration,
    /// What a failed item does to the run.
    pub(crate) policy: FailurePolicy,
}

/// What is shown and logged.
#[derive(Debug)]
pub(crate) struct LookPlan {
    /// How much is logged.
    pub(crate) log: Option<LogLevel>,
    /// The log folder that was named, if any.
    pub(crate) log_dir: Option<PathBuf>,
    /// Whether a line is printed for each item.
    pub(crate) verbose: bool,
    /// Whether there is a progress bar.
    pub(crate) progress: ProgressMode,
    /// The files that show what was measured.
    pub(crate) files: FileFlags,
    /// Whether this is `coordinator demo`: its page may be written to the log
    /// folder, and its path is printed.
    pub(crate) is_demo: bool,
    /// The job log, if there is one.
    pub(crate) joblog: Option<PathBuf>,
    /// Whether only errors are printed.
    pub(crate) quiet: bool,
    /// How much is told at the end.
    pub(crate) detail: SummaryDetail,
}

impl RunPlan {
    /// Checks the flags against each other and fills in defaults.
    ///
    /// # Errors
    /// The first thing that does not fit, and what to do.
    pub(crate) fn new(flags: RunFlags, catalog: &TaskCatalog, environment: Environment) -> Result<Self, String> {
        let RunFlags { work, executors, faults, output, look, is_demo } = flags;
        let worker = executors.worker.clone();
        let mut task = PlannedTask::new(&work, worker.as_deref(), catalog)?;
        let source = WorkSource::new(&work, &task, environment.stdin_is_terminal)?;
        let selection = Selection::new(&work, &source, task.input_options())?;
        check_size(&task, &selection)?;
        let executors = ExecutorPlan::new(&executors, environment.cpus)?;
        executors.check_limits(&faults.for_processes())?;
        executors.check_max_item(work.max_item)?;
        check_local(&task, &executors)?;
        let is_study = executors.are_several() || selection.sizes.len() > 1;
        let is_single = !is_study && executors.rounds == Rounds { repeat: 1, warmup: 0 };
        let window = output.window;
        let library_threads = executors.library_threads(environment.cpus);
        let output = OutputPlan::of(output, &faults, &mut task, &selection, is_study)?;
        output.check_resume(&task.job, is_single)?;
        (task.job.retry, task.job.limits, task.job.show) = (faults.retry(), faults.limits(), look.verbose);
        let is_dry = look.dry_run;
        let look = LookPlan::new(look, is_demo);
        look.files.check_distinct(&taken(&work.inputs, &output, &look))?;
        Ok(Self {
            work: task,
            source,
            selection,
            executors,
            faults: FaultPlan::from(faults),
            output,
            window,
            library_threads,
            look,
            is_measuring: !is_single,
            is_dry,
            worker,
        })
    }

    /// How an output file is opened. A resumed output must have been made with the
    /// same settings: those that the library does not know are listed here.
    /// `log` is the log folder of this call, if it has one.
    pub(crate) fn resume(&self, log: Option<&Path>) -> ResumeOptions {
        let params = self.work.params().into_iter().map(|(key, value)| (format!("--param {key}"), value));
        let program = (!self.work.job.arguments.is_empty())
            .then(|| ("--".to_owned(), shell_quote::line(&self.work.job.arguments)));
        let first = self.executors.all.first().filter(|_| use_procs(&self.work.job.arguments));
        let count = first.map(|(_, count)| ("{procs} after --".to_owned(), count.to_string()));
        let log = log.and_then(Path::to_str).map(str::to_owned);
        ResumeOptions { intent: self.output.intent, settings: params.chain(program).chain(count).collect(), log }
    }

    /// Every configuration to run.
    pub(crate) fn configurations(&self) -> Vec<Configuration> {
        matrix(&self.executors.all, &self.selection.sizes, &self.executors.chunks)
    }
}

impl From<FaultFlags> for FaultPlan {
    fn from(flags: FaultFlags) -> Self {
        let policy = FailurePolicy { keep_going: flags.keep_going || flags.retry_failed, max: flags.max_failures };
        let FaultFlags { max_tasks_per_worker, start_timeout, .. } = flags;
        Self { max_tasks_per_worker, start_timeout, policy }
    }
}

/// Refuses `{size}` in arguments if there is no size.
fn check_size(work: &PlannedTask, selection: &Selection) -> Result<(), String> {
    if use_size(&work.job.arguments) && selection.sizes.is_empty() {
        return Err("{size} in the arguments of a program needs a size: add --size N".to_owned());
    }
    Ok(())
}

/// Refuses a task that only a worker has, if the task would run without one.
fn check_local(work: &PlannedTask, executors: &ExecutorPlan) -> Result<(), String> {
    match &work.task {
        KnownTask::Own(task) if executors.has_local() => Err(format!(
            "only the worker has task '{}', and threads and the serial loop run built-in tasks: leave out --threads, \
             --serial and --compare",
            task.name
        )),
        KnownTask::Own(_) | KnownTask::BuiltIn(..) => Ok(()),
    }
}

/// The files that the call reads or writes, with their flags.
fn taken<'a>(inputs: &'a [PathBuf], output: &'a OutputPlan, look: &'a LookPlan) -> Vec<(&'static str, &'a Path)> {
    let mut taken: Vec<(&str, &Path)> = inputs.iter().map(|input| ("--input", input.as_path())).collect();
    match &output.choice {
        Some(OutputChoice::File(path) | OutputChoice::Picture(PictureFile { path, .. })) => {
            taken.push(("--output", path));
        }
        Some(OutputChoice::Stdout) | None => {}
    }
    taken.extend(look.joblog.iter().map(|path| ("--joblog", path.as_path())));
    taken
}

impl LookPlan {
    fn new(flags: LookFlags, is_demo: bool) -> Self {
        let progress = if flags.quiet { ProgressMode::Never } else { flags.progress };
        let detail = flags.detail();
        let LookFlags { log, log_dir, verbose, files, joblog, quiet, .. } = flags;
        Self { log: log.0, log_dir, verbose, progress, files, is_demo, joblog, quiet, detail }
    }
}

#[cfg(test)]
mod tests;
