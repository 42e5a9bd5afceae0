//! What people see and keep of a call's runs: for each one its log, its live
//! lines and its progress bar, and in the end the tables.
//!
//! A [`RunReporter`] lives as long as the call, a session as long as a run.

mod call;
mod conclusion;
mod cut_outputs;
mod hints;
mod hooks;
mod joblog;
mod notes;
mod run_reporter;
mod session;
mod spawn_shortfall;

pub(crate) use hooks::StudyHooks;
pub(crate) use run_reporter::RunReporter;
