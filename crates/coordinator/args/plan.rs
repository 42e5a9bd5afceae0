//! Stage two: from flags to a plan that can be carried out as it stands.
//!
//! Every rule that ties two flags together is here, and so is every default
//! that depends on the surroundings, which come in as an argument.

use super::executors::Executors;
use super::files::FileFlags;
use super::flags::{ExecutorFlags, FaultFlags, LookFlags, OutputFlags, Progress, WorkFlags};
use super::input::{Selection, Source};
use super::surroundings::{NoPlan, Surroundings};
use super::task::{Known, Work};
use crate::quote;
use procession_job::{
    Configuration, FailurePolicy, Intent, OutputChoice, PictureFile, ResumeOptions, Rounds, matrix, use_procs, use_size,
};
use procession_report::LogLevel;
use procession_task::{Format, JobLimits, RetryPolicy};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// All the flags of the plain call.
#[derive(Debug)]
pub(crate) struct Flags {
    pub(crate) work: WorkFlags,
    pub(crate) executors: ExecutorFlags,
    pub(crate) faults: FaultFlags,
    pub(crate) output: OutputFlags,
    pub(crate) look: LookFlags,
}

/// A call that makes sense.
pub(crate) struct Plan {
    /// The task.
    pub(crate) work: Work,
    /// Where its items come from.
    pub(crate) source: Source,
    /// Which of them are taken.
    pub(crate) selection: Selection,
    /// What it runs on.
    pub(crate) executors: Executors,
    /// What is done about faults.
    pub(crate) faults: Faults,
    /// Where results go.
    pub(crate) output: Output,
    /// What items under way and results that wait may take of memory, in bytes.
    pub(crate) window: u64,
    /// What a person sees.
    pub(crate) look: Look,
    /// Whether it is there to measure: more than one run.
    pub(crate) is_measuring: bool,
    /// Whether it is only to be shown.
    pub(crate) is_dry: bool,
    /// The worker that was asked for, if any.
    pub(crate) worker: Option<PathBuf>,
}

/// What is done about faults.
#[derive(Debug)]
pub(crate) struct Faults {
    /// Which items are tried again.
    pub(crate) retry: RetryPolicy,
    /// What an item may use.
    pub(crate) limits: JobLimits,
    /// After how many items a worker is replaced.
    pub(crate) max_tasks_per_worker: Option<u64>,
    /// How long a worker may take to say hello.
    pub(crate) start_timeout: Duration,
    /// What a failed item does to the run.
    pub(crate) policy: FailurePolicy,
}

/// Where results go, and how.
#[derive(Debug)]
pub(crate) struct Output {
    /// Where; `None` for a study (more than one configuration) that was asked for no results.
    pub(crate) choice: Option<OutputChoice>,
    /// How each is written.
    pub(crate) format: Format,
    /// Whether as they come.
    pub(crate) unordered: bool,
    /// What becomes of one that is there already.
    pub(crate) intent: Intent,
}

/// What a person sees.
#[derive(Debug)]
pub(crate) struct Look {
    /// What is logged.
    pub(crate) log: Option<LogLevel>,
    /// Where, if it was said.
    pub(crate) log_dir: Option<PathBuf>,
    /// A live line per item.
    pub(crate) verbose: bool,
    /// A progress bar.
    pub(crate) progress: Progress,
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
    pub(crate) fn new(flags: Flags, around: Surroundings<'_>) -> Result<Self, NoPlan> {
        let Flags { work, executors, faults, output, look } = flags;
        let task = Work::new(&work, &executors, faults.start_timeout, around.ask)?;
        let source = Source::new(&work, &task, around.stdin_is_terminal)?;
        let selection = Selection::new(&work, &source, task.input_options())?;
        check_size(&task, &selection)?;
        let worker = executors.worker.clone();
        let executors = Executors::new(&executors, around.cpus)?;
        executors.check_limits(&faults.for_processes())?;
        check_local(&task, &executors)?;
        let is_study = executors.are_several() || selection.sizes.len() > 1;
        let is_single = !is_study && executors.rounds == Rounds { repeat: 1, warmup: 0 };
        let window = output.window;
        let output = match (&source, &task.task) {
            (Source::Rows(picture), Known::BuiltIn(_, params)) => {
                Output::of_rows(output, is_study, (picture.most)(params), &selection)?
            }
            _ if task.is_pipe() => Output::of_pipe(output, is_study)?,
            _ => Output::new(output, is_study)?,
        };
        let output = Output { intent: intent(&faults), ..output };
        output.check_resume(is_single)?;
        let faults = Faults::from(faults);
        let is_dry = look.dry_run;
        let look = Look::from(look);
        look.files.check_distinct(&taken(&work.inputs, &output, &look))?;
        let is_measuring = !is_single;
        Ok(Self {
            work: task,
            source,
            selection,
            executors,
            faults,
            output,
            window,
            look,
            is_measuring,
            is_dry,
            worker,
        })
    }

