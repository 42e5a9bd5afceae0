//! A whole run in virtual time, drawn from a seed: workers, input, sink and faults
//! of every kind, with the oracle checking each step.

mod action_checks;
mod config;
mod driver;
mod input;
mod oracle;
mod rng;
mod summary;
mod worker;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub(crate) use config::{Config, End};
pub(crate) use rng::Rng;
pub(crate) use summary::Summary;
use world::World;

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
