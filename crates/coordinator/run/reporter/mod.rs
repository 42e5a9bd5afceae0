//! Reports the runs of a call: log, live lines and progress bar of each run, and
//! tables at the end.
//!
//! A [`RunReporter`] lives as long as the call, a session as long as a run.

mod call;
mod conclusion;
mod cut_outputs;
mod hints;
mod hooks;
mod joblog;
mod notes;
mod python_function;
mod run_reporter;
mod session;
mod spawn_shortfall;

pub(crate) use hooks::StudyHooks;
pub(crate) use run_reporter::RunReporter;
