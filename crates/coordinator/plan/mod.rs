//! From flags to a plan that can be carried out as it stands.
//!
//! Every rule that ties two flags together is here, and so is every default
//! that depends on the environment or on a worker's tasks: both are arguments.

mod executors;
mod output;
mod source;
mod task;

use crate::args::{FaultFlags, FileFlags, LogLevel, LookFlags, ProgressMode, RunFlags};
use crate::environment::{Catalog, Environment};
use executors::ExecutorPlan;
use output::OutputPlan;
use procession_job::{
    Configuration, FailurePolicy, OutputChoice, PictureFile, ResumeOptions, Rounds, ask_for_procs, ask_for_size, matrix,
};
use procession_task::{Kind, shell_quote};
use source::Selection;
pub(crate) use source::WorkSource;
use std::path::{Path, PathBuf};
use std::time::Duration;
pub(crate) use task::{KnownTask, PlannedTask, built_in, listed};

/// A call that makes sense.
pub(crate) struct Plan {
    /// The task.
    pub(crate) work: PlannedTask,
    /// Where its items come from.
    pub(crate) source: WorkSource,
    /// Which of them are taken.
    pub(crate) selection: Selection,
    /// What it runs on.
    pub(crate) executors: ExecutorPlan,
    /// What is done about faults.
    pub(crate) faults: FaultPlan,
    /// Where results go.
    pub(crate) output: OutputPlan,
    /// What items under way and results that wait may take of memory, in bytes.
    pub(crate) window: u64,
    /// What a person sees.
    pub(crate) look: LookPlan,
    /// Whether it is there to measure: more than one run.
    pub(crate) is_measuring: bool,
    /// Whether it is only to be shown.
    pub(crate) is_dry: bool,
    /// The worker that was asked for, if any.
    pub(crate) worker: Option<PathBuf>,
}

/// What is done about faults.
#[derive(Debug)]
pub(crate) struct FaultPlan {
    /// How often an item is tried again; `None`: without end.
    pub(crate) retries: Option<u32>,
    /// Which outcomes are tried again.
    pub(crate) retry_on: Vec<Kind>,
    /// How long an item may run.
    pub(crate) timeout: Option<Duration>,
    /// How much memory each worker may have, in bytes.
    pub(crate) memory_limit: Option<u64>,
    /// After how many items a worker is replaced.
    pub(crate) max_tasks_per_worker: Option<u64>,
    /// How long a worker may take to say hello.
    pub(crate) start_timeout: Duration,
    /// What a failed item does to the run.
    pub(crate) policy: FailurePolicy,
}

/// What a person sees.
#[derive(Debug)]
pub(crate) struct LookPlan {
    /// What is logged.
    pub(crate) log: LogLevel,
    /// Where, if it was said.
    pub(crate) log_dir: Option<PathBuf>,
    /// A live line per item.
    pub(crate) verbose: bool,
    /// A progress bar.
    pub(crate) progress: ProgressMode,
    /// Files of what was measured.
    pub(crate) files: FileFlags,
    /// Whether the page may go elsewhere, and where it is, is said.
    pub(crate) is_demo: bool,
    /// A line per item in GNU parallel's columns.
    pub(crate) joblog: Option<PathBuf>,
    /// Errors only.
    pub(crate) quiet: bool,
}

impl Plan {
    /// Checks the flags against each other and fills in what was left open.
    ///
    /// # Errors
    /// The first thing that does not fit, and what to do about it.
    pub(crate) fn new(flags: RunFlags, catalog: &Catalog, environment: Environment) -> Result<Self, String> {
        let RunFlags { work, executors, faults, output, look, is_demo } = flags;
        let worker = executors.worker.clone();
        let task = PlannedTask::new(&work, worker.as_deref(), catalog)?;
        let source = WorkSource::new(&work, &task, environment.stdin_is_terminal)?;
        let selection = Selection::new(&work, &source, task.input_options())?;
        check_size(&task, &selection)?;
        let executors = ExecutorPlan::new(&executors, environment.cpus)?;
        executors.check_limits(&[
            ("--timeout", faults.timeout.is_some()),
            ("--memory-limit", faults.memory_limit.is_some()),
            ("--max-tasks-per-worker", faults.max_tasks_per_worker.is_some()),
        ])?;
        check_local(&task, &executors)?;
        let is_study = executors.are_several() || selection.sizes.len() > 1;
        let is_single = !is_study && executors.rounds == Rounds { repeat: 1, warmup: 0 };
        let window = output.window;
        let output = OutputPlan::of(output, &faults, &task, &selection, is_study)?;
        output.check_resume(is_single)?;
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
            look,
            is_measuring: !is_single,
            is_dry,
            worker,
        })
    }

    /// How an output file is begun: what it depends on beside what the library
    /// knows are the task's settings, defaults filled in.
    pub(crate) fn resume(&self) -> ResumeOptions {
        let params = self.work.params().into_iter().map(|(key, value)| (format!("--param {key}"), value));
        let program =
            (!self.work.arguments.is_empty()).then(|| ("--".to_owned(), shell_quote::line(&self.work.arguments)));
        let first = self.executors.all.first().filter(|_| ask_for_procs(&self.work.arguments));
        let count = first.map(|(_, count)| ("{procs} after --".to_owned(), count.to_string()));
        ResumeOptions { intent: self.output.intent, settings: params.chain(program).chain(count).collect() }
    }

    /// Every way in which the work is to be run.
    pub(crate) fn configurations(&self) -> Vec<Configuration> {
        matrix(&self.executors.all, &self.selection.sizes, &self.executors.chunks)
    }
}

impl From<FaultFlags> for FaultPlan {
    fn from(flags: FaultFlags) -> Self {
        let policy = FailurePolicy { keep_going: flags.keep_going, max: flags.max_failures };
        let FaultFlags { retries, retry_on, timeout, memory_limit, max_tasks_per_worker, start_timeout, .. } = flags;
        let (retries, retry_on) = (retries.0, retry_on.0);
        Self { retries, retry_on, timeout, memory_limit, max_tasks_per_worker, start_timeout, policy }
    }
}

/// Refuses arguments that ask for a size where there is none.
fn check_size(work: &PlannedTask, selection: &Selection) -> Result<(), String> {
    if ask_for_size(&work.arguments) && selection.sizes.is_empty() {
        return Err("{size} in a program's arguments stands for the size of the run: add --size N".to_owned());
    }
    Ok(())
}

/// Refuses what only a worker knows where there is to be none.
fn check_local(work: &PlannedTask, executors: &ExecutorPlan) -> Result<(), String> {
    match &work.task {
        KnownTask::Own(task) if executors.has_local() => Err(format!(
            "task '{}' is known to the worker alone, and threads and the serial loop run what is built in: \
             leave out --threads, --serial and --compare",
            task.name
        )),
        KnownTask::Own(_) | KnownTask::BuiltIn(..) => Ok(()),
    }
}

/// The files that a call reads and writes already.
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
        let LookFlags { log, log_dir, verbose, files, joblog, quiet, .. } = flags;
        Self { log, log_dir, verbose, progress, files, is_demo, joblog, quiet }
    }
}

#[cfg(test)]
mod tests;
