//! Opens the outputs of a study before any work begins.

use super::complete::{AlreadyComplete, check_complete};
use super::run::Ending;
use super::runner::StudyRunner;
use super::settings::job_settings;
use super::workload::Workload;
use crate::input::InputSlice;
use crate::output::choice::OutputChoice;
use crate::output::open::{OpenError, OpenedOutput, open, open_new_file};
use crate::output::target::OutputTarget;
use crate::resume::decision::{Intent, ResumeError, ResumeJob, ResumeReason};
use crate::resume::output_rows::RowLayout;
use crate::text::display_path;
use procession_task::Configuration;
use std::path::Path;

impl StudyRunner<'_> {
    /// Opens the output of a run of this configuration.
    pub(super) fn open(
        &mut self,
        choice: &OutputChoice,
        of: &Configuration,
        workload: &Workload,
    ) -> Result<OutputTarget, Ending> {
        let size = of.size;
        let target = match choice {
            OutputChoice::Stdout => OutputTarget::stdout().map_err(Ending::Output)?,
            OutputChoice::File(path) => self.open_file(path, of, workload)?,
            OutputChoice::Picture(picture) => self.open_new(&picture.path_for(size))?,
        };
        refuse_input(&target, workload)?;
        match choice {
            OutputChoice::Picture(picture) => picture.paint(target, size).map_err(Ending::Output),
            OutputChoice::Stdout | OutputChoice::File(_) => Ok(target),
        }
    }

    /// Opens a file. The ordered results of a single run can be resumed, and failed
    /// items be run again.
    fn open_file(&mut self, path: &Path, of: &Configuration, workload: &Workload) -> Result<OutputTarget, Ending> {
        if self.runs.len() > 1 {
            return self.open_new(path);
        }
        let sized;
        let input = match workload {
            Workload::Items(input) => input,
            Workload::Sized(make) => {
                sized = make(of.size).map_err(Ending::Input)?;
                &sized.input
            }
        };
        let slice = InputSlice { size: of.size, block: self.work.unit.block(of.chunk) };
        let settings = job_settings(&self.work, input.options(), &slice, &self.resume.settings);
        let log = self.resume.log.clone();
        let (format, is_ordered) = (self.work.spec.format, self.work.is_ordered());
        let layout = RowLayout { format, first: input.options().first_index(), is_ordered };
        let job = ResumeJob { settings, rule: slice.rule(input.options().items), policy: self.policy, layout, log };
        let (hooks, intent) = (&mut *self.hooks, self.resume.intent);
        let complete = match open(path, intent, job, &mut |text| hooks.warn(text))? {
            OpenedOutput::Target(target) => return Ok(*target),
            OpenedOutput::Complete(progress) => {
                check_complete(path, &progress, input, &slice).map_err(Ending::Input)?
            }
            OpenedOutput::WithoutFailures { items } => {
                AlreadyComplete { name: display_path(path), items, ..AlreadyComplete::default() }
            }
        };
        Err(Ending::AlreadyComplete(AlreadyComplete { to_retry: intent == Intent::RetryFailed, ..complete }))
    }

    /// Opens a file that can't be resumed.
    fn open_new(&mut self, path: &Path) -> Result<OutputTarget, Ending> {
        let hooks = &mut *self.hooks;
        Ok(open_new_file(path, self.resume.intent, &mut |text| hooks.warn(text))?)
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

/// Refuses an output that is also an input: it would be read while it is
/// written, or be truncated before it is read.
fn refuse_input(target: &OutputTarget, workload: &Workload) -> Result<(), Ending> {
    let (Some((name, id)), Workload::Items(input)) = (target.file_id(), workload) else { return Ok(()) };
    match input.name_of_file(id) {
        Some(input) => {
            let (name, reason) = (name.to_owned(), ResumeReason::IsInput(input.to_owned()));
            Err(Ending::Refused(ResumeError { name, intent: Intent::Plain, reason }))
        }
        None => Ok(()),
    }
}
