//! One round: a job, started again until it is complete, with its processes
//! attacked all the while; then everything that must hold is checked.

use super::call::{Call, CallEnding, Stage};
use super::hunt::{Fate, Hunt, Hunted};
use super::journal::{self, Close};
use super::orphans;
use super::plan::{Aim, Output, RoundPlan};
use super::tally::Tally;
use crate::random::Random;
use anyhow::{Result, bail, ensure};
use std::fs;
use std::time::Duration;

/// No coordinator may hold more, in bytes.
const MOST_MEMORY: u64 = 64 << 20;
/// The status when workers can't be started.
const CANNOT_START: i32 = 3;

pub(crate) struct Round<'a> {
    plan: RoundPlan,
    stage: &'a Stage,
    expected: Vec<u8>,
    random: Random,
    /// How often the coordinator is still killed.
    kills_left: u64,
    pub(crate) tally: Tally,
    /// The last command, to be shown if something is wrong.
    pub(crate) command: String,
}

/// What comes after a call.
enum Next {
    /// The run rightly ended before its output was complete.
    Again,
    Complete,
}

impl<'a> Round<'a> {
    /// Prepares a round.
    pub(crate) fn new(plan: RoundPlan, stage: &'a Stage) -> Self {
        Self {
            expected: plan.work.expected(plan.format),
            random: Random::new(plan.seed),
            kills_left: plan.coordinator_kills,
            tally: Tally { rounds: 1, items: plan.work.items, ..Tally::default() },
            command: String::new(),
            plan,
            stage,
        }
    }

    /// Runs the job to its end.
    pub(crate) fn run(&mut self) -> Result<()> {
        for nth in 0.. {
            match (self.call(nth)?, self.plan.output) {
                (Next::Again, Output::File) => self.tally.resumes += 1,
                (Next::Again, Output::Stdout) => self.tally.restarts += 1,
                (Next::Complete, output) => {
                    if nth > 0 && output == Output::File {
                        self.resume_when_complete(nth + 1)?;
                    }
                    break;
                }
            }
        }
        ensure!(self.output()? == self.expected, "the output is not what it must be");
        Ok(())
    }

    /// One run of the coordinator, under attack.
    fn call(&mut self, nth: usize) -> Result<Next> {
        let life = (self.kills_left > 0).then(|| self.life());
        let call = Call::start(&self.plan, self.stage, nth)?;
        self.command.clone_from(&call.command);
        let hunted = Hunt::new(&self.plan, &call, life, &mut self.random, &mut self.tally).run();
        let (ending, said) = call.end(self.stage)?;
        let orphans = orphans::await_end(&hunted.held);
        ensure!(!said.contains("panicked at"), "the coordinator panicked: {said}");
        ensure!(hunted.fate != Fate::Hung, "the run hangs");
        let peak = self.tally.peak_memory;
        ensure!(peak <= MOST_MEMORY, "the coordinator held {} MiB", peak >> 20);
        orphans?;
        let close = match ending {
            CallEnding::Status(0) => Close::Complete,
            CallEnding::Status(_) => Close::Short,
            CallEnding::Signal(_) => Close::Torn,
        };
        let next = self.next(&hunted, &ending, &said)?;
        journal::check(&self.plan, &self.stage.folder, nth, close)?;
        Ok(next)
    }

    /// How long the coordinator lives: mostly into its work, at times not even
    /// until its workers are there.
    fn life(&mut self) -> Duration {
        let (low, high) = if self.random.percent(10) { (0, 5000) } else { (5000, 100_000) };
        Duration::from_micros(self.random.between(low, high))
    }

    /// Judges how a call ended.
    fn next(&mut self, hunted: &Hunted, ending: &CallEnding, said: &str) -> Result<Next> {
        match ending {
            CallEnding::Status(0) => Ok(Next::Complete),
            CallEnding::Signal(9) if hunted.fate == Fate::Killed => {
                self.tally.coordinator_kills += 1;
                self.kills_left -= 1;
                self.check_prefix()?;
                Ok(if self.was_done()? { Next::Complete } else { Next::Again })
            }
            // As many starts in a row as this end the run.
            &CallEnding::Status(CANNOT_START) if hunted.early >= self.plan.procs.max(3) => {
                self.tally.given_up += 1;
                self.check_prefix()?;
                // From now on starts are spared, or it might never end.
                self.plan.attack.aim = Aim::Ready;
                Ok(Next::Again)
            }
            _ => bail!("the coordinator ended with {ending:?}: {said}"),
        }
    }

    /// A complete output is not touched again.
    fn resume_when_complete(&mut self, nth: usize) -> Result<()> {
        let call = Call::start(&self.plan, self.stage, nth)?;
        let (ending, said) = call.end(self.stage)?;
        orphans::await_end(&[])?;
        ensure!(ending == CallEnding::Status(0), "resuming a complete output ended with {ending:?}: {said}");
        Ok(())
    }

    /// Whether the coordinator was killed after its work: a call that was not
    /// told to resume leaves a complete output with nothing beside it, and such
    /// a one is not gone on with.
    fn was_done(&self) -> Result<bool> {
        let is_file = self.plan.output == Output::File;
        Ok(is_file && !self.stage.file("output.resume").exists() && self.output()? == self.expected)
    }

    /// What an interrupted run leaves is how the right output begins.
    fn check_prefix(&self) -> Result<()> {
        ensure!(self.expected.starts_with(&self.output()?), "the interrupted output is no prefix of the right one");
        Ok(())
    }

    /// The output as far as it goes; a run that ended early may not have made its file.
    fn output(&self) -> Result<Vec<u8>> {
        let name = if self.plan.output == Output::File { "output" } else { "stdout" };
        match fs::read(self.stage.file(name)) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            read => Ok(read?),
        }
    }
}