    /// How an output file is begun: what it depends on beside what the library
    /// knows are the task's settings, defaults filled in.
    pub(crate) fn resume(&self) -> ResumeOptions {
        let params = self.work.params().into_iter().map(|(key, value)| (format!("--param {key}"), value));
        let program = (!self.work.arguments.is_empty()).then(|| ("--".to_owned(), quote::line(&self.work.arguments)));
        let first = self.executors.all.first().filter(|_| use_procs(&self.work.arguments));
        let count = first.map(|(_, count)| ("{procs} after --".to_owned(), count.to_string()));
        ResumeOptions { intent: self.output.intent, settings: params.chain(program).chain(count).collect() }
    }

    /// Every way in which the work is to be run.
    pub(crate) fn configurations(&self) -> Vec<Configuration> {
        matrix(&self.executors.all, &self.selection.sizes, &self.executors.chunks)
    }
}

impl From<FaultFlags> for Faults {
    fn from(flags: FaultFlags) -> Self {
        let policy = FailurePolicy { keep_going: flags.keep_going, max: flags.max_failures };
        let (retry, limits) = (flags.retry(), flags.limits());
        let FaultFlags { max_tasks_per_worker, start_timeout, .. } = flags;
        Self { retry, limits, max_tasks_per_worker, start_timeout, policy }
    }
}

impl Output {
    fn new(flags: OutputFlags, is_study: bool) -> Result<Self, String> {
        let choice = choice(flags.output, is_study);
        let format = flags.format.or_else(|| by_extension(&choice)).unwrap_or(Format::Tsv);
        if flags.unordered && !matches!(format, Format::Csv | Format::Jsonl) {
            return Err(format!(
                "--unordered needs a format that carries the index, not {}: add --format csv or --format jsonl",
                format.name()
            ));
        }
        Ok(Self { choice, format, unordered: flags.unordered, intent: Intent::Plain })
    }

    /// The output of programs whose results are no items'.
    fn of_pipe(flags: OutputFlags, is_study: bool) -> Result<Self, String> {
        const WHY: &str = "pipe has no items in its output, which is what its programs write, put together";
        if flags.format.is_some() {
            return Err(format!("{WHY}: leave out --format"));
        }
        if flags.unordered {
            return Err(format!("{WHY}, so nothing would tell what is of which block: leave out --unordered"));
        }
        let choice = choice(flags.output, is_study);
        Ok(Self { choice, format: Format::Raw, unordered: false, intent: Intent::Plain })
    }

    /// Refuses to resume what can't be.
    fn check_resume(&self, is_single: bool) -> Result<(), String> {
        let is_picture = matches!(self.choice, Some(OutputChoice::Picture(_)));
        let is_file = is_picture || matches!(self.choice, Some(OutputChoice::File(_)));
        match self.intent {
            Intent::Plain => Ok(()),
            Intent::Resume if !is_file => Err("--resume goes on with a file: add --output FILE".to_owned()),
            Intent::Overwrite if !is_file => Err("--overwrite is for a file: add --output FILE".to_owned()),
            Intent::Resume if is_picture => {
                Err("--resume goes on with text, not with a picture: write the rows to a file ending in .csv"
                    .to_owned())
            }
            Intent::Resume if self.unordered => Err("--resume needs results in order, without --unordered".to_owned()),
            Intent::Resume if !is_single => Err("--resume goes on with the results of a single run, not of a study: \
                 give one value each to --procs, --chunk and --size, without --repeat and --warmup"
                .to_owned()),
            Intent::Resume | Intent::Overwrite => Ok(()),
        }
    }

