//! The flags of a call that runs a task, in the groups of the documentation.
//!
//! The first paragraph of a flag's text is what `-h` shows, a line each; the
//! others are added by `--help`, which shows every flag and every default.

mod executors;
mod faults;
mod looking;
mod output;
mod values;
mod work;

pub(crate) use executors::ExecutorFlags;
pub(crate) use faults::FaultFlags;
pub(crate) use looking::{LookFlags, ProgressMode};
pub(crate) use output::OutputFlags;
pub(crate) use values::{ItemRule, is_identifier};
pub(crate) use work::WorkFlags;
