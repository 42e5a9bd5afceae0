//! Processes as their parent sees them: workers ([`Spawned`]) and programs of
//! the user ([`LaunchedProgram`]).

mod child;
mod children;
mod containment;
mod exec;
mod exit;
mod launcher;
mod memory;
mod spawn_error;
mod stop_detector;
mod strangers;
mod watcher;

pub use child::Spawned;
pub use containment::{contain_programs, end_programs, processes_left, reap_ended_strangers};
pub(crate) use containment::{end_if_orphan, note_coordinator};
pub use exit::{Ended, Usage, thread_usage};
pub use launcher::{LaunchedProgram, Launcher, ProgramInput};
pub use memory::{own_peak_memory, peak_memory};
pub use spawn_error::SpawnError;
pub use stop_detector::StopDetector;
pub use strangers::{OwnChild, reap_strangers};
pub use watcher::{Watcher, mark_for_workers, program_mark, watch_if_asked};
