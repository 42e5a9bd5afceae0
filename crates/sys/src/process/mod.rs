//! Processes as their parent sees them: workers ([`Spawned`]) and programs of
//! the user ([`LaunchedProgram`]).

mod child;
mod exec;
mod exit;
mod launcher;
mod spawn_error;
mod stop_detector;
mod strangers;

pub use child::Spawned;
pub use exit::{Ended, Usage, thread_usage};
pub use launcher::{LaunchedProgram, Launcher, ProgramInput};
pub use spawn_error::SpawnError;
pub use stop_detector::StopDetector;
pub use strangers::reap_strangers;