    /// The output of a task whose results are a picture's rows: bare lines of
    /// numbers, which as csv too are all there is, or the picture itself.
    fn of_rows(flags: OutputFlags, is_study: bool, most: u32, selection: &Selection) -> Result<Self, String> {
        let choice = choice(flags.output, is_study);
        let format = match flags.format.or_else(|| by_extension(&choice)) {
            None | Some(Format::Csv) => Format::Lines,
            Some(other) => other,
        };
        if flags.unordered && format != Format::Jsonl {
            return Err("--unordered would mix up the rows: add --format jsonl, which carries their index".to_owned());
        }
        let choice = match choice {
            Some(OutputChoice::File(path)) if has_extension(&path, "png") => {
                if flags.format.is_some() {
                    return Err(
                        "--format is for text, and a file ending in .png is a picture: leave one out".to_owned()
                    );
                }
                Some(OutputChoice::Picture(PictureFile { path, most, named_by_size: selection.sizes.len() > 1 }))
            }
            other => other,
        };
        Ok(Self { choice, format, unordered: flags.unordered, intent: Intent::Plain })
    }
}

/// Refuses arguments that ask for a size where there is none.
fn check_size(work: &Work, selection: &Selection) -> Result<(), String> {
    if use_size(&work.arguments) && selection.sizes.is_empty() {
        return Err("{size} in a program's arguments stands for the size of the run: add --size N".to_owned());
    }
    Ok(())
}

/// Refuses what only a worker knows where there is to be none.
fn check_local(work: &Work, executors: &Executors) -> Result<(), String> {
    match &work.task {
        Known::Own(task) if executors.has_local() => Err(format!(
            "task '{}' is known to the worker alone, and threads and the serial loop run what is built in: \
             leave out --threads, --serial and --compare",
            task.name
        )),
        Known::Own(_) | Known::BuiltIn(..) => Ok(()),
    }
}

/// The files that a call reads and writes already.
fn taken<'a>(inputs: &'a [PathBuf], output: &'a Output, look: &'a Look) -> Vec<(&'static str, &'a Path)> {
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

/// What becomes of an output that is there already.
fn intent(flags: &FaultFlags) -> Intent {
    match (flags.resume, flags.overwrite) {
        (true, _) => Intent::Resume,
        (false, true) => Intent::Overwrite,
        (false, false) => Intent::Plain,
    }
}

/// Where results go; nowhere in a study that was asked for none.
fn choice(output: Option<PathBuf>, is_study: bool) -> Option<OutputChoice> {
    let choice = output.map(|path| match path.as_os_str() {
        dash if dash == "-" => OutputChoice::Stdout,
        _ => OutputChoice::File(path),
    });
    choice.or((!is_study).then_some(OutputChoice::Stdout))
}

fn by_extension(choice: &Option<OutputChoice>) -> Option<Format> {
    match choice {
        Some(OutputChoice::File(path)) => format_of(path),
        _ => None,
    }
}

fn has_extension(path: &Path, wanted: &str) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case(wanted))
}

/// The format that a file's extension names.
fn format_of(path: &Path) -> Option<Format> {
    Format::from_name(&path.extension()?.to_str()?.to_ascii_lowercase())
}

impl From<LookFlags> for Look {
    fn from(flags: LookFlags) -> Self {
        let progress = if flags.quiet { Progress::Never } else { flags.progress };
        let LookFlags { log, log_dir, verbose, files, joblog, quiet, .. } = flags;
        Self { log: log.0, log_dir, verbose, progress, files, is_demo: false, joblog, quiet }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
