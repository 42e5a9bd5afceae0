//! Where results go and in which format.

use super::extension;
use super::source::Selection;
use super::task::{KnownTask, PlannedTask};
use crate::args::{FaultFlags, OutputFlags};
use procession_job::{Intent, OutputChoice, PictureFile};
use procession_task::builtin::{TaskEntry, TaskShape};
use procession_task::{Format, JobSpec, ResultOrder};
use std::path::{Path, PathBuf};

/// Where results go.
#[derive(Debug)]
pub(crate) struct OutputPlan {
    /// Where; `None`: a study (more than one configuration) without `--output`.
    pub(crate) choice: Option<OutputChoice>,
    /// What to do with a file that exists.
    pub(crate) intent: Intent,
}

/// Where results go, and in which format.
type ChosenOutput = (Option<OutputChoice>, Format);

impl OutputPlan {
    /// Checks the flags of the output against the task and its items, and sets
    /// the format and the order of the job's results.
    ///
    /// # Errors
    /// What does not fit, and what to do.
    pub(super) fn of(
        flags: OutputFlags,
        faults: &FaultFlags,
        work: &mut PlannedTask,
        selection: &Selection,
        is_study: bool,
    ) -> Result<Self, String> {
        let (is_unordered, is_safe) = (flags.unordered, flags.csv_safe);
        let (choice, format) = match &work.task {
            KnownTask::BuiltIn(TaskEntry { shape: TaskShape::Picture(picture), .. }, params) => {
                Self::of_rows(flags, is_study, (picture.most)(params), selection)?
            }
            _ if work.has_block_output() => Self::of_blocks(flags, is_study)?,
            KnownTask::BuiltIn(..) | KnownTask::Own(_) => Self::of_items(flags, is_study)?,
        };
        work.job.format = match format {
            Format::Csv if is_safe => Format::SafeCsv,
            _ if is_safe => {
                return Err("--csv-safe is for records in csv: add --format csv, or leave it out".to_owned());
            }
            format => format,
        };
        work.job.order = if is_unordered { ResultOrder::Completion } else { ResultOrder::Input };
        Ok(Self { choice, intent: intent(faults) })
    }

    fn of_items(flags: OutputFlags, is_study: bool) -> Result<ChosenOutput, String> {
        let choice = choice(flags.output, is_study);
        if let Some(OutputChoice::File(path)) = &choice {
            extension::check(path, flags.format, false)?;
        }
        let format = flags.format.or_else(|| by_extension(&choice)).unwrap_or(Format::Tsv);
        if flags.unordered && !matches!(format, Format::Csv | Format::Jsonl) {
            return Err(format!(
                "--unordered needs a format with the index, which {} is not: add --format csv or --format jsonl",
                format.name()
            ));
        }
        Ok((choice, format))
    }

    /// The output of programs that are run on whole blocks: it has no items.
    fn of_blocks(flags: OutputFlags, is_study: bool) -> Result<ChosenOutput, String> {
        const WHY: &str = "the output of pipe has no items: it is what its programs write";
        if flags.format.is_some() {
            return Err(format!("{WHY}; leave out --format"));
        }
        if flags.unordered {
            return Err(format!("{WHY}; in another order nobody could tell the blocks apart; leave out --unordered"));
        }
        let choice = choice(flags.output, is_study);
        Ok((choice, Format::Raw))
    }

    /// Refuses `--resume`, `--retry-failed` and `--overwrite` for an output that can't be
    /// resumed, or whose failed items can't be run again.
    pub(super) fn check_resume(&self, job: &JobSpec, is_single: bool) -> Result<(), String> {
        let is_picture = matches!(self.choice, Some(OutputChoice::Picture(_)));
        let is_file = is_picture || matches!(self.choice, Some(OutputChoice::File(_)));
        let flag = match self.intent {
            Intent::Plain => return Ok(()),
            Intent::Resume => "--resume",
            Intent::RetryFailed => "--retry-failed",
            Intent::Overwrite => "--overwrite",
        };
        match self.intent {
            _ if !is_file => Err(format!("{flag} needs an output file: add --output FILE")),
            Intent::RetryFailed if is_picture || !job.format.shows_failures() => Err(
                "--retry-failed needs an output with a row for each item that shows whether it failed: tsv, csv or jsonl"
                    .to_owned(),
            ),
            Intent::Resume if is_picture => {
                Err("a picture can't be resumed: write its rows to a file that ends in .csv".to_owned())
            }
            Intent::Resume if job.order == ResultOrder::Completion => {
                Err("--resume needs results in input order: leave out --unordered".to_owned())
            }
            Intent::Resume | Intent::RetryFailed if !is_single => Err(format!(
                "{flag} needs a single run, and this is a study: give one value each \
                 to --procs, --chunk and --size, without --repeat and --warmup"
            )),
            _ => Ok(()),
        }
    }

    /// The output of a task whose results are the rows of a picture: lines of
    /// numbers (also as csv), or the picture itself.
    fn of_rows(flags: OutputFlags, is_study: bool, most: u32, selection: &Selection) -> Result<ChosenOutput, String> {
        let choice = choice(flags.output, is_study);
        let format = match flags.format.or_else(|| by_extension(&choice)) {
            None | Some(Format::Csv) => Format::Lines,
            Some(other) => other,
        };
        if flags.unordered && format != Format::Jsonl {
            return Err("--unordered would mix up the rows: add --format jsonl, which has their index".to_owned());
        }
        let choice = match choice {
            Some(OutputChoice::File(path)) if has_extension(&path, "png") => {
                if flags.format.is_some() {
                    return Err(
                        "--format is for text, and a file that ends in .png is a picture: leave out one of them"
                            .to_owned(),
                    );
                }
                Some(OutputChoice::Picture(PictureFile { path, most, named_by_size: selection.sizes.len() > 1 }))
            }
            Some(OutputChoice::File(path)) => {
                extension::check(&path, flags.format, true)?;
                Some(OutputChoice::File(path))
            }
            other => other,
        };
        Ok((choice, format))
    }
}

/// What to do with an output file that exists.
fn intent(flags: &FaultFlags) -> Intent {
    match (flags.resume, flags.retry_failed, flags.overwrite) {
        (true, ..) => Intent::Resume,
        (_, true, _) => Intent::RetryFailed,
        (.., true) => Intent::Overwrite,
        (false, false, false) => Intent::Plain,
    }
}

/// Where results go; nowhere in a study without `--output`.
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

/// The format of a file's extension.
fn format_of(path: &Path) -> Option<Format> {
    Format::from_name(&path.extension()?.to_str()?.to_ascii_lowercase())
}
