//! Stage two: from flags to a plan that can be carried out as it stands.
//!
//! Every rule that ties two flags together is here, and so is every default
//! that depends on the surroundings, which come in as an argument.

use super::executors::Executors;
use super::flags::{ExecutorFlags, FaultFlags, LogLevel, LookFlags, OutputFlags, Progress, WorkFlags};
use super::input::{Selection, Source};
use super::task::Work;
use procession_job::{Configuration, FailurePolicy, OutputChoice, PictureFile, matrix};
use procession_task::Format;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What a plan depends on beside the flags.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Surroundings {
    /// Whether standard input is a terminal.
    pub(crate) stdin_is_terminal: bool,
    /// How many CPUs this process may use: what `auto` means.
    pub(crate) cpus: usize,
}

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
    /// What a person sees.
    pub(crate) look: Look,
    /// The worker that was asked for, if any.
    pub(crate) worker: Option<PathBuf>,
}

/// What is done about faults.
#[derive(Debug)]
pub(crate) struct Faults {
    /// How often an item alone in a dying worker is tried again.
    pub(crate) retries: u32,
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
}

/// What a person sees.
#[derive(Debug)]
pub(crate) struct Look {
    /// What is logged.
    pub(crate) log: LogLevel,
    /// Where, if it was said.
    pub(crate) log_dir: Option<PathBuf>,
    /// A live line per item.
    pub(crate) verbose: bool,
    /// A progress bar.
    pub(crate) progress: Progress,
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
    pub(crate) fn new(flags: Flags, around: Surroundings) -> Result<Self, String> {
        let Flags { work, executors, faults, output, look } = flags;
        let task = Work::new(work.task.as_deref(), &work.params, work.items)?;
        let source = Source::new(&work, &task, around.stdin_is_terminal)?;
        let selection = Selection::new(&work, &source, task.input_options())?;
        let worker = executors.worker.clone();
        let executors = Executors::new(&executors, around.cpus)?;
        executors.check_limits(&[("--max-tasks-per-worker", faults.max_tasks_per_worker.is_some())])?;
        let is_study = executors.are_several() || selection.sizes.len() > 1;
        let output = match &source {
            Source::Given(_) => Output::new(output, is_study)?,
            Source::Rows(picture) => Output::of_rows(output, is_study, (picture.most)(&task.params), &selection)?,
        };
        let faults = Faults::from(faults);
        let look = Look::from(look);
        Ok(Self { work: task, source, selection, executors, faults, output, look, worker })
    }

    /// Every way in which the work is to be run.
    pub(crate) fn configurations(&self) -> Vec<Configuration> {
        matrix(&self.executors.all, &self.selection.sizes, &self.executors.chunks)
    }
}

impl From<FaultFlags> for Faults {
    fn from(flags: FaultFlags) -> Self {
        let policy = FailurePolicy { keep_going: flags.keep_going, max: flags.max_failures };
        let FaultFlags { retries, max_tasks_per_worker, start_timeout, .. } = flags;
        Self { retries, max_tasks_per_worker, start_timeout, policy }
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
        Ok(Self { choice, format, unordered: flags.unordered })
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
        Ok(Self { choice, format, unordered: flags.unordered })
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
        let LookFlags { log, log_dir, verbose, joblog, quiet, .. } = flags;
        Self { log, log_dir, verbose, progress, joblog, quiet }
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
