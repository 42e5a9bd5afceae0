//! A study: one job over several configurations, which are planned, run in
//! turn, and compared.

pub(crate) mod compare;
pub(crate) mod complete;
pub(crate) mod counts;
pub(crate) mod estimate;
pub(crate) mod hooks;
pub(crate) mod launch;
pub(crate) mod matrix;
mod outputs;
pub(crate) mod placeholders;
pub(crate) mod plan;
mod prepare;
pub(crate) mod run;
pub(crate) mod runner;
pub(crate) mod settings;
pub(crate) mod stopper;
pub(crate) mod workload;

pub use complete::AlreadyComplete;
pub use counts::{parse_counts, parse_sizes};
pub use estimate::Estimate;
pub use hooks::{Hooks, RunSession};
pub use launch::{ExecutorSetup, worker_tasks};
pub use matrix::matrix;
pub use placeholders::{use_procs, use_size};
pub use plan::{Rounds, RunPhase};
pub use run::{Ending, RunInfo, RunReport, StudyJob};
pub use runner::{Study, StudyReport};
pub use stopper::Stopper;
pub use workload::Workload;

#[cfg(test)]
mod fake;
#[cfg(test)]
mod tests;
