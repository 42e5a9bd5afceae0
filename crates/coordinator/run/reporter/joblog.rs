//! Opens the job log (`--joblog`) before any work, and refuses one that would
//! overwrite the input or the output.

use crate::exit::Refusal;
use crate::plan::RunPlan;
use procession_job::{Input, OutputChoice, use_procs, use_size};
use procession_program::Template;
use procession_report::{CommandOf, JobLog};
use procession_task::builtin::ItemRunner;
use procession_task::{escape_terminal, shell_quote};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;

/// Opens the job log, if one is asked for.
///
/// # Errors
/// It can't be written; with the status of an output if its disk is full.
pub(super) fn open(plan: &RunPlan, host: &str) -> Result<Option<JobLog>, Refusal> {
    let Some(path) = &plan.look.joblog else { return Ok(None) };
    let is_appended = plan.output.intent.continues();
    let opened = JobLog::open(path, is_appended, plan.work.name(), host, command_of(plan));
    opened.map(Some).map_err(|error| {
        let why = format!("--joblog {}: {error}", escape_terminal(path.as_os_str().as_bytes()));
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Refusal::output(why),
            _ => Refusal::usage(why),
        }
    })
}

/// How an item's program is called. Of items of a table with several fields only the
/// worker knows it, and with `{size}` or `{procs}` it differs from run to run.
fn command_of(plan: &RunPlan) -> CommandOf {
    let arguments = &plan.work.job.arguments;
    let is_same = plan.work.runner() == ItemRunner::Program && !use_size(arguments) && !use_procs(arguments);
    let template = Some(arguments).filter(|_| is_same).and_then(|arguments| Template::new(arguments, None).ok());
    let command = shell_quote::line(arguments);
    Arc::new(move |index, item| match template.as_ref()? {
        template if template.has_places() => template.fill(item, index).ok().map(|words| shell_quote::line(&words)),
        _ => Some(format!("{command} <<< {}", shell_quote::word(item))),
    })
}

fn stdout_metadata() -> io::Result<Metadata> {
    File::from(io::stdout().as_fd().try_clone_to_owned()?).metadata()
}

/// Refuses a job log that is an input or the output.
///
/// # Errors
/// Which of them it is.
pub(super) fn check_distinct(joblog: &JobLog, plan: &RunPlan, input: Option<&Input>) -> Result<(), String> {
    let Some(path) = &plan.look.joblog else { return Ok(()) };
    let Some(about) = joblog.metadata().ok().filter(Metadata::is_file) else { return Ok(()) };
    let is_it = |other: Metadata| (other.dev(), other.ino()) == (about.dev(), about.ino());
    let is_output = match &plan.output.choice {
        Some(OutputChoice::File(path)) => fs::metadata(path).is_ok_and(is_it),
        Some(OutputChoice::Picture(picture)) => fs::metadata(&picture.path).is_ok_and(is_it),
        None | Some(OutputChoice::Stdout) => stdout_metadata().is_ok_and(is_it),
    };
    let other = match input.and_then(|input| input.name_of(&about)) {
        Some(name) => format!("the input {name}"),
        None if is_output => "the output".to_owned(),
        None => return Ok(()),
    };
    let name = escape_terminal(path.as_os_str().as_bytes());
    Err(format!("--joblog {name} is the same file as {other} and would overwrite it: choose another file"))
}
