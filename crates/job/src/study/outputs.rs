//! Opens the outputs of a study before any work begins.

use super::complete::check_complete;
use super::identity::identity;
use super::run::Ending;
use super::runner::Conductor;
use super::workload::Workload;
use crate::input::Portion;
use crate::output::choice::OutputChoice;
use crate::output::open::{OpenError, Opened, open, open_anew};
use crate::output::target::Target;
use crate::resume::decision::{Job, ResumeError, ResumeReason};
use procession_task::Configuration;
use std::path::Path;

impl Conductor<'_> {
    /// Opens the output of a run of this configuration.
    pub(super) fn open(
        &mut self,
        choice: &OutputChoice,
        of: &Configuration,
        workload: &Workload,
    ) -> Result<Target, Ending> {
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
        let identity = identity(&self.work, input.options(), &portion, &self.resume.settings);
        let job = Job { identity, rule: portion.rule(input.options().items), policy: self.policy };
        let hooks = &mut *self.hooks;
        match open(path, self.resume.intent, job, &mut |text| hooks.warn(text))? {
            Opened::Target(target) => Ok(*target),
            Opened::Complete(mark) => {
                let complete = check_complete(path, &mark, input, &portion).map_err(Ending::Input)?;
                Err(Ending::AlreadyComplete(complete))
            }
        }
    }

    /// Opens a file of which nothing can be gone on with.
    fn written_anew(&mut self, path: &Path) -> Result<Target, Ending> {
        let hooks = &mut *self.hooks;
        Ok(open_anew(path, self.resume.intent, &mut |text| hooks.warn(text))?)
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
