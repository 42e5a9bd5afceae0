//! A job over several configurations: planned, run in turn, compared.

pub(crate) mod compare;
pub(crate) mod complete;
pub(crate) mod counts;
pub(crate) mod estimate;
pub(crate) mod hooks;
pub(crate) mod identity;
pub(crate) mod launch;
pub(crate) mod matrix;
mod outputs;
pub(crate) mod placeholders;
pub(crate) mod plan;
mod prepare;
pub(crate) mod run;
pub(crate) mod runner;
pub(crate) mod stopper;
pub(crate) mod workload;

pub use complete::AlreadyComplete;
pub use counts::{parse_counts, parse_sizes};
pub use estimate::Rehearsal;
pub use hooks::{Hooks, RunSession};
pub use launch::{Workers, worker_tasks};
pub use matrix::matrix;
pub use placeholders::{ask_for_procs, ask_for_size};
pub use plan::{Phase, Rounds};
pub use run::{Ending, Run, RunInfo, StudyJob};
pub use runner::{Study, StudyReport};
pub use stopper::Stopper;
pub use workload::Workload;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
