//! A whole run in virtual time, drawn from a seed: workers, input, sink and faults
//! of every kind, with the oracle checking each step.

mod action_checks;
mod config;
mod driver;
mod input;
mod oracle;
mod rng;
mod worker;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) use config::Config;
pub(crate) use rng::Rng;
use world::World;

/// What happened in a run, so that a test can check that every kind of event
/// occurs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Summary {
    pub(crate) steps: u64,
    pub(crate) accepted: u64,
    pub(crate) charged: u64,
    pub(crate) deaths: u64,
    pub(crate) stopped_jobs: u64,
    pub(crate) gave_up: u64,
    pub(crate) violations: u64,
    /// Workers that stop in the middle of an item, for a while or for good.
    pub(crate) stalls: u64,
    /// Items that their workers named before they ended.
    pub(crate) aborting: u64,
    /// Workers that were to be replaced, or were no longer needed.
    pub(crate) retired: u64,
    /// Answers that were sent twice, or came too late.
    pub(crate) double_answers: u64,
    /// Killed workers, most of them for their silence.
    pub(crate) kills: u64,
}

impl Summary {
    pub(crate) fn add(&mut self, run: Self) {
        self.steps += run.steps;
        self.accepted += run.accepted;
        self.charged += run.charged;
        self.deaths += run.deaths;
        self.stopped_jobs += run.stopped_jobs;
        self.gave_up += run.gave_up;
        self.violations += run.violations;
        self.stalls += run.stalls;
        self.aborting += run.aborting;
        self.retired += run.retired;
        self.double_answers += run.double_answers;
        self.kills += run.kills;
    }
}

/// Runs the simulation that a seed draws, changed by `adjust`. An error comes with
/// the last steps before it.
pub(crate) fn run(seed: u64, adjust: impl FnOnce(&mut Config)) -> Result<Summary, String> {
    let mut rng = Rng::new(seed);
    let mut config = Config::draw(&mut rng);
    adjust(&mut config);
    let mut world = World::new(config.clone(), rng);
    let result = catch_unwind(AssertUnwindSafe(|| world.run()));
    let message = match result {
        Ok(Ok(summary)) => return Ok(summary),
        Ok(Err(message)) => message,
        Err(panic) => match panic.downcast_ref::<String>() {
            Some(text) => format!("panicked: {text}"),
            None => "panicked".to_owned(),
        },
    };
    let trace = world.trace().join("\n");
    Err(format!("seed {seed}: {message}\n{config:#?}\n{trace}\nseed {seed}: {message}"))
}
